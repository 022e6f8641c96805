"""One entry in one dtype, torch beside jtorch: what passed, and the first failure of each kind of call."""

import itertools
import re
import traceback
import warnings

import numpy as np
import torch

import jtorch
from jtorch.engine import flush, program
from tests.conformance import calls, entries
from tests.conformance.calls import Call
from tests.conformance.given import Unfit
from tests.oracle import Rules, compare
from tests.sides import both_sides, to_numpy

LONG = 1500  # characters of a failure that are kept
ROUNDED = ("bfloat16", "float16", "float32", "complex64")  # dtypes that torch's results in wider ones can judge


def run(entry, dtype, most=None, only=None):
    """{kind: None where every call passed, else the text of the first failure} of an entry in a dtype.

    dtype: a name, or "errors" for the inputs that torch must refuse, of which all are taken. most: how many samples;
    None is all.
    only: kinds of calls.
    """
    if dtype == "errors":
        return _refusals(entry)
    return together([entry], dtype, most, only)[entry.name, dtype]


def together(some, dtype, most=None, only=None):
    """{(name, dtype): as `run` returns} of several entries, whose results are read together: one program."""
    made = []
    for entry in some:
        for sample in calls.samples(entry, dtype, most):
            wanted = [kind for kind in calls.kinds(entry, sample, dtype) if only is None or kind in only]
            made += [Call(entry, kind, sample, dtype) for kind in wanted]
    results = {(entry.name, dtype): {} for entry in some}
    for call, expected, actual in zip(made, *_both(made), strict=True):
        if isinstance(expected.error, Unfit):
            continue
        found = results[call.entry.name, dtype]
        for kind, failure in _compared(call, expected, actual):
            found[kind] = found.get(kind) or failure
    return results


def _both(made):
    """The outcomes of all calls on torch and on jtorch."""
    expected = [call.run(torch) for call in made]
    actual = [call.run(jtorch) for call in made]
    try:
        flush.flush("read")  # all as one program
    except Exception:
        flush.discard()
        actual = [_alone(call) for call in made]
    return expected, actual


def _alone(call):
    """The outcome of a call on jtorch, run by itself, so that what fails fails alone."""
    outcome = call.run(jtorch)
    try:
        flush.flush("read")
    except Exception as error:
        flush.discard()
        outcome.error = error
    return outcome


def _compared(call, expected, actual):
    """(kind, failure or None) of each thing that one call shows."""
    found = list(_differences(call, expected, actual))
    of_values = [bool(failure) and ", values\n" in failure for _, failure in found]
    if any(of_values) and call.dtype in ROUNDED and _is_as_true(call, expected, actual):
        found = [(kind, None if excused else f) for (kind, f), excused in zip(found, of_values, strict=True)]
    return found


def _is_as_true(call, expected, actual):
    """Whether jtorch's results are as near to torch's in double precision as torch's tolerance, or torch itself, is.

    torch rounds at every step of a formula, and may be farther from the truth than its own tolerance.
    """
    true = call.true()
    if true.error is not None:
        return False
    sides = zip((torch, torch, jtorch), (expected, true, actual), strict=True)
    one, exact, other = ([t for part in _parts(side) for t in calls.tensors(m, part)] for m, side in sides)
    if not len(one) == len(exact) == len(other):
        return False
    return all(_is_near(*triple) for triple in zip(one, exact, other, strict=True))


def _parts(outcome):
    return outcome.value, outcome.grads, outcome.second, outcome.inputs


def _is_near(one, exact, other):
    rtol, atol = torch.testing._comparison.default_tolerances(one.dtype)
    sides = (torch, one), (torch, exact.detach()), (torch, exact.detach().to(one.dtype)), (jtorch, other)
    a, x, rounded, b = (to_numpy(module, t).astype(np.complex128) for module, t in sides)
    x = np.where(np.isfinite(rounded), x, rounded)
    with np.errstate(invalid="ignore"):
        own = np.abs(a - x)
    return np.allclose(b, x, rtol, atol + np.max(own, where=np.isfinite(own), initial=0.0), equal_nan=True)


