"""One entry in one dtype, torch beside jtorch: what passed, and the first failure of each kind of call."""

import re
import traceback
import warnings

import torch

import jtorch
from jtorch.engine import flush, program
from tests.conformance import calls
from tests.conformance.calls import Call
from tests.conformance.given import Unfit
from tests.oracle import Rules, compare
from tests.sides import both_sides

LONG = 1500  # characters of a failure that are kept


def run(entry, dtype, most=None, only=None):
    """{kind: None where every call passed, else the text of the first failure} of an entry in a dtype.

    dtype: a name, or "errors" for the inputs that torch must refuse. most: how many samples; None is all.
    only: kinds of calls.
    """
    if dtype == "errors":
        return _refusals(entry, most)
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
    case = f"{call.entry.name} {call.dtype} {call.kind} {brief(call.sample)}"
    if expected.error is not None or actual.error is not None:
        yield call.kind, _error(case, expected.error, actual.error)
        return
    rules = Rules(case, tolerance=call.entry.tolerance(call.dtype))
    if call.kind == "gradient":
        first = None
        if not call.entry.drawn:
            first = _failure(compare, rules, "gradients", expected.grads, actual.grads)
        yield "gradient", first or _failure(compare, rules, "result", *_facts(expected.value, actual.value))
        if expected.second or actual.second:
            yield "gradgrad", _failure(compare, rules, "gradients of gradients", expected.second, actual.second)
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
    """The failure where one side raised, or None where both raised alike. Where torch has no kernel all is well."""
    if " not implemented for '" in str(expected) or type(expected) is type(actual):
        return None
    return both_sides(f"{case}: error", _text(expected), _text(actual))


def _text(error):
    if error is None:
        return "no error"
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" at {frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in last)
    return f"{type(error).__name__}{where}: {str(error)[:1000]}"


def _refusals(entry, most):
    """As `run`, for the inputs that torch refuses: the class of the error, and whether torch's words stand in it."""
    results = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused = calls.refused(entry)
    for sample, words in refused[:most]:
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
