"""Programs kept for the next process: found there by what their calls are, the same in what they give."""

import numpy as np
import pytest

import jtorch
from jtorch import dtypes, interop
from jtorch.engine import kept, program, trie
from jtorch.ops.op import TABLE
from tests.oracle import same_error


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(kept.Folder, "path", str(tmp_path))
    return tmp_path


def programs(folder):
    """The files of programs, which have long names."""
    return [file for file in folder.iterdir() if len(file.name) == 64]


def found():
    """Whether the programs were found, first to last. They are forgotten, as by a new process."""
    seen = [made.found for made in program._lru]
    program.clear()
    return seen


def trained():
    """What an Adam step with momentum leaves of a model, and two losses."""
    jtorch.manual_seed(0)
    model = jtorch.nn.Linear(3, 2)
    optimizer = jtorch.optim.Adam(model.parameters())
    losses = []
    for _ in range(2):
        loss = model(jtorch.ones(2, 3)).tanh().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, *[p.detach().tolist() for p in model.parameters()]


def test_a_training_step_is_found_by_the_next_process(folder):
    program.clear()
    first = trained()
    assert not any(found())
    assert trained() == first
    assert all(found())


def test_a_file_that_cannot_be_read_is_made_again(folder):
    program.clear()
    x = jtorch.arange(3.0)
    expected = (x * 2).exp().tolist()
    found()
    for file in programs(folder):
        file.write_bytes(b"broken")
    assert (x * 2).exp().tolist() == expected
    assert found() == [False]
    assert (x * 2).exp().tolist() == expected
    assert found() == [True]


@pytest.mark.parametrize("one, other", [((1,), (1.0,)), ((1,), (True,)), ((0.0,), (-0.0,)), (("1",), (1,)),
    ((1, (2,)), ((1, 2),)), ((slice(1),), ((None, 1, None),)), ((None,), ("None",)),
    ((dtypes.float32,), (np.dtype(np.float32),))])  # fmt: skip
def test_what_differs_is_told_apart(one, other):
    assert kept.told(one) == kept.told((*one,))
    assert kept.told(one) != kept.told(other)


def test_what_only_this_process_knows_is_not_kept(folder):
    program.clear()
    x = jtorch.arange(3.0)
    twice = interop.from_jax(lambda a: a * 2)
    assert twice(x).sin().tolist() == (x * 2).sin().tolist()
    for untold in (object(), (lambda a: a), (1, [2]), np.ones(1), TABLE["add"].fn.__class__):
        with pytest.raises(kept._Untold):
            kept.told(untold)
    assert len(programs(folder)) == 1  # the second, made of torch's calls alone


def test_what_calls_out_of_xla_is_not_kept(folder):
    program.clear()
    x = jtorch.eye(3) * 2
    assert jtorch.linalg.svdvals(x + 0).tolist() == pytest.approx([2.0] * 3)
    assert len(programs(folder)) < len(program._lru)


def test_shapes_of_results_are_known_to_the_next_process(folder, monkeypatch):
    def summed():
        x = jtorch.ones(3, 5, requires_grad=True)
        x.exp().mul(2).sum().backward()
        return (x * 2).logsumexp(1).sum(), (x + 1.5).to(jtorch.bfloat16), x.max(0)

    def seen():
        made, half, most = summed()
        return made.dtype, half.dtype, half.shape, [part.dtype for part in most]

    trie._signatures.clear()
    expected = seen()
    trie._signatures.clear()
    monkeypatch.setattr(kept._Facts, "folder", None)
    (file,) = folder.glob("facts-*")
    file.write_text(file.read_text() + '["half a li')
    monkeypatch.setattr(trie, "alone", None)
    assert seen() == expected
    monkeypatch.undo()
    same_error(lambda torch: torch.ones(3, 5) + torch.ones(4))
