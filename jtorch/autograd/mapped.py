"""A call mapped over rows of its operands, as one call that can be recorded."""

import jax
import jax.numpy as jnp

from jtorch.ops.op import Op
from jtorch.recordable import Recordable, mixed


class Mapped(Recordable):
    """An op on each row of the operands that are mapped over. The rows are their first dim, and the results' first dim.

    attrs: (attributes and computing dtype of the op, which operands are mapped over).
    """

    _of: dict = {}

    def __init__(self, op):
        self.op = op
        self.name = f"{op.name}_mapped"
        self.grad_name = getattr(op, "grad_name", None) or _shown(op)
        self.lift = op.lift
        self.differentiable = op.differentiable
        self.constant = op.constant

    @classmethod
    def of(cls, op):
        """The mapped form of an op, the same object each time."""
        return cls._of.get(op) or cls._of.setdefault(op, cls(op))

    def call(self, ins, attrs, compute):
        own, own_compute, axes = attrs

        def one(*rows):
            return self.op.call(mixed(ins, axes, rows), own, own_compute)

        return jax.vmap(one)(*(x for x, mapped in zip(ins, axes, strict=True) if mapped))

    def pullback(self, ins, attrs, compute, cotangents, needs, results):
        if type(self.op).pullback is Recordable.pullback or (type(self.op) is Op and self.op._gradient is None):
            return super().pullback(ins, attrs, compute, cotangents, needs, results)
        own, own_compute, axes = attrs
        present = [ct for ct in cotangents if ct is not None]

        def one(sent, *rows):
            given = iter(sent)
            cts = tuple(None if ct is None else next(given) for ct in cotangents)
            return self.op.pullback(mixed(ins, axes, rows), own, own_compute, cts, needs, None)

        grads = jax.vmap(one)(present, *(x for x, mapped in zip(ins, axes, strict=True) if mapped))
        mapped = [m for m, n in zip(axes, needs, strict=True) if n]
        return tuple(g if m else jnp.sum(g, 0) for g, m in zip(grads, mapped, strict=True))


def _shown(op):
    shown = getattr(op, "_graph", None)
    if isinstance(shown, str):
        return shown
    return "".join(part.capitalize() for part in op.name.strip("_").split("_")) + "Backward0"
