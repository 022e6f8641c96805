"""The one door from Tensor to op: resolve operands, record, wrap results, put the call on the tape."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jtorch import _tensor, devices, modes
from jtorch._tensor import Made, Tensor, View, read, record
from jtorch.autograd.tape import tape
from jtorch.engine import flush, trace
from jtorch.engine.ref import Box, Ref, aval, of_array
from jtorch.engine.storage import Storage
from jtorch.errors import bad_argument
from jtorch.ops.op import TABLE, Kind
from jtorch.recordable import Lift
from jtorch.shapes import contiguous_strides, is_symbolic

NUMBERS = (int, float, bool, complex)
_new = object.__new__


def apply(op, operands, attrs):
    """Record a call on Tensors and wrap its results: a Tensor, or a tuple of them.

    operands: Tensors, numbers, Lifts or None, one per recorded parameter. attrs: the static parameters, hashable.
    Raises the op's own errors, and TypeError for an operand that is none of these.
    """
    if modes.rare and not modes.local.plain:
        return above.apply(op, operands, attrs)
    ins, needs, bit = [], 0, 1
    device, stepped, viewed = None, False, False
    for x in operands:
        if isinstance(x, Tensor):
            ref = x._storage.ref if x._view is None else (viewed := True) and refresh(x, False, op)
            if x._rg:
                needs |= bit
                if ref.stepped and ref.value is None:
                    stepped = True
            if device is None:
                device = ref.aval.device
            elif ref.aval.device is not device:
                device = None
                break
            ins.append(ref)
        else:
            ins.append(x if x is None or type(x) in NUMBERS or type(x) is Lift else _operand(x, op))
        bit <<= 1
    if device is None:
        return _apply_slowly(op, operands, attrs)
    if op.host:
        return _run_host(op, ins, attrs, device)
    grad = needs and modes.local.grad and op.differentiable
    if grad and (stepped or Made.pending):
        Made.pending = False
        flush.boundary()
    try:
        outs, sig = trace.record(op, attrs, ins, device)
    except trace.Inline:
        outs, sig = _inline(op, attrs, ins, device)
    if grad:
        t = taped(sig, needs, operands, ins, outs)
    elif len(outs) == 1:
        t = _new(Tensor)
        t._storage = Storage(outs[0])
    else:
        t = tuple([_tensor.wrap(ref) for ref in outs])
    return above.follow(op.follows, t, operands) if viewed and op.follows else t


def _inline(op, attrs, ins, device):
    """Run a call on JAX tracers; under no_grad JAX takes no gradient of it either."""
    outs, sig = trace.run_inline(op, attrs, ins, device)
    if not modes.local.grad and modes.local.stops:
        for ref in outs:
            if not isinstance(ref.value, Box):
                ref.value = lax.stop_gradient(ref.value)
    return outs, sig


def taped(sig, needs, operands, ins, outs):
    """Wrap results and put the call on the tape."""
    kept = sig.tapes.get(needs, 0)
    if kept == 0:
        kept = tape(sig, needs)
    if kept is None:
        results = [_tensor.wrap(ref) for ref in outs]
        return results[0] if len(results) == 1 else tuple(results)
    edges = []
    for i in kept.slots:
        x = operands[i]
        before = x._grad_fn
        edges.append((x, 0) if before is None else (before, x._out_nr))
    saved = [ins[i] for i in kept.saved]
    versions = []
    for i in kept.tensors:
        x = operands[i]
        storage = x._storage
        versions.append((storage, storage.version, i, x))
    node = kept.node(kept, saved, versions, edges)
    if len(outs) == 1:
        t = _new(Tensor)
        t._storage = storage = Storage(outs[0])
        t._grad_fn = node
        t._rg = True
        if kept.results:
            saved.append(outs[0])
            versions.append((storage, 0, -1, None))
        return t
    return _several(node, kept, saved, versions, outs)


def _several(node, kept, saved, versions, outs):
    """Wrap several results of one node."""
    results = []
    for number, ref in enumerate(outs):
        t = _new(Tensor)
        t._storage = storage = Storage(ref)
        if kept.floating[number]:
            t._grad_fn = node
            t._rg = True
            if number:
                t._out_nr = number
        if kept.results:
            saved.append(ref)
            versions.append((storage, 0, ~number, None))
        results.append(t)
    return tuple(results)


class above:
    """What the door calls above itself; set by autograd/{rare,casting,views,layout}.py."""

    apply = None
    quietly = None
    renew = None
    follow = None


def refresh(x, ask=False, op=None):
    """Ref of a tensor's value. A view whose base was written to also gets its new place in the graph.

    ask: it gets it, or raises, even with grad mode off. op: what the value is for; one without gradient does not ask.
    """
    view = x._view
    if view is not None and view.base is not None:
        if view.graph != x._storage.graph:
            if (ask or modes.local.grad) and (op is None or op.linked):
                above.renew(x)
        elif view.base._rg and not x._rg:
            x._rg = True  # torch: a view made under no_grad requires grad if its base does
    return read(x)


def _operand(x, op):
    if isinstance(x, np.generic):
        # torch: NumPy's bools and single complex numbers are read as floats.
        return float(x) if isinstance(x, (np.bool_, np.complex64)) else x.item()
    if is_symbolic(x):
        return of_array(jnp.asarray(x), devices.of_jax(jax.devices()[0]))
    raise NotAnOperand(f"{op.name}(): expected a Tensor or a number, but got {type(x).__name__}")


class NotAnOperand(TypeError):
    """An operand is neither a Tensor nor a number; an operator then leaves the case to the other side."""


NotAnOperand.__name__ = NotAnOperand.__qualname__ = "TypeError"


def _apply_slowly(op, operands, attrs):
    """Calls with no tensor operand, or with tensors on several devices: 0-d CPU tensors go along, others raise."""
    tensors = [x for x in operands if isinstance(x, Tensor)]
    if not tensors:
        outs, _ = record(op, attrs, [x if not isinstance(x, np.generic) else x.item() for x in operands], devices.get())
        return wrap_all(outs)
    home = next((d for d in map(_device, tensors) if d is not devices.CPU), devices.CPU)
    moved = []
    for x in operands:
        if isinstance(x, Tensor) and _device(x) is not home:
            if _tensor.aval(x).shape or _device(x) is not devices.CPU:
                found = f"{home} and {_device(x)}"
                raise RuntimeError(
                    f"Expected all tensors to be on the same device, but found at least two devices, {found}!"
                )
            x = copy_to(x, home)
        moved.append(x)
    return apply(op, moved, attrs)


def _device(x):
    return _tensor.aval(x).device


def wrap_all(refs):
    return _tensor.wrap(refs[0]) if len(refs) == 1 else tuple(_tensor.wrap(ref) for ref in refs)


def copy_to(x, device):
    """A copy of a tensor's value on another device. What is pending runs first (reason sync)."""
    if device is devices.META:
        seen = _tensor.aval(x)
        return _tensor.wrap(Ref(aval(seen.shape, seen.dtype, device)))
    flush.flush("sync")
    return _tensor.wrap(of_array(devices.copied(_tensor.host(x), device), device))


