"""Levels: the transforms of jtorch.func that are under way, what a tensor is on each, and what may be written to."""

import contextlib
import itertools
import threading

from jax.core import Tracer

from jtorch import modes
from jtorch._tensor import Tensor, aval
from jtorch.autograd.tangents import tangent_of
from jtorch.engine.ref import Box
from jtorch.shapes import listed


class _Local(threading.local):
    def __init__(self):
        self.open = []  # innermost last


_local = _Local()
_numbers = itertools.count(1)


class Level:
    """One transform under way, entered as a context. Tensors on it are boxed: calls on them end on the level below.

    number: rises from level to level, never used twice. depth: how many are open, this one included. below: the number
    of the level around it. grad: the grad mode around it. alive: whether it is open.
    """

    maps = False  # whether boxes may stand for a batch
    alive = False

    def __enter__(self):
        self.number = next(_numbers)
        self.below = modes.local.level
        self.grad = modes.local.grad
        _local.open.append(self)
        self.depth = len(_local.open)
        self.alive = True
        modes.local.level = self.number
        modes.enter_rare()
        return self

    def __exit__(self, *exc):
        modes.leave_rare()
        modes.local.level = self.below
        self.alive = False
        _local.open.pop()

    @contextlib.contextmanager
    def outside(self):
        """Context manager: calls are made on the level below."""
        before, modes.local.level = modes.local.level, self.below
        try:
            yield
        finally:
            modes.local.level = before


def innermost():
    """The open levels that a call is made on now, innermost first."""
    return [level for level in reversed(_local.open) if level.number <= modes.local.level]


def mapping():
    """The innermost level that maps over a batch, or None."""
    return next((level for level in innermost() if level.maps), None)


def box_of(x, level=None):
    """The Box that is a tensor's value, on a level or on whichever is highest; None where there is none."""
    found = x._storage.ref.value
    if not isinstance(found, Box) or (level is not None and found.level is not level):
        return None
    return found


def behind(x):
    """What a tensor stands for outside of all transforms: all rows of it where it is one of a batch."""
    while (box := box_of(x)) is not None:
        x = box.inner
    return x


def may_move(x):
    """Whether a derivative with respect to a tensor may be asked for: by the tape, tangents, a level, or JAX."""
    if (x._rg and modes.local.grad) or isinstance(x._storage.ref.value, Tracer):
        return True
    if not modes.rare:
        return False
    if tangent_of(x) is not None:
        return True
    while (box := box_of(x)) is not None:
        x = box.inner
        if x._rg or getattr(box, "tangent", None) is not None:
            return True
    return isinstance(x._storage.ref.value, Tracer)


def brought_out(value, target):
    """A value on the level of a tensor made outside, to be written there; None where it is one of a batch."""
    while (box := box_of(value)) is not None and box_of(target, box.level) is None:
        if target._storage.born >= box.level.number:
            break
        if box.level.maps and box.batched:
            return None
        value = box.inner
    return value


def is_batched(x):
    """Whether a tensor is one of a batch, on any level."""
    box = box_of(x)
    while box is not None:
        if box.level.maps and box.batched:
            return True
        box = box_of(box.inner)
    return False


def check_captured(name, target, values):
    """Raise torch's error where an in-place op would write to what was made outside of a transform.

    values: what is written. name: of the op in torch's terms; None where nothing but the batch matters.
    """
    tensors = [x for x in values if isinstance(x, Tensor)]
    for level in innermost():
        box = box_of(target, level)
        below = [box_of(x, level) for x in tensors]
        if level.maps:
            if (box is None or not box.batched) and any(b is not None and b.batched for b in below):
                raise RuntimeError(_unbatched(name, target, level))
        elif box is None and target._storage.born < level.number:
            raise RuntimeError(
                "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place "
                f"operation (aten::{_overload(name, values)}) that would mutate a captured Tensor. This is not "
                "supported; please rewrite the function being transformed to explicitly accept the mutated Tensor(s) "
                "as inputs."
            )
        target = target if box is None else box.inner
        tensors = [x if b is None else b.inner for x, b in zip(tensors, below, strict=True)]


_SHAPE = "We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::{}."
_HOST = {
    "nonzero_columns": (
        "We do not support batching operators that can support dynamic shape. Attempting to batch over indexing with a "
        "boolean mask."
    ),
    "nonzero_kernel": "nonzero", "unique_kernel": "_unique2", "unique_consecutive_kernel": "unique_consecutive",
}  # fmt: skip


def check_host(op, operands):
    """Raise torch's error where an op needs the values of tensors that are one of a batch."""
    if any(isinstance(x, Tensor) and is_batched(x) for x in operands):
        words = _HOST.get(op.name, op.name)
        if " " not in words:
            file = "Please file an issue at https://github.com/pytorch/pytorch/issues if you need this feature."
            words = f"{_SHAPE.format(words)} {file}"
        raise RuntimeError(f"vmap: {words}")


# torch: these check the result's shape before they think of batches; these have rules of their own; others have none.
_BY_SHAPE = ("add", "atan2", "logical_and", "logical_or", "logical_xor")
_ARITHMETIC = ("mul", "sub", "div", "masked_fill", "copy")
_RULED = ("fill", "index_add", "index_put")
_OVERLOADS = {
    "add": ("Tensor", "Tensor"), "sub": ("Tensor", "Tensor"), "mul": ("Tensor", "Tensor"), "div": ("Tensor", "Tensor"),
    "fill": ("Scalar", "Tensor"), "pow": ("Scalar", "Tensor"), "lerp": ("Scalar", "Tensor"),
    "masked_fill": ("Scalar", "Tensor"), "fmod": ("Scalar", "Tensor"), "remainder": ("Scalar", "Tensor"),
    "scatter": ("value", "src"),
}  # fmt: skip


def _overload(name, values):
    """torch's name of the overload that is called: what the last operand is decides."""
    kinds = _OVERLOADS.get(name)
    return f"{name}_" if kinds is None else f"{name}_.{kinds[isinstance(values[-1], Tensor)]}"


def _unbatched(name, target, level):
    if name in _BY_SHAPE:
        shape = aval(target).shape
        return f"output with shape {listed(shape)} doesn't match the broadcast shape {listed((level.size, *shape))}"
    place = "in a vmap"
    if name in _ARITHMETIC:
        name = "inplace arithmetic"
    elif name in _RULED:
        name = f"{name}_"
    else:
        name, place = f"aten::{name}_", f"at level {level.depth}"
    return (
        f"vmap: {name}(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has "
        f"more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over "
        f"{place}. Please try to use out-of-place operators instead of {name}. If said operator is being called "
        "inside the PyTorch framework, please file a bug report instead."
    )
