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
from jtorch.nn.modules.module import Module
from jtorch.nn.parameter import Parameter
from jtorch.nn.utils.stateless import _reparametrize_module
from jtorch.recordable import Recordable
from jtorch.rng.keys import drawing_from

__all__ = ["as_jax", "export_module", "from_jax", "to_jax", "to_torch"]


def _is_array(x):
    """Whether a leaf becomes a Tensor: a jax.Array, tracer or NumPy array, but not JAX's typed random keys."""
    return isinstance(x, np.ndarray) or (isinstance(x, jax.Array) and not _is_key(x))


def _is_key(x):
    return isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.extended)


def to_jax(tree):
    """The same tree with a jax.Array for each Tensor: the same memory, which jtorch from now on never gives away.

    What is pending runs. Memory that is shared with NumPy is copied, since NumPy may write to it.
    """
    return jax.tree.map(lambda x: _array(x) if isinstance(x, Tensor) else x, tree, is_leaf=_is_tensor)


def to_torch(tree):
    """The same tree with a Tensor for each jax.Array, tracer or NumPy array, on the memory of the array.

    Typed random keys stay what they are.
    """
    return jax.tree.map(lambda x: _tensor_of(x) if _is_array(x) else x, tree, is_leaf=_is_tensor)


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
        leaves = [at.of(next(given)) if isinstance(at, _Array) else at for at in rest]
        args, kwargs = jax.tree.unflatten(structure, leaves)
        outs, form = jax.tree.flatten(self.fn(*args, **kwargs))
        self.forms[attrs, _seen(ins)] = form
        return tuple(jnp.asarray(out) for out in outs)


class _Array:
    """Stands among what is no array for an array, or for a random key of an implementation."""

    def __init__(self, impl=None):
        self._impl = impl

    def __eq__(self, other):
        return isinstance(other, _Array) and self._impl == other._impl

    def __hash__(self):
        return hash((_Array, self._impl))

    def of(self, array):
        """What the function is given for the array that the call has."""
        return array if self._impl is None else jax.random.wrap_key_data(array, impl=self._impl)


def _seen(arrays):
    return tuple((tuple(x.shape), np.dtype(x.dtype)) for x in arrays)


def from_jax(fn):
    """A JAX function as a function of Tensors: recorded like any op, differentiable as often as JAX differentiates it.

    Tensors and arrays anywhere in the arguments come to fn as arrays, arrays in its result go out as Tensors. All else
    is hashable and a part of the program: give a Tensor for what changes from call to call. Make it once: what is made
    anew for each call is compiled anew.
    """
    op = JaxFunction(fn)

    @functools.wraps(fn)
    def run(*args, **kwargs):
        leaves, structure = jax.tree.flatten((args, kwargs), is_leaf=_is_tensor)
        tensors = [_operand(x) for x in leaves if _is_tensor(x) or _is_array(x) or _is_key(x)]
        marks = tuple(map(_mark, leaves))
        attrs = (structure, marks)
        outs = apply(op, tensors, attrs)
        outs = outs if isinstance(outs, tuple) else (outs,)
        avals = tuple((aval(x).shape, aval(x).dtype.numpy) for x in tensors)
        return jax.tree.unflatten(op.forms[attrs, avals], outs)

    return run


def _operand(x):
    """A leaf as a Tensor: itself, or on the memory of an array or a key."""
    return to_torch(jax.random.key_data(x)) if _is_key(x) else to_torch(x)


def _mark(x):
    """What stands for a leaf in the attributes of a call."""
    if _is_key(x):
        return _Array(jax.random.key_impl(x))
    return _Array() if _is_tensor(x) or _is_array(x) else x


def export_module(module):
    """(a pure function, its parameters as a dict of arrays) of a module, for jax.jit, grad, vmap, shard_map and Optax.

    The function takes (params, *args, buffers=None, rng=None, **kwargs) and returns what the module does. With buffers
    (`fn.buffers` has those of now) it returns (output, buffers afterwards): running statistics are state that goes in
    and comes out. rng: the JAX key of dropout and other draws. Train or eval is what each module is in now; parameters
    that do not require grad now get gradients of zero. The arrays are the module's own memory: donate copies. Raises
    TypeError for what is no module, ValueError for params or buffers of other names.
    """
    if not isinstance(module, Module):
        raise TypeError(f"export_module takes a torch.nn.Module, not {type(module).__name__}")
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
        _need_names("params", params, own)
        _need_names("buffers", known, call.buffers)
        # In a module's hands a buffer may be written to: it gets a copy of its own.
        out, after = pure(params, {name: jnp.asarray(b) for name, b in known.items()}, args, kwargs, rng=rng)
        return out if buffers is None else (out, after)

    call.buffers = buffers
    call.__name__ = call.__qualname__ = type(module).__name__
    return call, {name: _array(p) for name, p in own.items()}


def _need_names(what, given, wanted):
    """Raise ValueError unless a dict has just these names."""
    names = set(given)
    if names != set(wanted):
        missing, unknown = sorted(set(wanted) - names), sorted(map(str, names - set(wanted)))
        raise ValueError(f"{what} must have the names that export_module gave: missing {missing}, unknown {unknown}")


def _set_flags(module, flags):
    for name, m in module.named_modules():
        if name in flags and m.training != flags[name]:
            m.training = flags[name]


def _content(tensor):
    held = tensor._storage
    return held.value if type(held) is _Held else _array(tensor)


def _flatten(tensor):
    return (_content(tensor),), None


def _flatten_with_keys(tensor):
    return ((jax.tree_util.GetAttrKey("data"), _content(tensor)),), None


def _flatten_parameter(parameter):
    return (_content(parameter),), parameter._rg


def _flatten_parameter_with_keys(parameter):
    return _flatten_with_keys(parameter)[0], parameter._rg


class _Held(Storage):
    """What a Tensor that JAX rebuilt holds when that is no array."""

    def __init__(self, value):
        super().__init__(Ref(aval_of((), dtypes.float32, devices.META)))
        self.value = value


def _unflatten(_, children):
    (child,) = children
    if _is_array(child):
        return _tensor_of(child)
    t = object.__new__(Tensor)
    t._storage = _Held(child)
    return t


def _unflatten_parameter(requires_grad, children):
    found = _unflatten(None, children)
    if type(found._storage) is _Held:
        found.__class__ = Parameter
        found._rg = requires_grad
        return found
    return Parameter(found, requires_grad=requires_grad and aval(found).dtype.category >= dtypes.FLOAT)


jax.tree_util.register_pytree_with_keys(Tensor, _flatten_with_keys, _unflatten, _flatten)
jax.tree_util.register_pytree_with_keys(
    Parameter, _flatten_parameter_with_keys, _unflatten_parameter, _flatten_parameter
)


Tensor.__jax_array__ = _array  # JAX's functions take a Tensor as an operand