def _run_host(op, ins, attrs, device):
    """Ops whose result shape depends on values run at once on concrete arrays."""
    values = [np.asarray(flush.value(x)) if type(x) is Ref else x.value if type(x) is Lift else x for x in ins]
    kinds = tuple(
        (x.aval.dtype, x.aval.ndim) if type(x) is Ref else None if x is None else (type(x), None) for x in ins
    )
    outs = op.call(tuple(values), attrs, op.compute(kinds, attrs))
    return wrap_all([of_array(np.asarray(out), device) for out in outs])


def create(op, attrs, device, numbers=()):
    """A Tensor made by a recorded creation op (no tensor operands) on a device."""
    outs, _ = record(op, attrs, list(numbers), device)
    return wrap_all(outs)


def filled(aval, value):
    """A Tensor of one number."""
    return create(TABLE["full_kernel"], (aval.shape, aval.dtype), aval.device, (value,))


def view(op, x, attrs, numbers=()):
    """A view Tensor of x: recorded like any call, but sharing x's storage, so that writes go both ways."""
    if not isinstance(x, Tensor):
        raise bad_argument(op.name, 1, "input", "Tensor", x)
    numbers = tuple(numbers)
    v = x._view
    if v is None:
        shape = x._storage.aval.shape
        strides, offset = _geometry(op, shape, contiguous_strides(shape), 0, numbers, attrs)
    else:
        strides, offset = _geometry(op, v.ref.aval.shape, v.strides, v.offset, numbers, attrs)
    return place_view(op, x, attrs, numbers, strides, offset)


