"""Forward-mode gradients: inside dual_level, tensors carry tangents and every call pushes them forward."""

import contextlib
from typing import NamedTuple

import jax

from jtorch import _tensor, dtypes, modes
from jtorch._tensor import Tensor
from jtorch.autograd.apply import apply, call
from jtorch.autograd.grad_mode import Switch
from jtorch.autograd.tangents import Level, carry, tangent_of
from jtorch.recordable import Recordable

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class UnpackedDualTensor(NamedTuple):
    """What a dual tensor is made of: its value and its tangent, None where it has none."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level():
    """Open the level at which tensors may carry tangents; its number. Raises RuntimeError when it is open."""
    if Level.current >= 0:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    Level.current += 1
    modes.enter_rare()
    return Level.current


def exit_dual_level(*, level=None):
    """Close the level: all tangents are dropped. Raises RuntimeError when it is not the last one opened."""
    if level is not None and level != Level.current:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    for dual in [weak() for weak in Level.duals.values()]:
        if dual is not None:
            dual._tangent = None
    Level.duals.clear()
    Level.saved.clear()
    Level.current -= 1
    modes.leave_rare()


@contextlib.contextmanager
def batched_level(batch):
    """Context manager: a level at which every tensor carries a batch of tangents, stacked along a first dim."""
    enter_dual_level()
    Level.batch = batch
    try:
        yield
    finally:
        Level.batch = None
        exit_dual_level()


class dual_level(Switch):
    """Context manager and decorator: enter_dual_level() and exit_dual_level()."""

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *exc):
        exit_dual_level()


def make_dual(tensor, tangent, *, level=None):
    """A tensor that shares tensor's memory and carries a tangent of its shape.

    Raises RuntimeError outside dual_level, ValueError for dtypes that have no gradient.
    """
    if (Level.current if level is None else level) < 0:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for name, given in (("primal", tensor), ("tangent", tangent)):
        kind = _tensor.aval(given).dtype
        if kind.category < dtypes.FLOAT:
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {kind!r}")
    have, want = _tensor.aval(tangent).shape, _tensor.aval(tensor).shape
    if have != want:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {_listed(want)} while the given forward gradient is of size {_listed(have)}."
        )
    if getattr(tensor, "_tangent", None) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not "
            "supported."
        )
    dual = call("view", tensor, want)
    carry(dual, tangent)
    return dual


def _listed(shape):
    return f"[{', '.join(map(str, shape))}]"


def unpack_dual(tensor, *, level=None):
    """The value and the tangent of a tensor."""
    if (Level.current if level is None else level) < 0:
        return UnpackedDualTensor(tensor, None)
    modes.local.plain, before = True, modes.local.plain
    try:
        return UnpackedDualTensor(call("fw_primal", tensor), tangent_of(tensor))
    finally:
        modes.local.plain = before


def active():
    """Whether the level is open."""
    return Level.current >= 0


class Jvp(Recordable):
    """The tangents of a call's results. ins: the operands, then the tangents of those that have one.

    attrs: (attributes and computing dtype of the call, which operands have a tangent, whether these are batched).
    """

    _of: dict = {}

    def __init__(self, op):
        self.op = op
        self.name = f"{op.name}_jvp"
        self.grad_name = f"{op.name.capitalize()}JvpBackward0"
        self.lift = op.lift

    @classmethod
    def of(cls, op):
        """The jvp of an op, the same object each time."""
        return cls._of.get(op) or cls._of.setdefault(op, cls(op))

    def call(self, ins, attrs, compute):
        own, own_compute, moves, batched = attrs
        operands, tangents = ins[: len(moves)], ins[len(moves) :]
        if batched:
            one = (own, own_compute, moves, False)
            return jax.vmap(lambda *given: self.call((*operands, *given), one, compute))(*tangents)
        return self.op.pushforward(operands, own, own_compute, tangents, moves)


def push(op, operands, attrs, results):
    """Give the results of a call the tangents that those of its operands make."""
    moves = tuple(tangent_of(x) is not None for x in operands)
    if not any(moves):
        return
    results = results if isinstance(results, tuple) else (results,)
    floating = [r for r in results if _tensor.aval(r).dtype.category >= dtypes.FLOAT]
    if not floating or not op.differentiable:
        return
    avals = tuple((_tensor.aval(x).dtype, _tensor.aval(x).ndim) if isinstance(x, Tensor) else None if x is None
                  else (type(x), None) for x in operands)  # fmt: skip
    tangents = [tangent_of(x) for x, m in zip(operands, moves, strict=True) if m]
    found = apply(Jvp.of(op), (*operands, *tangents), (attrs, op.compute(avals, attrs), moves, Level.batch is not None))
    for result, tangent in zip(floating, found if isinstance(found, tuple) else (found,), strict=True):
        carry(result, tangent)
    node = next((r._grad_fn for r in floating if r._grad_fn is not None), None)
    if node is not None:
        stood = [*enumerate(operands), *((~n, r) for n, r in enumerate(results))]
        Level.saved[node] = {at: tangent_of(x) for at, x in stood if tangent_of(x) is not None}
