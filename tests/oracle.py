"""The one way in which tests compare jtorch with real torch: values, gradients, errors, printed text, whole scripts.

    check("add", x, y, alpha=2)                          a function by its dotted name
    check("Tensor.add_", x, y)                           a method; an in-place one works on a clone of x
    check(lambda torch, x: torch.relu(x) * 2, x)         any callable that takes the module first
    check("sum", x, dtypes=FLOATS, dtype=torch.float64)  torch's dtypes, devices and tensors become jtorch's
    check("nn.functional.embedding", index, const(w))    const: an input that requires no gradient

Inputs are NumPy arrays (strides count: a transposed array is a transposed tensor); each side gets its own copy.
Tolerances are torch.testing's own for the dtype. Where one is too tight in float32, compare in float64. Where torch
has no kernel for a dtype ("not implemented for 'Half'"), jtorch may raise or compute as it likes.
"""

import contextlib
import functools
import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

import jtorch
from tests.scripts import script
from tests.sides import both_sides, cast_floats, const, fail, numpy_dtype, to_numpy, to_tensor

__all__ = [
    "COMPLEX", "FLOATS", "INTS", "both", "check", "const", "numpy_dtype", "same", "same_error", "same_print",
    "same_warnings", "script", "to_numpy", "to_tensor",
]  # fmt: skip

FLOATS = ("float32", "float64", "float16", "bfloat16")
INTS = ("int64", "int32", "int16", "int8", "uint8")
COMPLEX = ("complex64", "complex128")


@dataclass
class Outcome:
    """What one side made of a call: its result or its error, its inputs afterwards, its gradients."""

    value: object = None
    error: Exception | None = None
    stage: str = "call"
    inputs: list = field(default_factory=list)
    leaves: list = field(default_factory=list)
    grads: list = field(default_factory=list)
    second: list = field(default_factory=list)


def check(
    what, *args, grad=True, dtypes=None, strides=False, exact=False, printed=False, grad_fn=True, text=True, **kwargs
):
    """Call `what` with torch and with jtorch on the same inputs and assert that everything comes out the same.

    grad: False for none, True for gradients under a random cotangent, 2 for gradients of these gradients too.
    dtypes: names; floating and complex arrays are cast to each in turn. strides: also compare stride() and offset.
    exact: no tolerance. printed: also compare repr. grad_fn: also compare the class name of grad_fn.
    text: False compares only the class of an error. Returns torch's result as NumPy, None where torch raised.
    """
    __tracebackhide__ = True
    if dtypes is not None:
        options = {"grad": grad, "strides": strides, "exact": exact, "printed": printed, "grad_fn": grad_fn}
        cast = [(cast_floats(args, name), cast_floats(kwargs, name)) for name in dtypes]
        return [check(what, *a, text=text, **options, **k) for a, k in cast]
    if "out" in kwargs:
        grad = False
    case = _describe(what, args, kwargs)
    expected = _run(torch, what, args, kwargs, grad)
    actual = _run(jtorch, what, args, kwargs, grad)
    if expected.error is not None or actual.error is not None:
        _same_error(case, expected, actual, text)
        compare(Rules(case, exact=exact), "inputs after the error", expected.inputs, actual.inputs)
        return None
    rules = Rules(case, strides=strides, exact=exact, printed=printed, grad_fn=grad_fn)
    compare(rules, "result", expected.value, actual.value)
    if _which(expected) != _which(actual):
        fail(f"{case}: which input is the result", _which(expected), _which(actual))
    plain = Rules(case, exact=exact)
    compare(plain, "inputs after the call", expected.inputs, actual.inputs)
    compare(plain, "gradients", expected.grads, actual.grads)
    compare(plain, "gradients of gradients", expected.second, actual.second)
    return to_numpy(torch, expected.value)


def both(fn):
    """fn(torch) and fn(jtorch), tensors in the results as NumPy arrays."""
    return to_numpy(torch, fn(torch)), to_numpy(jtorch, fn(jtorch))


def same(fn, **rules):
    """Assert that fn(torch) and fn(jtorch) return the same: values, dtypes, shapes, requires_grad, grad_fn."""
    __tracebackhide__ = True
    check(lambda module: fn(module), grad=False, **rules)


def same_error(fn, text=True):
    """Assert that fn(torch) raises and that fn(jtorch) raises the same class with the same words."""
    __tracebackhide__ = True
    expected, actual = (_run(module, fn, (), {}, False) for module in (torch, jtorch))
    if expected.error is None:
        raise AssertionError(f"{_describe(fn, (), {})}: torch raises nothing, it returns {expected.value!r}")
    _same_error(_describe(fn, (), {}), expected, actual, text)


def same_warnings(fn):
    """Assert that fn(torch) and fn(jtorch) warn alike, in class and words, and that torch warns at all."""
    __tracebackhide__ = True
    for module in (torch, jtorch):
        module.set_warn_always(True)
    try:
        expected, actual = _warnings(fn, torch), _warnings(fn, jtorch)
    finally:
        for module in (torch, jtorch):
            module.set_warn_always(False)
    if not expected or expected != actual:
        fail(f"{_describe(fn, (), {})}: warnings", expected or "none (the test wants some)", actual)