@functools.lru_cache(1 << 16)
def _geometry(op, shape, strides, offset, numbers, attrs):
    """(strides, offset) of a view, worked out once for the same view of the same layout."""
    args, kwargs = op.bind((None, *numbers), attrs, None)
    return op._geometry(shape, strides, offset, *args[1:], **kwargs)[1:]


def place_view(op, x, attrs, numbers, strides, offset):
    """As `view`, for a caller that has checked the arguments and knows strides and offset of the result."""
    return lay(apply(op, (x, *numbers), attrs), x, (op, numbers, attrs), strides, offset)


def lay(out, x, step, strides, offset, made=None):
    """Make the fresh result `out` of a view op on x share x's storage. step: (op, numbers, attrs). made: see View."""
    old = x._view
    ref = out._storage.ref
    out._storage = storage = x._storage
    base = (x if old is None or old.base is None else old.base) if step[0].differentiable else None
    steps = (step,) if old is None else (*old.steps, step)
    if old is not None and old.made:
        made = old.made
    elif not modes.local.grad or (modes.rare and modes.local.inference):
        made = View.INFERENCE if modes.local.inference else View.NO_GRAD
        if base is not None and base._rg:
            out._rg = True  # torch: a view made under no_grad requires grad if its base does
    out._view = View(steps, strides, offset, base, storage.ref, ref, storage.graph, made)
    return out


def bind(op, args, kwargs):
    """(operands, attrs) of a call in Python's terms. Raises TypeError for arguments that do not fit."""
    given = dict(kwargs)
    operands, attrs = [], []
    args = list(args)
    for p in op.params:
        if args and not p.keyword_only:
            value = args.pop(0)
        elif p.name in given:
            value = given.pop(p.name)
        elif p.default is not p.missing:
            value = p.default
        else:
            raise TypeError(f"{op.name}() missing required argument: '{p.name}'")
        if p.kind in (Kind.ARRAYS, Kind.INPUTS):
            attrs.append(len(value))
            operands.extend(value if p.kind is Kind.ARRAYS else map(Lift, value))
        elif p.kind is Kind.INPUT:
            operands.append(Lift(value))
        elif p.recorded:
            operands.append(value)
        else:
            attrs.append(hashable(value))
    if args or given:
        raise TypeError(f"{op.name}() got unexpected arguments: {[*args, *given]}")
    return operands, tuple(attrs)


def hashable(value):
    """A static argument as part of a key: lists become tuples, tensors with one element become numbers."""
    if isinstance(value, (list, tuple)):
        return tuple(hashable(v) for v in value)
    if isinstance(value, Tensor):
        return _tensor.host(value).item()
    return value.item() if isinstance(value, np.generic) else value


def call(name, *args, **kwargs):
    """Apply the op `name` of the table to arguments in Python's terms."""
    op = TABLE[name]
    operands, attrs = bind(op, args, kwargs)
    if op.view:
        return view(op, operands[0], attrs, tuple(operands[1:]))
    return apply(op, operands, attrs)
