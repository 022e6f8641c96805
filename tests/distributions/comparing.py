"""Many results of torch and jtorch compared at once; jtorch's are made beside the traces, without whole programs."""

import torch

import jtorch
from jtorch.engine import host
from tests.oracle import to_tensor
from tests.sides import fail


def outcome(fn):
    """What a function returns, or its error as text."""
    try:
        return fn()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class Shapes:
    """A result of which only dtype, shape and requires_grad are compared, for which nothing need run."""

    def __init__(self, tensor):
        self.text = str(_facts(tensor)) if hasattr(tensor, "dtype") else str(tensor)

    def __str__(self):
        return self.text


def _facts(tensor):
    return str(tensor.dtype), tuple(tensor.shape), tensor.requires_grad, tensor.grad_fn is None


def alike(quantities, known=None, **tolerance):
    """Assert that quantities(torch) and quantities(jtorch), dicts of results and error texts, are the same.

    known: words of an error of torch that jtorch does not have. Returns how many results were compared.
    """
    __tracebackhide__ = True
    theirs = quantities(torch)
    with host.aside():
        ours = quantities(jtorch)
    count = 0
    for label, expected in theirs.items():
        if known and isinstance(expected, (str, Shapes)) and known in str(expected):
            continue
        count += _same(label, expected, ours[label], tolerance)
    assert list(theirs) == list(ours)
    return count


def _same(label, expected, actual, tolerance):
    __tracebackhide__ = True
    if isinstance(expected, (tuple, list)) and not isinstance(expected, torch.Size):
        pairs = zip(expected, actual, strict=True)
        return sum(_same(f"{label}[{i}]", one, other, tolerance) for i, (one, other) in enumerate(pairs))
    if not isinstance(expected, torch.Tensor):
        if str(expected) != str(actual).replace("jtorch.", "torch."):
            fail(label, expected, actual)
        return 1
    facts = [_facts(x) for x in (expected, actual)]
    if facts[0] != facts[1]:
        fail(f"{label}: dtype, shape, requires_grad", *facts)
    expected, actual = expected.detach(), to_tensor(torch, actual.numpy(force=True))[1]
    try:
        torch.testing.assert_close(actual, expected, equal_nan=True, **tolerance)
    except AssertionError as error:
        fail(f"{label}: values\n{error}", expected, actual)
    return 1
