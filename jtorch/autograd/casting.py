"""The casts that the door makes while a region of autocast is open."""

import functools
import weakref

from jtorch import dtypes, modes
from jtorch._tensor import Tensor, aval
from jtorch.autograd.apply import above, apply, call
from jtorch.autograd.autocast_lists import BANNED, CONDITIONS, FLOAT32, RESULT32, STATE, WHOLE, WIDEST
from jtorch.autograd.autocast_state import current
from jtorch.ops.op import Kind


def cast_call(op, operands, attrs):
    """(operands, attrs) of a call as the region that is open has them."""
    region = _region(operands)
    policy = region and region[1].get(op.name)
    if policy is None or not _applies(op, operands, attrs):
        return operands, attrs
    if policy is RESULT32:
        return operands, _with_float32(op, operands, attrs)
    kind = _target(policy, region[0], operands)
    return [x if i == 1 and policy is STATE else _cast(x, kind) for i, x in enumerate(operands)], attrs


def _applies(op, operands, attrs):
    condition = CONDITIONS.get(op.name)
    return condition is None or condition([aval(x).shape for x in operands if isinstance(x, Tensor)], attrs)


def _region(values):
    """(dtype, list) of the region that is open for the device of the first tensor among the values, or None."""
    for x in values:
        if isinstance(x, Tensor):
            return modes.local.casts.get(aval(x).device.type)
    return None


def _target(policy, dtype, values):
    if policy is FLOAT32:
        return dtypes.float32
    if policy is WIDEST:
        return _widest(dtype, values)
    if policy is BANNED:
        raise RuntimeError(_UNSAFE)
    return dtype


def _widest(dtype, values):
    kinds = {aval(x).dtype for x in values if _eligible(x)} - {dtype}
    if kinds - {dtypes.float32}:
        raise RuntimeError("Unexpected floating ScalarType in at::autocast::prioritize")
    return dtypes.float32 if kinds else dtype


def _eligible(x):
    if not isinstance(x, Tensor):
        return False
    kind = aval(x).dtype
    return kind.is_floating_point and kind is not dtypes.float64


def _cast(x, dtype):
    """x in a dtype; a leaf that requires grad once for the whole region."""
    if not _eligible(x) or aval(x).dtype is dtype:
        return x
    state = current()
    leaf = x._rg and x._grad_fn is None and x._view is None and modes.local.grad
    if not (leaf and state.cached and dtype is not dtypes.float32 and aval(x).dtype is dtypes.float32):
        return call("to_dtype", x, dtype)
    known = state.cache.get(id(x))
    if known is None or known[0]() is not x or aval(known[1]).dtype is not dtype:
        known = state.cache[id(x)] = (weakref.ref(x), call("to_dtype", x, dtype))
    return known[1]


def _with_float32(op, operands, attrs):
    if not _eligible(operands[0]):
        return attrs
    at = [p.kind for p in op.params if not p.recorded].index(Kind.DTYPE)
    return attrs if attrs[at] is not None else (*attrs[:at], dtypes.float32, *attrs[at + 1 :])


class paused:
    """Context manager: nothing is cast inside."""

    def __enter__(self):
        self.before, modes.local.casts = modes.local.casts, None

    def __exit__(self, *exc):
        modes.local.casts = self.before


def quietly(op, operands, attrs):
    """As `apply`, in no region: torch casts nothing for in-place ops and out=."""
    with paused():
        return apply(op, operands, attrs)


above.quietly = staticmethod(quietly)


def whole(name, fn):
    """A hand-written function that torch casts as one: its tensors first, and nothing inside it."""
    if name not in WHOLE or getattr(fn, "casts", None) == name:
        return fn

    @functools.wraps(fn)
    def run(*args, **kwargs):
        if modes.local.casts is None:
            return fn(*args, **kwargs)
        return _run_whole(name, fn, args, kwargs)

    run.casts = name
    return run


def _run_whole(name, fn, args, kwargs):
    values = [x for item in (*args, *kwargs.values()) for x in (item if type(item) in (list, tuple) else (item,))]
    region = _region(values)
    policy = region and region[1].get(name)
    if policy is None or kwargs.get("out") is not None:
        return fn(*args, **kwargs)
    kind = _target(policy, region[0], values)
    args = [_cast_all(x, kind) for x in args]
    kwargs = {key: _cast_all(x, kind) for key, x in kwargs.items()}
    with paused():
        return fn(*args, **kwargs)


def _cast_all(x, kind):
    return type(x)(_cast(item, kind) for item in x) if type(x) in (list, tuple) else _cast(x, kind)


_UNSAFE = (
    "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
    "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
    "In this case, combine the two layers using torch.nn.functional.binary_cross_entropy_with_logits\n"
    "or torch.nn.BCEWithLogitsLoss.  binary_cross_entropy_with_logits and BCEWithLogits are\n"
    "safe to autocast."
)
