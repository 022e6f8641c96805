"""Writing into tensors: in-place ops, out=, views with write-back, and what each does to the graph."""

import weakref

import jax.numpy as jnp
import numpy as np

from jtorch import _tensor, dtypes, modes
from jtorch._tensor import Tensor, read, record
from jtorch.autograd.apply import above, apply, bind, call, filled, refresh
from jtorch.autograd.forward_ad import push
from jtorch.autograd.level import check_captured
from jtorch.autograd.overlap import check_overlap, warn_repeated
from jtorch.autograd.tangents import carry, tangent_of
from jtorch.autograd.tape import Call
from jtorch.autograd.tensor_hooks import forget_retained, move_retained
from jtorch.autograd.views import WRITE, chain, forbidden
from jtorch.engine import trace
from jtorch.ops.op import TABLE
from jtorch.recordable import Recordable
from jtorch.shapes import broadcast_shapes, listed


class Copy(Recordable):
    """What copy_ leaves in a tensor: src, broadcast and cast. ins: the tensor, or None; src. attrs: shape and dtype."""

    name = "copy"
    grad_name = "CopyBackwards"

    def call(self, ins, attrs, compute):
        src = ins[1]
        shape, dtype = attrs
        return (jnp.broadcast_to(dtypes.convert(src, dtype), shape),)


class Fill(Recordable):
    """One number in every element. ins: the tensor, or None; the number. attrs: shape and dtype."""

    def __init__(self, name, grad_name):
        self.name = name
        self.grad_name = grad_name

    def call(self, ins, attrs, compute):
        shape, dtype = attrs
        value = ins[1] if hasattr(ins[1], "dtype") else np.asarray(ins[1]).astype(dtype)
        if jnp.iscomplexobj(value) and not jnp.issubdtype(dtype, jnp.complexfloating):
            value = value.real
        return (jnp.broadcast_to(jnp.asarray(value).astype(dtype), shape),)


COPY = Copy()
ZERO = Fill("zero", "ZeroBackward0")
FILL_NUMBER = Fill("fill_number", "FillBackward2")
FILL_TENSOR = Fill("fill_tensor", "FillBackward3")
FILLED_NUMBER = Fill("filled_number", "FillBackward0")
FILLED_TENSOR = Fill("filled_tensor", "FillBackward1")


def store(target, ref):
    """Write a Ref of the target's shape and dtype into its storage, through its view. Off the tape."""
    storage = target._storage
    view = target._view
    owner = target
    if view is None or not view.steps:
        if target._rg and target._grad_fn is None:
            ref.stepped = True
        storage.put(ref)
        if view is not None:
            view.source = view.ref = ref
    else:
        attrs, numbers = chain(view)
        whole = storage.ref
        new = record(WRITE, attrs, (whole, ref, *numbers), whole.aval.device)[0][0]
        if view.base is not None:
            owner = view.base
            if owner._rg and owner._grad_fn is None:
                new.stepped = True
        storage.put(new)
        if 0 not in view.strides:  # else not all of what was written is there
            view.source, view.ref = storage.ref, ref
    if owner._apart is not None:
        # torch: what is written through `.data` does not count as a new version of the tensor.
        storage.version -= 1
        storage.graph -= 1
        owner._apart += 1


def update(name, targets, *args, **kwargs):
    """Apply an op off the tape and write result i in place into targets[i]; further results are returned."""
    op = TABLE[name]
    operands, attrs = bind(op, args, kwargs)
    ins = [read(x) if isinstance(x, Tensor) else x for x in operands]
    outs, _ = record(op, attrs, ins, trace.device_of(ins))
    for target, ref in zip(targets, outs, strict=False):
        store(target, ref)
    return [_tensor.wrap(ref) for ref in outs[len(targets) :]]


def check_writable(target, needed=False):
    """Raise torch's error for an in-place op that autograd can't follow. needed: whether an operand requires grad.

    With grad mode on these are leaves that require grad, views of them, and views made where nobody could tell.
    """
    if not modes.local.grad:
        return
    view = target._view
    base = None if view is None else view.base
    if base is not None and (needed or target._rg or base._rg):
        if view.made is not None:
            raise RuntimeError(forbidden(target, "is being"))
        if base._rg and base._grad_fn is None:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        if target._rg and target._grad_fn is None and not base._rg:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        if base._rg and target._grad_fn is None and view.source is not None:
            # torch: a view asks for its new place in the graph only when it is read.
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    elif target._rg and target._grad_fn is None:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def overwrite(target, value):
    """Copy Tensor `value`, broadcast and cast, into target: its memory, its version, and with grad mode on its history.

    Raises RuntimeError as torch does for leaves that require grad.
    """
    if modes.rare:
        check_captured("copy", target, (value,))
    check_writable(target, value._rg)
    check_overlap(target, (value,))
    a = _tensor.aval(target)
    view = target._view
    if not modes.rare and not (modes.local.grad and (value._rg or target._rg)):
        ref = read(value)
        if ref.aval is not a:
            ref = record(COPY, (a.shape, a.dtype.numpy), (None, ref), a.device)[0][0]
        store(target, ref)
        return target
    known = None if view is not None and view.base is not None else target
    return _become(target, apply(COPY, (known, value), (a.shape, a.dtype.numpy)))