def _differences(call, expected, actual):
    """(kind, failure or None) of each thing that one call shows."""
    case = f"{call.entry.name} {call.dtype} {call.kind} {brief(call.sample)}"
    if expected.error is not None or actual.error is not None:
        if call.dtype != entries.EDGES or expected.error is None:  # else torch looks at values, and refuses these
            yield call.kind, _error(case, expected.error, actual.error)
        return
    rules = Rules(case, tolerance=call.entry.tolerance(call.dtype))
    rules.infinite = call.dtype != entries.EDGES or call.entry.elementwise
    if call.kind == "gradient":
        yield from _gradients(call, rules, expected, actual)
        return
    one, other = expected.value, actual.value
    if call.entry.drawn:
        one, other = _facts(one, other)
    elif call.kind == "forward" and _is_view(one):
        rules.strides = True
    failure = _failure(compare, rules, "result", one, other)
    if failure is None and expected.stage != actual.stage:
        failure = f"{case}: whether the result is the tensor given"
    if failure is None and not call.entry.drawn:
        failure = _failure(compare, rules, "inputs afterwards", expected.inputs, actual.inputs)
    yield call.kind, failure


def _gradients(call, rules, expected, actual):
    """As `_compared`, of a call whose gradients were taken."""
    failure, second = None, []
    if not call.entry.drawn:
        first, *second = gradients(expected, actual)
        failure = _failure(compare, rules, *first)
    yield "gradient", failure or _failure(compare, rules, "result", *_facts(expected.value, actual.value))
    for sides in second:
        yield "gradgrad", _failure(compare, rules, *sides)


def gradients(expected, actual):
    """(what they are, torch's, jtorch's) of the gradients that two Outcomes have, and of the gradients of these."""
    twice = bool(expected.second or actual.second)
    # Whether a gradient depends on inputs by more than zeros is how its formula is written: torch's gradgradcheck
    # takes None for zeros too.
    yield (
        "gradients",
        *([g if g is None or not twice else g.detach() for g in side.grads] for side in (expected, actual)),
    )
    if twice:
        pairs = itertools.zip_longest(expected.second, actual.second)
        second = [(a, b) for a, b in pairs if (a is None) == (b is None) or not (_is_zero(a) and _is_zero(b))]
        yield "gradients of gradients", [a for a, _ in second], [b for _, b in second]


def _is_zero(grad):
    return grad is None or not grad.numpy(force=True).any()


def _is_view(value):
    return isinstance(value, torch.Tensor) and value._is_view() and value.numel() > 0


def _facts(expected, actual):
    """Shapes, dtypes and whether gradients are taken, in the place of the tensors of two results."""
    return tuple(
        [(str(t.dtype), tuple(t.shape), t.requires_grad) for t in calls.tensors(module, value)]
        for module, value in ((torch, expected), (jtorch, actual))
    )


def _failure(check, *args):
    try:
        check(*args)
    except AssertionError as error:
        return str(error)[:LONG]
    except Exception as error:
        return f"{args[0].case}: cannot be read: {_text(error)}"
    return None


def _error(case, expected, actual):
    """The failure where one side raised, or None where both raised alike or torch has no kernel or derivative."""
    missing = re.search(r" not implemented for '|derivative for aten::\w+ is not implemented", str(expected))
    if missing or type(expected) is type(actual):
        return None
    return both_sides(f"{case}: error", _text(expected), _text(actual))


def _text(error):
    if error is None:
        return "no error"
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" at {frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in last)
    return f"{type(error).__name__}{where}: {str(error)[:1000]}"


def _refusals(entry):
    """As `run`, for the inputs that torch refuses: the class of the error, and whether torch's words stand in it."""
    results = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused = calls.refused(entry)
    for sample, words in refused:
        call = Call(entry, "errors", sample, "errors")
        expected, actual = call.run(torch), call.run(jtorch)
        if isinstance(expected.error, Unfit) or expected.error is None:
            continue
        case = f"{entry.name} refuses {brief(sample)}"
        failure = _refused(case, expected.error, actual.error)
        results["errors"] = results.get("errors") or failure
        told = failure or not re.search(words, str(expected.error)) or re.search(words, str(actual.error))
        results["messages"] = results.get("messages") or (
            None if told else both_sides(f"{case}: words", expected.error, actual.error)
        )
    flush.discard()
    return results


def _refused(case, expected, actual):
    if actual is not None and type(expected).__name__ == type(actual).__name__:
        return None
    return both_sides(f"{case}: error", _text(expected), _text(actual))


def brief(sample):
    """A sample in a line."""
    return re.sub(r"\s+", " ", sample.summary()).removeprefix("SampleInput")[:400]


def hurry():
    """Compile every program quickly: none runs twice."""
    program.QUICK_CALLS = 1 << 20
