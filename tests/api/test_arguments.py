"""The argument parser against torch's: for every native signature of the table, calls that torch refuses."""

import warnings

import pytest
import torch

import jtorch
from jtorch.api import arguments
from tests.sides import fail

SECTIONS = {
    "torch": torch, "Tensor": torch.ones(2), "nn": torch._C._nn, "linalg": torch._C._linalg, "fft": torch._C._fft,
    "special": torch._C._special,
}  # fmt: skip


class Odd:
    """What no function takes."""


ODD = Odd()


def valid(module, kind):
    """A value of a kind that the parser takes."""
    made = {
        "Tensor": module.ones(2), "Scalar": 1.5, "int": 1, "float": 0.5, "bool": True, "str": "s", "ints": (1, 1),
        "floats": (1.0,), "Tensors": [module.ones(2)], "OptTensors": [module.ones(2)], "Scalars": [1.0],
        "dtype": module.float32, "device": "cpu",
    }  # fmt: skip
    return made.get(kind)


def calls(module, overload):
    """(args, kwargs) that differ from a call of the overload in one place, by position and by name."""
    needed = [p for p in overload.params if not p.optional and not p.keyword_only]
    for at, p in enumerate(overload.params):
        if p.kind == "object":
            continue
        for wrong in (ODD, (1, "a")):
            if not p.keyword_only:
                args = [valid(module, q.kind) for q in overload.params[: max(at + 1, len(needed))]]
                args[at] = wrong
                yield tuple(args), {}
            before = [valid(module, q.kind) for q in needed[:at]]
            yield tuple(before), {q.name: valid(module, q.kind) for q in needed[at:]} | {p.name: wrong}
    yield tuple(valid(module, q.kind) for q in needed), {"foo": 1}
    yield tuple(valid(module, q.kind) for q in needed[:-1]), {}


def words(error):
    return error and f"{type(error).__name__}: {str(error).split(', but expected one of:')[0]}"


# torch: named arguments are listed in the order of a hash table; these have several after a failure.
UNORDERED = frozenset("index_fill index_fill_ scatter scatter_ masked_fill gru rnn_tanh rnn_relu lstm".split())


@pytest.mark.parametrize("section", SECTIONS)
def test_refusals_are_torchs(section):
    compared = 0
    for of, name in arguments._lines():
        if of != section or name in UNORDERED:
            continue
        fn = getattr(SECTIONS[section], arguments._PREFIX.get(section, "") + name)
        shown = [o for o in arguments.overloads(section, name) if not o.hidden]
        for overload in shown[:2]:
            for (args, kwargs), (ours, named) in zip(calls(torch, overload), calls(jtorch, overload), strict=True):
                expected = arguments.refusal(section, name, ours, named)
                if expected is None:
                    continue  # torch may do anything with it
                compared += 1
                raised = _error(fn, args, kwargs)
                if words(raised).replace("Tensor.", "TensorBase.") != words(expected).replace("Tensor.", "TensorBase."):
                    fail(f"{section}: {name}, {args}, {kwargs}", words(raised), words(expected))
    assert compared > 60


def _error(fn, args, kwargs):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fn(*args, **kwargs)
    except Exception as error:
        return error
    return None
