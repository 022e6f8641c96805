"""SparseAdam's checks beside torch's: there is no sparse gradient to step by."""

import pytest

from tests.oracle import same, same_error


def made(torch, **options):
    return torch.optim.SparseAdam(torch.nn.Linear(2, 2).parameters(), **options)


def stepped(torch):
    layer = torch.nn.Linear(2, 2)
    layer(torch.ones(1, 2)).sum().backward()
    torch.optim.SparseAdam(layer.parameters()).step()


@pytest.mark.parametrize(
    "call",
    [
        lambda torch: made(torch, lr=-1),
        lambda torch: made(torch, lr=torch.tensor([1.0, 2.0])),
        lambda torch: made(torch, eps=0),
        lambda torch: made(torch, betas=(1.0, 0.9)),
        lambda torch: made(torch, betas=(0.9, -1)),
        lambda torch: torch.optim.SparseAdam([torch.zeros(2, dtype=torch.complex64)]),
        lambda torch: torch.optim.SparseAdam([]),
        stepped,
    ],
)
def test_refusals(call):
    same_error(call)


def test_without_gradients():
    same(lambda torch: (made(torch).step(lambda: torch.tensor(2.0)), made(torch).defaults["betas"]))
