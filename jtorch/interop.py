"""The door to JAX: Tensors and arrays without copies, functions and modules on either side as the other side's."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, aval, read, wrap
from jtorch.autograd.apply import apply
from jtorch.autograd.grad_mode import enable_grad
from jtorch.engine import flush
from jtorch.engine.ref import Ref, of_array
from jtorch.engine.ref import aval as aval_of
from jtorch.engine.storage import SharedStorage, Storage
from jtorch.nn.parameter import Parameter
from jtorch.nn.utils.stateless import _reparametrize_module
from jtorch.recordable import Recordable
from jtorch.rng.keys import drawing_from

__all__ = ["as_jax", "export_module", "from_jax", "to_jax", "to_torch"]


_ARRAYS = (jax.Array, np.ndarray)


def to_jax(tree):
    """The same tree with a jax.Array for each Tensor: the same memory, which jtorch from now on never gives away.

    What is pending runs. Memory that is shared with NumPy is copied, since NumPy may write to it.
    """
    return jax.tree.map(lambda x: _array(x) if isinstance(x, Tensor) else x, tree, is_leaf=_is_tensor)


def to_torch(tree):
    """The same tree with a Tensor for each jax.Array, tracer or NumPy array, on the memory of the array."""
    return jax.tree.map(lambda x: _tensor_of(x) if isinstance(x, _ARRAYS) else x, tree, is_leaf=_is_tensor)


def _is_tensor(x):
    return isinstance(x, Tensor)


def _array(tensor):
    """The jax.Array, or tracer, of a Tensor."""
    ref = read(tensor)
    array = flush.value(ref)
    if isinstance(array, np.ndarray):
        array = devices.copied(array, ref.aval.device)
        if not isinstance(tensor._storage, SharedStorage):
            ref.value = array
    if not isinstance(array, jax.core.Tracer):
        flush.pin(array)
    return array


def _tensor_of(array):
    if isinstance(array, np.ndarray):
        array = jnp.asarray(array)
    if isinstance(array, jax.core.Tracer):
        place = devices.of_jax(jax.devices()[0])
    else:
        flush.pin(array)
        place = devices.of_jax(next(iter(array.devices())))
    return wrap(of_array(array, place))


def as_jax(fn):
    """A function of Tensors as a pure function of arrays, which jax.jit, grad, vmap and shard_map take.

    Arrays in its arguments come to fn as Tensors, Tensors in its result go out as arrays. rng: a JAX key that random
    numbers are drawn from; without it a draw inside a JAX transform raises RuntimeError, since it would be a constant.
    """

    @functools.wraps(fn)
    def run(*args, rng=None, **kwargs):
        args, kwargs = to_torch((args, kwargs))
        with drawing_from(rng, _is_traced((args, kwargs))):
            return to_jax(fn(*args, **kwargs))

    return run


def _is_traced(tree):
    leaves = jax.tree.leaves(tree, is_leaf=_is_tensor)
    return any(isinstance(x, Tensor) and isinstance(read(x).value, jax.core.Tracer) for x in leaves)


class JaxFunction(Recordable):
    """A JAX function as a recorded call. attrs: (structure of its arguments, those that are no arrays)."""

    lift = False

    def __init__(self, fn):
        self.fn = fn
        self.name = getattr(fn, "__name__", type(fn).__name__).strip("<>")
        self.grad_name = f"{self.name.title().replace('_', '')}Backward"
        self.forms = {}  # attributes and avals of a call -> the structure of its result

    def call(self, ins, attrs, compute):
        structure, statics = attrs
        given, rest = iter(ins), iter(statics)
        leaves = [next(given) if at is _ARRAY else at for at in rest]
        args, kwargs = jax.tree.unflatten(structure, leaves)
        outs, form = jax.tree.flatten(self.fn(*args, **kwargs))
        self.forms[attrs, _seen(ins)] = form
        return tuple(jnp.asarray(out) for out in outs)


class _Array:
    """Stands among what is no array for an array."""


_ARRAY = _Array()


def _seen(arrays):
    return tuple((tuple(x.shape), np.dtype(x.dtype)) for x in arrays)


def from_jax(fn):
    """A JAX function as a function of Tensors: recorded like any op, differentiable as often as JAX differentiates it.

    Tensors and arrays anywhere in the arguments come to fn as arrays, arrays in its result go out as Tensors. All else
    is hashable and a part of the program: give a Tensor for what changes from call to call.
    """
    op = JaxFunction(fn)

    @functools.wraps(fn)
    def run(*args, **kwargs):
        leaves, structure = jax.tree.flatten((args, kwargs), is_leaf=_is_tensor)
        tensors = [to_torch(x) for x in leaves if isinstance(x, (Tensor, *_ARRAYS))]
        marks = tuple(_ARRAY if isinstance(x, (Tensor, *_ARRAYS)) else x for x in leaves)
        attrs = (structure, marks)
        outs = apply(op, tensors, attrs)
        outs = outs if isinstance(outs, tuple) else (outs,)
        avals = tuple((aval(x).shape, aval(x).dtype.numpy) for x in tensors)
        return jax.tree.unflatten(op.forms[attrs, avals], outs)

    return run


def export_module(module):
    """(a pure function, its parameters as a dict of arrays) of a module, for jax.jit, grad, vmap, shard_map and Optax.

    The function takes (params, *args, buffers=None, rng=None, **kwargs) and returns what the module does. With buffers
    (`fn.buffers` has those of now) it returns (output, buffers afterwards): running statistics are state that goes in
    and comes out. rng: the JAX key of dropout and other draws. Train or eval is what each module is in now; parameters
    that do not require grad now get gradients of zero.
    """
    flags = {name: m.training for name, m in module.named_modules()}
    own = dict(module.named_parameters())
    frozen = {name for name, p in own.items() if not p.requires_grad}
    buffers = {name: _array(b) for name, b in module.named_buffers()}

    def run(params, buffers, args, kwargs):
        given = {name: p.detach() if name in frozen else p for name, p in params.items()} | buffers
        before = {name: m.training for name, m in module.named_modules()}
        _set_flags(module, flags)
        try:
            with _reparametrize_module(module, given, tie_weights=True), enable_grad():
                out = module(*args, **kwargs)
        finally:
            _set_flags(module, before)
        return out, {name: given[name] for name in buffers}

    pure = as_jax(run)

    def call(params, *args, buffers=None, rng=None, **kwargs):
        known = call.buffers if buffers is None else buffers
        # In a module's hands a buffer may be written to: it gets a copy of its own.
        out, after = pure(params, {name: jnp.asarray(b) for name, b in known.items()}, args, kwargs, rng=rng)
        return out if buffers is None else (out, after)

    call.buffers = buffers
    call.__name__ = call.__qualname__ = type(module).__name__
    return call, {name: _array(p) for name, p in own.items()}


def _set_flags(module, flags):
    for name, m in module.named_modules():
        if name in flags and m.training != flags[name]:
            m.training = flags[name]


def _flatten(tensor):
    held = tensor._storage
    return ((held.value if type(held) is _Held else _array(tensor),), None)


class _Held(Storage):
    """What a Tensor that JAX rebuilt holds when that is no array."""

    def __init__(self, value):
        super().__init__(Ref(aval_of((), dtypes.float32, devices.META)))
        self.value = value


def _unflatten(_, children):
    (child,) = children
    if isinstance(child, _ARRAYS):
        return _tensor_of(child)
    t = object.__new__(Tensor)
    t._storage = _Held(child)
    return t


for _cls in (Tensor, Parameter):
    jax.tree_util.register_pytree_node(_cls, _flatten, _unflatten)
