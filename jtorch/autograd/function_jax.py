"""A Function inside a JAX transform: the same forward and backward as a jax.custom_vjp, or jvp as a jax.custom_jvp."""

import jax
import jax.numpy as jnp
import numpy as np

from jtorch import _tensor, dtypes, modes
from jtorch._tensor import Tensor, read
from jtorch.autograd.apply import filled
from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.inplace import store
from jtorch.engine.ref import of_array


class _Kept:
    """What forward left on ctx: its tensors as arrays (the leaves), everything else as it is."""

    def __init__(self, arrays, rest):
        self.arrays = arrays
        self.rest = rest


jax.tree_util.register_pytree_node(_Kept, lambda k: (k.arrays, k.rest), lambda rest, arrays: _Kept(arrays, rest))


class _Rest:
    """The part of a ctx that is no array; two are equal only if they are the same."""

    def __init__(self, tree, leaves):
        self.tree = tree
        self.leaves = leaves  # a Tensor's device stands for the Tensor


class _Device:
    def __init__(self, device):
        self.device = device


def _pack(ctx):
    """The members of a ctx, its tensors as arrays."""
    members = dict(ctx.__dict__)
    leaves, tree = jax.tree_util.tree_flatten(members, is_leaf=lambda x: isinstance(x, Tensor) or x is None)
    arrays = [_array(x) for x in leaves if isinstance(x, Tensor)]
    rest = [_Device(_tensor.aval(x).device) if isinstance(x, Tensor) else x for x in leaves]
    return _Kept(arrays, _Rest(tree, rest))


def _unpack(cls, kept):
    """A ctx with the members that _pack() took."""
    ctx = cls._backward_cls()
    given = iter(kept.arrays)
    leaves = [_wrapped(next(given), x.device) if type(x) is _Device else x for x in kept.rest.leaves]
    ctx.__dict__.update(jax.tree_util.tree_unflatten(kept.rest.tree, leaves))
    return ctx


def _array(tensor):
    ref = read(tensor)
    return ref.value if ref.value is not None else _tensor.value(tensor)


def _wrapped(array, device):
    return _tensor.wrap(of_array(array, device))


class _Call:
    """One call: its arguments with the tensors taken out, and, once forward has run, what its outputs are."""

    def __init__(self, cls, args, pushes):
        self.cls = cls
        self.args = args
        self.pushes = pushes  # whether there is a jvp and no backward
        self.places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
        self.devices = [_tensor.aval(args[i]).device for i in self.places]
        self.single = True
        self.outputs = []  # per output a device for a tensor, or the value itself
        self.written = {}  # output -> the argument that it is, written to in place

    def run(self, arrays):
        """Run the user's forward on arrays: (ctx, output arrays)."""
        tensors = [_wrapped(a, d) for a, d in zip(arrays, self.devices, strict=True)]
        args = list(self.args)
        for i, t in zip(self.places, tensors, strict=True):
            t._rg = _tensor.aval(t).dtype.category >= dtypes.FLOAT
            args[i] = t
        ctx = self.cls._backward_cls()
        ctx.note_inputs(args)
        # JAX takes the custom gradient, and that of the residuals by itself.
        before, modes.local.stops = modes.local.stops, False
        try:
            with no_grad():
                result = self.cls.run_forward(ctx, tuple(args))
        finally:
            modes.local.stops = before
        self.single = not isinstance(result, tuple)
        outs = (result,) if self.single else result
        self.outputs = [_Device(_tensor.aval(o).device) if isinstance(o, Tensor) else o for o in outs]
        ctx.outs = tuple(_tensor.aval(o) if isinstance(o, Tensor) else None for o in outs)
        dirty = {id(t) for t in ctx.dirty_tensors}
        place_of = {id(args[i]): i for i in self.places}
        self.written = {n: place_of[id(o)] for n, o in enumerate(outs) if id(o) in dirty & place_of.keys()}
        constant = {id(t) for t in ctx.non_differentiable}
        found = [
            jax.lax.stop_gradient(_array(o)) if id(o) in constant else _array(o) for o in outs if isinstance(o, Tensor)
        ]
        if not self.pushes:
            ctx.saved_for_forward = ctx.to_save
        ctx.to_save = ctx.dirty_tensors = ctx.non_differentiable = ()
        return ctx, found

    def push(self, arrays, tangents):
        """Run the user's forward and jvp on arrays: (output arrays, a tangent for each)."""
        ctx, outs = self.run(arrays)
        given = [None] * len(self.args)
        for i, array, tangent, device in zip(self.places, arrays, tangents, self.devices, strict=True):
            if tangent.dtype != jax.dtypes.float0:
                given[i] = _wrapped(tangent, device)
            elif ctx.materialize_grads:
                given[i] = _wrapped(jnp.zeros(array.shape, array.dtype), device)
        pushed = self.cls.jvp(ctx, *given)
        pushed = pushed if isinstance(pushed, tuple) else (pushed,)
        pushed = [t for t, out in zip(pushed, self.outputs, strict=True) if type(out) is _Device]
        return outs, [_tangent(t, out) for t, out in zip(pushed, outs, strict=True)]

    def pull(self, kept, cotangents):
        """Run the user's backward on arrays: a cotangent per tensor argument."""
        ctx = _unpack(self.cls, kept)
        given = iter(cotangents)
        grads = []
        for out, a in zip(self.outputs, ctx.outs, strict=True):
            if a is None:
                grads.append(None)
                continue
            ct = next(given)
            if a.dtype.category < dtypes.FLOAT:
                grads.append(filled(a, 0) if ctx.materialize_grads else None)
            else:
                grads.append(_wrapped(ct, out.device))
        ctx.slots = tuple(self.places)
        found = ctx.gradients(grads)
        return tuple(_cotangent(g, ctx.arguments[i]) for g, i in zip(found, self.places, strict=True))


def _tangent(tangent, out):
    if not jnp.issubdtype(out.dtype, jnp.inexact):
        return np.zeros(out.shape, jax.dtypes.float0)
    return jnp.zeros(out.shape, out.dtype) if tangent is None else _array(tangent)


def _cotangent(gradient, aval):
    if aval.dtype.category < dtypes.FLOAT:
        return np.zeros(aval.shape, jax.dtypes.float0)
    return jnp.zeros(aval.shape, aval.dtype.numpy) if gradient is None else _array(gradient)


def apply(cls, args, pushes):
    """Function.apply on tensors of JAX tracers. pushes: whether the class has a jvp and no backward."""
    call = _Call(cls, args, pushes)
    arrays = [_array(args[i]) for i in call.places]
    run = (_pushed if pushes else _pulled)(call)
    found = iter(run(*arrays))
    outs = []
    for n, out in enumerate(call.outputs):
        if type(out) is not _Device:
            outs.append(out)
        elif n in call.written:
            target = args[call.written[n]]
            store(target, of_array(next(found), out.device))
            outs.append(target)
        else:
            outs.append(_wrapped(next(found), out.device))
    return outs[0] if call.single else tuple(outs)


def _pulled(call):
    @jax.custom_vjp
    def run(*arrays):
        return call.run(arrays)[1]

    def forward(*arrays):
        ctx, outs = call.run(arrays)
        return outs, _pack(ctx)

    run.defvjp(forward, call.pull)
    return run


def _pushed(call):
    @jax.custom_jvp
    def run(*arrays):
        return call.run(arrays)[1]

    run.defjvp(call.push)
    return run
