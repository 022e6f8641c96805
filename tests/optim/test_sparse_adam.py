"""Steps by sparse gradients beside torch's: those of SparseAdam, SGD and Adagrad, and SparseAdam's checks."""

import pytest

import jtorch
from jtorch.engine import flush, stats
from tests.oracle import same, same_error

pytestmark = pytest.mark.usefixtures("quick_compiles")


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


def trained(torch, name, bag=False, steps=4, scaled=False, between=lambda: None, **options):
    """Some steps of a table and a layer above it: losses, and what is left."""
    torch.manual_seed(0)
    make = torch.nn.EmbeddingBag if bag else torch.nn.Embedding
    rows, layer = make(20, 4, padding_idx=1, sparse=True), torch.nn.Linear(4, 3)
    by_rows = getattr(torch.optim, name)(rows.parameters(), lr=0.1, **options)
    dense = torch.optim.Adam(layer.parameters(), lr=0.01)
    scaler, losses = torch.amp.GradScaler("cpu", init_scale=8.0, enabled=scaled), []
    for turn in range(steps):
        x = torch.tensor([[(3 * i + j) * (turn + 1) % 7 for j in range(3)] for i in range(4)])
        found = rows(x) if bag else rows(x).mean(1)
        loss = torch.nn.functional.cross_entropy(layer(found), torch.tensor([0, 1, 2, 0]))
        by_rows.zero_grad(), dense.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(by_rows), scaler.step(dense), scaler.update()
        losses.append(loss)
        between()
    return losses, rows.weight, layer.weight, rows.weight.grad.coalesce().to_dense(), by_rows.state_dict()


@pytest.mark.parametrize(
    "name, options",
    [
        ("SGD", {}), ("SGD", {"maximize": True, "bag": True}), ("Adagrad", {"lr_decay": 0.1, "bag": True}),
        ("SparseAdam", {"betas": (0.8, 0.95)}), ("SparseAdam", {"scaled": True, "steps": 2}),
    ],
)  # fmt: skip
def test_steps(name, options):
    same(lambda torch: trained(torch, name, **options))


def test_momentum():
    """torch's state is sparse there, with the same values."""

    def run(torch):
        losses, weight, *_, state = trained(torch, "SGD", momentum=0.9)
        return losses, weight, state["state"][0]["momentum_buffer"].to_dense()

    same(run)


def test_two_sparse_dims():
    def run(torch):
        weight = torch.arange(24.0).reshape(2, 3, 4).requires_grad_()
        places = torch.tensor([[1, 0, 1], [2, 0, 2]])
        weight.grad = torch.sparse_coo_tensor(places, torch.arange(12.0).reshape(3, 4) + 1, (2, 3, 4))
        torch.optim.SparseAdam([weight], lr=0.1).step()
        return weight

    same(run)


def test_a_step_is_one_program_and_the_third_compiles_nothing():
    seen = []

    def between():
        flush.boundary()
        seen.append((stats.programs, stats.compiles))
        stats.reset()

    flush.boundary()
    stats.reset()
    trained(jtorch, "SparseAdam", steps=5, between=between)
    assert [programs for programs, _ in seen[1:]] == [1] * 4  # the first has the model's beginning in front
    assert [compiles for _, compiles in seen[2:]] == [0] * 3


def test_a_compiled_step_is_run_as_python():
    def run(torch):
        rows = torch.nn.Embedding(6, 2, sparse=True, _weight=torch.ones(6, 2))
        optimizer = torch.optim.SparseAdam(rows.parameters(), lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = rows(x).pow(2).sum()
            loss.backward()
            optimizer.step()
            return loss

        go = torch.compile(step) if torch is jtorch else step
        return [go(torch.tensor([i, 1])) for i in range(4)], rows.weight, rows.weight.grad.to_dense()

    same(run)
