"""What the engine can record: calls on arrays and lifted numbers, and their gradients, recorded in turn."""

import jax
import jax.numpy as jnp
import numpy as np


class Lift:
    """A number among a call's operands that always is an input of the program, never a constant."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Recordable:
    """Anything the engine can record: `call` on arrays, and its pullback."""

    name = ""
    host = False
    lift = True
    view = False
    follows = False
    differentiable = True
    linked = True  # whether a new result can have a gradient
    constant: tuple = ()  # results that never carry a gradient
    saves: tuple[str, ...] | None = None
    _vjp: "Vjp | None" = None

    def __repr__(self):
        return f"<op {self.name}>"

    @property
    def vjp(self):
        """The op that pulls cotangents back through this one."""
        if self._vjp is None:
            self._vjp = Vjp(self)
        return self._vjp

    def told(self):
        """What it is in every process: a text, or a tuple of such and other ops; None where only this one has it."""
        kind = type(self)
        return None if vars(self).keys() - {"_vjp"} else f"{kind.__module__}.{kind.__qualname__}"

    def check(self, operands, attrs):
        """Raise TypeError where an operand is not what the parameter takes."""

    def unlinked(self, attrs):
        """The numbers of the operands that torch's graph leaves out: their gradient is None, not zeros."""
        return ()

    def undefined(self, operands, attrs):
        """The numbers of the operands that torch's graph has, but sends None. operands: Avals, numbers, None."""
        return ()

    def across(self, attrs):
        """The several devices that a call needs (see meshes.py), or None."""
        return None

    def compute(self, operands, attrs):
        """The NumPy dtype that tensor operands are cast to, or None. operands: (dtype, ndim), (type, None), None."""
        return None

    def call(self, ins, attrs, compute):
        """The outputs, as a tuple of arrays. ins: arrays, numbers or None in the order of the recorded parameters."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it computes")

    def traced(self, ins, attrs, compute):
        """As call, for tracers of a JAX transform, which is to find the gradient that the op has here."""
        return self.call(ins, attrs, compute)

    def pushforward(self, ins, attrs, compute, tangents, moves):
        """The tangents of the floating results, from those of the operands marked in moves."""

        def forward(*moving):
            outs = self.call(mixed(ins, moves, moving), attrs, compute)
            return tuple(o for o in outs if jnp.issubdtype(o.dtype, jnp.inexact))

        return jax.jvp(forward, tuple(x for x, m in zip(ins, moves, strict=True) if m), tuple(tangents))[1]

    def called(self, ins, attrs, compute):
        """As call, for gradients."""
        return self.call(ins, attrs, compute)

    def pullback(self, ins, attrs, compute, cotangents, needs, results):
        """Gradients of the operands marked in needs, as a tuple. A cotangent of None stands for zeros."""
        if not any(needs):
            return ()

        def forward(*wanted):
            return self.called(mixed(ins, needs, wanted), attrs, compute)

        outs, pull = jax.vjp(forward, *(x for x, n in zip(ins, needs, strict=True) if n))
        grads = pull(tuple(conjugated(cotangent_of(ct, out)) for ct, out in zip(cotangents, outs, strict=True)))
        return tuple(conjugated(g) for g in grads)


def mixed(operands, places, given):
    """The operands, with what is given in the marked places."""
    rest = iter(given)
    return tuple(next(rest) if here else x for x, here in zip(operands, places, strict=True))


def conjugated(x):
    """A gradient of JAX's as torch has it, or the other way: where it is complex, its conjugate."""
    return jnp.conj(x) if jnp.issubdtype(x.dtype, jnp.complexfloating) else x


def cotangent_of(cotangent, out):
    """The cotangent of a result as JAX wants it: zeros for None, of its dtype, float0 where that is no float."""
    if not jnp.issubdtype(out.dtype, jnp.inexact):
        return np.zeros(out.shape, jax.dtypes.float0)
    return jnp.zeros_like(out) if cotangent is None else cotangent.astype(out.dtype)


SAVED = "saved"


class Vjp(Recordable):
    """The gradient of an op, itself recorded (and differentiated again for double backward).

    ins: the cotangents that are there, then the operands that were saved, then the results that were saved.
    attrs: (attrs and compute dtype of the forward, layout, needs, which cotangents are there, results saved?).
    The layout has, per operand, SAVED, None, or the aval of an operand whose value the gradient does not read.
    """

    def __init__(self, op):
        self.op = op
        self.name = f"{op.name}_vjp"
        self.grad_name = class_name(f"{op.name}_backward")
        self.lift = op.lift

    def told(self):
        return (self.op,)

    def across(self, attrs):
        return self.op.across(attrs[0])

    def call(self, ins, attrs, compute):
        fwd_attrs, fwd_compute, layout, needs, present, with_results = attrs
        given = iter(ins)
        cotangents = tuple(next(given) if here else None for here in present)
        operands = tuple(next(given) if at is SAVED else _blank(at) for at in layout)
        results = tuple(given) if with_results else None
        return tuple(self.op.pullback(operands, fwd_attrs, fwd_compute, cotangents, needs, results))


def _blank(aval):
    return None if aval is None else jnp.zeros(aval.shape, aval.dtype.numpy)


def class_name(name):
    """The class that torch gives the grad_fn of an op: AddmmBackward0 for addmm."""
    return "".join(part.capitalize() for part in name.strip("_").split("_")) + "Backward0"