def same_print(fn):
    """Assert that fn(torch) and fn(jtorch) print the same, and that str() of what they return is the same."""
    __tracebackhide__ = True
    expected, actual = _printed(fn, torch), _printed(fn, jtorch)
    if expected != actual:
        fail(f"{_describe(fn, (), {})}: printed text", expected, actual)


# How one side is run.


def _run(module, what, args, kwargs, grad):
    outcome = Outcome()
    fn, inplace = _resolve(module, what)
    args = [_given(module, a, grad, outcome, clone=inplace and i == 0) for i, a in enumerate(args)]
    kwargs = {k: _given(module, v, grad, outcome) for k, v in kwargs.items()}
    try:
        outcome.value = fn(*args, **kwargs)
        outcome.stage = "backward"
        if grad:
            differentiate(module, outcome, twice=grad == 2)
    except Exception as error:
        outcome.error = error
    return outcome


def _resolve(module, what):
    """The function to call, and whether its first input must be cloned because it is written to."""
    if callable(what):
        return functools.partial(what, module), False
    try:
        found = functools.reduce(getattr, what.split("."), module)
    except AttributeError:
        if module is torch:
            raise
        raise AssertionError(f"jtorch has no {what}") from None
    return found, what.endswith("_") and not what.endswith("__")


def _given(module, value, grad, outcome, clone=False):
    """One argument as `module` wants it; tensors made on the way are noted in the outcome."""
    if isinstance(value, torch.Tensor):
        value = to_numpy(torch, value) if value.requires_grad else const(to_numpy(torch, value))
    if isinstance(value, (np.ndarray, const)):
        array, wanted = (value.array, False) if isinstance(value, const) else (value, bool(grad))
        leaf, tensor = to_tensor(module, array, wanted)
        tensor = tensor.clone() if clone else tensor
        outcome.leaves.append(leaf)
        outcome.inputs.append(tensor)
        return tensor
    if isinstance(value, dict):
        return {k: _given(module, v, grad, outcome) for k, v in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_given(module, v, grad, outcome) for v in value)
    if isinstance(value, torch.dtype):
        return getattr(module, str(value).removeprefix("torch."))
    return module.device(str(value)) if isinstance(value, torch.device) else value


def differentiate(module, outcome, twice, rounded=None):
    """Note in the outcome the gradients of its leaves under random cotangents, and those of these gradients.

    rounded: a real dtype whose numbers the cotangents are, where the results are wider.
    """
    leaves = [leaf for leaf in outcome.leaves if leaf.requires_grad]
    outputs = [out for out in _tensors(module, outcome.value) if out.requires_grad]
    if not leaves or not outputs:
        return
    draw = np.random.default_rng(0)
    cotangents = [_cotangent(module, draw, out, rounded) for out in outputs]
    if twice:
        first = module.autograd.grad(outputs, leaves, cotangents, create_graph=True, allow_unused=True)
        outcome.grads = list(first)
        drawn = [(g, _cotangent(module, draw, g, rounded)) for g in first if g is not None]
        outputs = [(g, cotangent) for g, cotangent in drawn if g.requires_grad]
        if outputs:
            module.autograd.backward(*map(list, zip(*outputs, strict=True)))
        outcome.second = [leaf.grad for leaf in leaves]
    else:
        if len(outputs) == 1:
            outputs[0].backward(cotangents[0])
        else:
            module.autograd.backward(outputs, cotangents)
        outcome.grads = [leaf.grad for leaf in leaves]


def _cotangent(module, draw, out, rounded):
    values = draw.uniform(0.5, 1.5, tuple(out.shape)) * draw.choice([-1.0, 1.0], tuple(out.shape))
    if out.dtype.is_complex:
        values = values + 1j * draw.uniform(-1, 1, tuple(out.shape))
    if rounded is None:
        return module.tensor(values, dtype=out.dtype)
    return module.tensor(values, dtype=rounded.to_complex() if out.dtype.is_complex else rounded).to(out.dtype)


def _tensors(module, value):
    if isinstance(value, module.Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (tuple, list)):
        return []
    return [tensor for item in value for tensor in _tensors(module, item)]


# How two sides are compared.


@dataclass
class Rules:
    """What is compared beside values, dtypes and shapes, and how close values must be where torch's own won't do."""

    case: str
    strides: bool = False
    exact: bool = False
    printed: bool = False
    grad_fn: bool = False
    infinite: bool = True  # False: an infinity counts as nan; which of them comes of a sum depends on its order
    tolerance: dict = field(default_factory=dict)


