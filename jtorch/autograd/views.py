"""A chain of views as one call: read from its base, or written back into it."""

import jax.numpy as jnp

from jtorch import modes
from jtorch._tensor import View, alias, read, strides
from jtorch.autograd.apply import above, apply
from jtorch.autograd.node import brief
from jtorch.autograd.tape import Slices
from jtorch.recordable import Lift, Recordable


class Read(Recordable):
    """What a chain of views shows of its base.

    ins: base, then the numbers of the chain. attrs: (((view op, how many numbers, its attrs), ...),).
    """

    name = "read_view"
    grad_name = "AsStridedBackward0"  # torch: what a view's gradient is called once its base was written to

    def call(self, ins, attrs, compute):
        seen, *numbers = ins
        for op, count, own in attrs[0]:
            seen = op.call((seen, *numbers[:count]), own, None)[0]
            numbers = numbers[count:]
        return (seen,)


class Write(Recordable):
    """base with the elements that a chain of views shows replaced by value.

    ins: base, value, then the numbers of the chain. attrs: as for Read.
    """

    name = "copy_slices"
    grad_name = "CopySlices"
    node = Slices

    def call(self, ins, attrs, compute):
        base, value, *numbers = ins
        return (_write(base, value, attrs[0], numbers),)


def _write(base, value, steps, numbers):
    (op, count, attrs), rest = steps[0], steps[1:]
    own, others = numbers[:count], numbers[count:]
    inner = op.call((base, *own), attrs, None)[0]
    args, kwargs = op.bind((base, *own), attrs, None)
    if rest and hasattr(op._write, "overlaps"):
        marks = _write(jnp.zeros(inner.shape, inner.dtype), jnp.ones(value.shape, value.dtype), rest, others)
        kwargs = {**kwargs, "written": marks != 0}
    value = _write(inner, value, rest, others) if rest else value.astype(inner.dtype)
    return op._write(args[0], value, *args[1:], **kwargs)


READ, WRITE = Read(), Write()


def chain(view, base=None):
    """The attributes and the numbers of a view's chain, from its storage or from its base, for READ and WRITE.

    The numbers are inputs of the program from the first time on: a loop that writes to x[i] is one call, repeated.
    """
    before = () if base is None or base._view is None else base._view.steps
    if any(a is not b and (a[0] is not b[0] or a[2] != b[2]) for a, b in zip(before, view.steps, strict=False)):
        raise RuntimeError(
            "A view is used with autograd whose base has been reshaped in place since it was made, which jtorch cannot "
            "follow. Make the view after the base has its shape, or reshape the base out of place."
        )
    steps = view.steps[len(before) :]
    attrs = (tuple((op, len(numbers), attrs) for op, numbers, attrs in steps),)
    return attrs, tuple(Lift(n) for _, numbers, _ in steps for n in numbers)


def renew(x):
    """Give a view, whose base was written to with autograd, its new place in the graph.

    Raises RuntimeError, in torch's words, for views that must not be used after that.
    """
    view = x._view
    base = view.base
    if not base._rg:
        view.graph = x._storage.graph
        return
    if view.made is not None:
        raise RuntimeError(forbidden(x, "its base or another view of its base has been"))
    view.graph = x._storage.graph
    attrs, numbers = chain(view, base)
    previous, modes.local.grad = modes.local.grad, True
    try:
        seen = apply(READ, (base, *numbers), attrs)
    finally:
        modes.local.grad = previous
    seen._grad_fn.versions = []  # torch: it saves nothing, whatever the gradient of a view op reads of its base
    x._grad_fn, x._out_nr, x._rg = seen._grad_fn, 0, True


above.renew = staticmethod(renew)


def same_again(x):
    """An input that is returned as it is: a view of it, outside the graph."""
    view = x._view
    out = alias(x)
    steps, offset, base = ((), 0, None) if view is None else (view.steps, view.offset, view.base)
    base = x if base is None else base
    storage = x._storage
    out._view = View(steps, strides(x), offset, base, storage.ref, read(x), storage.graph, View.CUSTOM)
    return out


_AMBIGUOUS = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both"
)


def _maker(x):
    """(name of the call, output number) that a view comes from, or None."""
    if x._grad_fn is not None:
        return x._grad_fn.brief_name(), x._out_nr
    if x._rg and x._view.source is None:  # it is only written to: its call is not recorded
        op, _, attrs = x._view.steps[-1]
        return brief(op.graph((), attrs)), 0
    return None


def forbidden(x, what):
    """torch's words for a view that may not be written to. what: "is being", or what happened to its base."""
    view, made = x._view, _maker(x)
    start = "A view" if made is None else f"Output {made[1]} of {made[0]} is a view of a view which"
    if view.made == View.NO_GRAD:
        return (
            f"{start} was created in no_grad mode and {what} modified inplace with grad mode enabled. {_AMBIGUOUS} the "
            "view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) "
            "or both outside (if you want the inplace to be tracked)."
        )
    if view.made == View.INFERENCE:
        return (
            f"{start} was created in inference mode and {what} modified inplace in normal mode. {_AMBIGUOUS} the view "
            "and the inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) "
            "or both outside (if you want the inplace to be tracked)."
        )
    first = f"A view was created in no_grad mode and {what} modified inplace with grad mode enabled."
    if made is not None:
        first = f"Output {made[1]} of {made[0]} is a view and {what} modified inplace."
    if view.made == View.CUSTOM:
        return (
            f"{first} This view was created inside a "
            "custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace "
            "would override the custom backward associated with the custom Function, leading to incorrect gradients. "
            "This behavior is forbidden. You can fix this by cloning the output of the custom Function."
        )
    return (
        f"{first} This view is the output of a function "
        "that returns multiple views. Such functions do not allow the output views to be modified inplace. You should "
        "replace the inplace operation by an out-of-place one."
    )
