"""What classes and functions are called in files: torch finds jtorch's by torch's names, and jtorch torch's."""

import importlib
import inspect
import io
import warnings

import numpy as np
import pytest
import torch

import jtorch
from jtorch.serialization.names import written

DOORS = (
    "", ".nn", ".nn.functional", ".nn.utils.parametrize", ".nn.utils.prune", ".nn.utils.rnn", ".nn.parameter",
    ".linalg", ".fft", ".special", ".optim", ".optim.lr_scheduler", ".optim.swa_utils", ".utils.data",
)  # fmt: skip
OWN = {"torch.utils.data._DatasetKind"}  # a helper of the loader's, which no file holds


def common():
    """(torch's name, torch's object, jtorch's) of all classes and functions that both have."""
    for door in DOORS:
        home, ours = importlib.import_module(f"torch{door}"), importlib.import_module(f"jtorch{door}")
        for name, known in vars(home).items():
            obj = getattr(ours, name, None)
            if callable(known) and (inspect.isclass(obj) or inspect.isfunction(obj)) and not name.startswith("__"):
                yield f"torch{door}.{name}", known, obj


def resolved(module, name):
    """The object that a pickle of torch's would find."""
    home = importlib.import_module(module)
    for part in name.split("."):
        home = getattr(home, part)
    return home


def test_every_name_that_is_written_is_torchs():
    wrong, count = {}, 0
    for full, known, obj in common():
        name = written(obj) or (obj.__module__, obj.__qualname__)
        count += 1
        try:
            same = resolved(*name) is known
        except (AttributeError, ImportError):
            same = False
        if not same and full not in OWN:
            wrong[full] = name
    assert count > 1000
    assert wrong == {}


def through(source, target, obj):
    """An object saved by one library and loaded by another that trusts it."""
    buffer = io.BytesIO()
    source.save(obj, buffer)
    buffer.seek(0)
    return target.load(buffer, weights_only=False)


WAYS = {"to torch": (jtorch, torch), "from torch": (torch, jtorch), "to itself": (jtorch, jtorch)}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_functions(way):
    source, target = way
    names = (
        "relu tanh nn.functional.relu nn.functional.gelu nn.functional.linear linalg.inv fft.rfft special.erf".split()
    )

    def found(torch):
        return [getattr(importlib.import_module(f"{torch.__name__}.{n}".rpartition(".")[0]), n.rpartition(".")[2])
                for n in names]  # fmt: skip

    assert through(source, target, found(source)) == found(target)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_generators_go_on(way):
    source, target = way
    generator = source.Generator().manual_seed(5)
    source.rand(3, generator=generator)
    loaded = through(source, target, generator)
    assert loaded.initial_seed() == 5
    assert target.rand(4, generator=loaded).tolist() == source.rand(4, generator=generator).tolist()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_modules_with_hooks_of_their_own(way):
    source, target = way
    x = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source.manual_seed(0)
        made = source.nn.utils.spectral_norm(source.nn.Linear(3, 2), n_power_iterations=20)
        made(source.from_numpy(x))  # the norm is near: where the first vectors stand, it is all cancellation
        normed = through(source, target, made.eval())
        np.testing.assert_allclose(
            normed(target.from_numpy(x)).detach().numpy(), made(source.from_numpy(x)).detach().numpy(), rtol=1e-5
        )
        assert list(normed.state_dict()) == list(made.state_dict())
        lazy = through(source, target, source.nn.LazyLinear(4))
        assert lazy(target.from_numpy(x)).shape == (2, 4)
        assert type(lazy).__name__ == "Linear"


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_optimizers_and_schedules(way):
    source, target = way

    def made(torch):
        p = torch.nn.Parameter(torch.ones(2))
        optimizer = torch.optim.Adam([p], lr=0.1)
        return p, optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, 10)

    def run(p, optimizer, schedule, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
            schedule.step()
        return p.detach().numpy(), schedule.get_last_lr()

    first = made(source)
    run(*first, 3)
    loaded = through(source, target, first)
    got, wanted = run(*loaded, 4), run(*first, 4)
    np.testing.assert_allclose(got[0], wanted[0], rtol=1e-5)
    np.testing.assert_allclose(got[1], wanted[1], rtol=1e-9)