def fill(op, target, value, name="fill"):
    """Write a number, or the value of a 0-d Tensor, into every element. op: ZERO, FILL_NUMBER or FILL_TENSOR.

    name: of torch's op.
    """
    if modes.rare:
        check_captured("zero" if op is ZERO else name, target, (value,))
    check_writable(target, isinstance(value, Tensor) and value._rg)
    a = _tensor.aval(target)
    view = target._view
    whole = modes.local.grad and (view is None or view.base is None)
    known = target if whole and (target._rg or (isinstance(value, Tensor) and value._rg)) else None
    if known is None and not isinstance(value, Tensor):
        return _become(target, filled(a, value), ((None, 0),) if op is FILL_TENSOR else ())
    return _become(target, apply(op, (known, value), (a.shape, a.dtype.numpy)))


def assign(target, value, repeated=False, name="index_put"):
    """Write Tensor `value`, of the target's shape, into target, as an in-place op does that came to this result.

    repeated: whether target may have several elements at one place. name: of the op. Raises RuntimeError as torch does
    for leaves that require grad.
    """
    if modes.rare:
        check_captured(name, target, (value,))
    check_writable(target, value._rg)
    if not repeated:
        check_overlap(target)
    return _become(target, value)


def _become(target, value, constants=((None, 0),)):
    """Let target be from now on what `value` is: memory, version, and with grad mode on history.

    constants: what torch shows of a value without history that is written into a view.
    """
    a = _tensor.aval(target)
    if _tensor.aval(value).dtype is not a.dtype:
        value = call("to_dtype", value, a.dtype)
    view = target._view
    base = None if view is None else view.base
    if not modes.local.grad or not (value._rg or target._rg):
        store(target, read(value))
    elif base is not None:
        _write_through(target, base, value, constants)
    else:
        if not value._rg:
            value = apply(COPY, (target, value), (a.shape, a.dtype.numpy))
        store(target, read(value))
        if value._rg:
            _take_history(target, value)
    if modes.rare:
        _follow(target, value)
    return target


def _follow(target, value):
    """In forward mode, target's tangent, and that of the tensor it is a view of, follow what was written into it."""
    tangent, had = tangent_of(value), tangent_of(target)
    if tangent is None and had is not None:
        tangent = filled(_tensor.aval(had), 0)  # torch: what was dual stays so
    view = target._view
    base = None if view is None else view.base
    if tangent is None and tangent_of(target if base is None else base) is None:
        return
    if base is not None:
        attrs, numbers = chain(view, base)
        push(WRITE, (base, value, *numbers), attrs, base)
    carry(target, tangent)


def _write_through(target, base, value, constants):
    """Write a value into a view with history: the base becomes the result of that."""
    view = target._view
    attrs, numbers = chain(view, base)
    new = apply(WRITE, (base, value, *numbers), attrs)
    ref = read(value)
    store(base, read(new))
    view.source, view.ref = base._storage.ref, ref
    if value._grad_fn is not None:
        _written(value, target._storage)
        _pass_by(value._grad_fn, target, base)
    if new._rg:
        new._grad_fn.constants = constants
        new._grad_fn.versions = []  # torch: it saves nothing, whatever the write of a view op reads of its base
        _take_history(base, new)
        _note_view(value, target)
    forget_retained(target)


def _pass_by(node, target, base):
    """Let the gradient of a call that wrote into a view go to the base past the hooks on the view, as in torch."""
    place = target._grad_fn
    if place is not None and node.edges and node.edges[0][0] is place:
        node.edges[0] = (_unwatched(place, base._grad_fn, len(target._view.steps)), node.edges[0][1])


def _unwatched(place, end, most):
    """A view's place in the graph again, down to that of its base, without hooks. most: how many calls lie between."""
    if place is end or not most or not isinstance(place, Call):
        return place
    made = type(place)(place.tape, place.saved, place.versions, None)
    made.edges = [(_unwatched(to, end, most - 1), number) for to, number in place.edges]
    made.sequence = place.sequence
    return made