def compare(rules, where, expected, actual):
    """Assert that two results, nested as they may be, are the same: kinds, names, lengths, and each tensor."""
    __tracebackhide__ = True
    if isinstance(expected, torch.Tensor) and isinstance(actual, jtorch.Tensor):
        return _compare_tensors(rules, where, expected, actual)
    if _shape_of(expected) != _shape_of(actual):
        fail(f"{rules.case}: {where}, kind", _shape_of(expected), _shape_of(actual))
    if isinstance(expected, dict):
        for key in expected:
            compare(rules, f"{where}[{key!r}]", expected[key], actual[key])
    elif isinstance(expected, (tuple, list)):
        for i, (one, other) in enumerate(zip(expected, actual, strict=True)):
            compare(rules, f"{where}[{i}]", one, other)
    elif isinstance(expected, (np.ndarray, float, complex)):
        _close(rules, where, np.asarray(expected), np.asarray(actual), python=not isinstance(expected, np.ndarray))
    elif str(expected) != str(actual):
        fail(f"{rules.case}: {where}", expected, actual)


def _compare_tensors(rules, where, expected, actual):
    __tracebackhide__ = True
    for fact in ("dtype", "shape", "device", "requires_grad", "is_leaf"):
        one, other = str(getattr(expected, fact)), str(getattr(actual, fact))
        if one != other:
            fail(f"{rules.case}: {where}, {fact}", f"{one}\n{expected}", f"{other}\n{actual}")
    if rules.strides:
        one, other = ((t.stride(), t.storage_offset(), t.is_contiguous()) for t in (expected, actual))
        if one != other:
            fail(f"{rules.case}: {where}, (stride, offset, is_contiguous)", one, other)
    if rules.grad_fn:
        one, other = (t.grad_fn and type(t.grad_fn).__name__ for t in (expected, actual))
        if one != other:
            fail(f"{rules.case}: {where}, grad_fn", one, other)
    _close(rules, where, to_numpy(torch, expected), to_numpy(jtorch, actual))
    if rules.printed and repr(expected) != repr(actual):
        fail(f"{rules.case}: {where}, repr", repr(expected), repr(actual))


def _close(rules, where, expected, actual, python=False):
    __tracebackhide__ = True
    tolerance = {"rtol": 0, "atol": 0} if rules.exact else rules.tolerance
    if python and not rules.exact:
        tolerance = {"rtol": 1.3e-6, "atol": 1e-5}  # a number read from a tensor carries float32's tolerance
    if not rules.infinite and expected.dtype.kind in "fc" and actual.dtype == expected.dtype:
        expected, actual = (np.where(np.isfinite(x), x, np.nan).astype(x.dtype) for x in (expected, actual))
    one, other = to_tensor(torch, expected)[1], to_tensor(torch, actual)[1]
    if "float8" in expected.dtype.name:
        one, other, tolerance = one.float(), other.float(), {"rtol": 0, "atol": 0}
    try:
        torch.testing.assert_close(other, one, equal_nan=True, **tolerance)
    except AssertionError as error:
        fail(f"{rules.case}: {where}, values\n{error}", expected, actual)


def _shape_of(value):
    """What two results must share before their items are compared: type name, fields or keys, length."""
    kind = type(value)
    if isinstance(value, dict):
        return kind.__name__, list(value)
    if isinstance(value, (tuple, list)):
        return kind.__name__, getattr(kind, "_fields", None) or getattr(kind, "__match_args__", ()), len(value)
    return kind.__name__


def _which(outcome):
    return [i for i, given in enumerate(outcome.inputs) if given is outcome.value]


def _same_error(case, expected, actual, text):
    __tracebackhide__ = True
    if " not implemented for '" in str(expected.error):
        return
    one, other = (_error(outcome, text) for outcome in (expected, actual))
    if one != other:
        failure = AssertionError(both_sides(f"{case}: error", one or "no error", other or "no error"))
        raise failure from (actual.error or expected.error)


def _error(outcome, text):
    if outcome.error is None:
        return None
    words = str(outcome.error).split(", but expected one of:")[0]  # what follows lists C++ overloads
    name = type(outcome.error).__name__.strip("_")
    return f"{name} in {outcome.stage}: {words}" if text else f"{name} in {outcome.stage}"


def _describe(what, args, kwargs):
    name = what if isinstance(what, str) else getattr(what, "__name__", repr(what))
    if name == "<lambda>":
        name = f"lambda at {Path(what.__code__.co_filename).name}:{what.__code__.co_firstlineno}"
    shown = [_brief(a) for a in args] + [f"{k}={_brief(v)}" for k, v in kwargs.items()]
    return f"{name}({', '.join(shown)})"


def _brief(value):
    if isinstance(value, const):
        return f"const {_brief(value.array)}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype.name}{list(value.shape)}" + (f"={value!s}" if value.size < 9 else "")
    if type(value) in (tuple, list):
        return f"[{', '.join(map(_brief, value))}]"
    return repr(value)


def _printed(fn, module):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        value = fn(module)
    return out.getvalue() + ("" if value is None else str(value))


def _warnings(fn, module):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fn(module)
    # torch appends the C++ place to some messages.
    return [(w.category.__name__, str(w.message).split(" (Triggered internally at")[0]) for w in caught]