def _note_view(value, target):
    """A view was written to: the results that the call saved are by now those of the view's new place in the graph."""
    node = value._grad_fn
    if node is not None and any(at < 0 for _, _, at, _ in node.versions):
        refresh(target, ask=True)
        place = weakref.ref(target._grad_fn)
        node.versions = [(s, v, at, place if at < 0 else x) for s, v, at, x in node.versions]


def hand_over(target, node, number):
    """Let target, whose memory was written to off the tape, become output `number` of a node."""
    view = target._view
    base = None if view is None else view.base
    target._storage.touch()
    if base is None:
        move_retained(target, node, number)
        target._grad_fn, target._out_nr, target._rg = node, number, True
        target._storage.graph += 1
        return
    value = _tensor.wrap(read(target))
    value._grad_fn, value._out_nr, value._rg = node, number, True
    attrs, numbers = chain(view, base)
    _take_history(base, apply(WRITE, (base, value, *numbers), attrs))
    forget_retained(target)


def _take_history(target, value):
    """target is from now on the result that value is."""
    node = value._grad_fn
    move_retained(target, node, value._out_nr)
    target._grad_fn, target._out_nr, target._rg = node, value._out_nr, True
    target._storage.graph += 1
    _written(value, target._storage)


def _written(value, storage):
    """A call's result was written into an operand's storage: the operand it saved was a copy, the result is this."""
    node = value._grad_fn
    if node.versions:
        node.versions = [
            (s, v, at, x) if at >= 0 else (storage, storage.version, at, None)
            for s, v, at, x in node.versions
            if at < 0 or s is not storage
        ]


_INTO_REPEATED = ("masked_fill", "index_fill")


def inplace(op, target, operands, attrs):
    """The in-place form of an op: its result is written into target, which is returned.

    Raises RuntimeError in torch's words when shape or dtype of the result do not fit the target.
    """
    if modes.rare:
        check_captured(op.name, target, operands[1:])
    if modes.local.grad:
        check_writable(target, any(isinstance(x, Tensor) and x._rg for x in operands))
    if op.name in _INTO_REPEATED:
        warn_repeated(target, f"{op.name}_", "tensor[mask] = scalar")
    else:
        check_overlap(target, operands)
    try:
        value = (above.quietly if modes.rare else apply)(op, operands, attrs)
    except RuntimeError as error:
        if hasattr(error, "refused"):
            shape = broadcast_shapes(*(_tensor.aval(x).shape for x in operands if isinstance(x, Tensor)))
            _need_room(target, shape, error.refused)
        raise
    have, want = _tensor.aval(value), _tensor.aval(target)
    if have is not want:
        _need_room(target, have.shape, have.dtype)
        if have.dtype is not want.dtype and value._grad_fn is not None:
            _written(value, target._storage)  # the cast hides this call from _become
    return _become(target, value)


def _need_room(target, shape, dtype):
    """Raise RuntimeError in torch's words where a result does not fit the tensor it goes to. dtype: None for any."""
    want = _tensor.aval(target)
    if shape != want.shape:
        raise RuntimeError(f"output with shape {listed(want.shape)} doesn't match the broadcast shape {listed(shape)}")
    if dtype is not None:
        _need_cast(dtype, want.dtype)


def _need_cast(have, want):
    if not dtypes.can_cast(have, want):
        raise RuntimeError(f"result type {have.label} can't be cast to the desired output type {want.label}")


def _names(**kinds):
    cpp = {role: dtypes.cpp_name(kind) for role, kind in kinds.items()}
    return cpp | {role.capitalize(): kind.label for role, kind in kinds.items()}


def write_out(out, value, name=None, words=True):
    """Write a result into an out= tensor, which is returned. Resizes it when its shape differs. name: of the function.

    words: what torch says to any other dtype than the result's; True where it casts.
    Raises RuntimeError as torch does when the dtype can't be cast or when autograd is asked of it.
    """
    if modes.local.grad and (out._rg or value._rg):
        function = f"{name}(): functions with " if name else ""
        raise RuntimeError(
            f"{function}out=... arguments don't support automatic differentiation, but one of the arguments requires "
            "grad."
        )
    have, want = _tensor.aval(value), _tensor.aval(out)
    if have.dtype is not want.dtype:
        if words is not True:
            raise RuntimeError(words.format(**_names(want=have.dtype, have=want.dtype)))
        _need_cast(have.dtype, want.dtype)
        value = call("to_dtype", value, want.dtype)
    if have.shape != want.shape:
        out._storage.put(read(value))
        out._storage.order = out._view = None
        return out
    check_overlap(out)
    store(out, read(value))
    return out
