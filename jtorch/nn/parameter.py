"""Tensors that a Module registers: Parameter, Buffer, and their forms whose shape is not known yet."""

from collections import OrderedDict
from typing import Any, Self

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, _TensorMeta, alias, aval, from_host, require_grad
from jtorch.api.overriding import disabled

__all__ = [
    "Parameter",
    "UninitializedParameter",
    "is_lazy",
    "Buffer",
    "UninitializedBuffer",
    "UninitializedTensorMixin",
]


def _nothing():
    return from_host(np.empty(0, dtypes.Default.float.numpy))


class _ParameterMeta(_TensorMeta):
    # torch: a Parameter of a tensor subclass is an instance of that class with a mark on it.
    def __instancecheck__(cls, instance):
        if super().__instancecheck__(instance):
            return True
        return cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that is a module's parameter as soon as it is assigned to one. It shares memory with `data`.

    Shape: that of `data`; nothing given makes an empty one.
    Raises: RuntimeError when it is to require grad and its dtype is an integer one.
    """

    _is_param = True  # torch: isinstance and repr go by it
    __torch_function__ = disabled

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        data = _nothing() if data is None else data
        if type(data) is not Tensor and not isinstance(data, Parameter):
            return _of_subclass(data, requires_grad)
        parameter = alias(data if isinstance(data, Tensor) else data.detach(), cls)
        if requires_grad:
            if aval(parameter).dtype.category < dtypes.FLOAT:
                raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
            require_grad(parameter)
        return parameter

    def __deepcopy__(self, memo):
        found = memo.get(id(self))
        if found is None:
            # torch: the gradient and the user's attributes are not copied.
            found = memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return found

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"

    def __reduce_ex__(self, protocol):
        state = dict(vars(self))
        rebuilt = (self.data, self.requires_grad, OrderedDict())
        if state:
            return _rebuild_parameter_with_state, (*rebuilt, state)
        return _rebuild_parameter, rebuilt


Parameter.__module__ = "torch.nn.parameter"  # as the class Tensor, it prints as torch's


def _of_subclass(data, requires_grad) -> Any:
    """A Parameter of a custom tensor: what its detach() gives, marked."""
    made = data.detach().requires_grad_(requires_grad)
    if type(made) is not type(data):
        raise RuntimeError(
            f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns an "
            f"instance of the same type, but return type {type(made).__name__} was found instead. To use the type as a "
            "Parameter, please correct the detach() semantics defined by its __torch_dispatch__() implementation."
        )
    made._is_param = True
    return made


def _rebuild_parameter(data, requires_grad, backward_hooks):
    """What a pickled Parameter is made from again; hooks are not pickled."""
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    parameter = Parameter(data, requires_grad)
    vars(parameter).update(state)
    return parameter


class _BufferMeta(_TensorMeta):
    # torch: a buffer is a plain Tensor with a mark on it.
    def __instancecheck__(cls, instance):
        if super().__instancecheck__(instance):
            return True
        return cls is Buffer and isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that is a module's buffer as soon as it is assigned to one; `persistent` puts it into the state dict."""

    __torch_function__ = disabled

    def __new__(cls, data=None, *, persistent=True):
        data = _nothing() if data is None else data
        buffer = alias(data)
        if data.requires_grad:
            require_grad(buffer)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


_UNINITIALIZED = (
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` "
    "when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the "
    "parameters before accessing their attributes."
)


def _fact(name):
    """A property that is read off the stand-in."""
    return property(lambda self: getattr(self._stand_in(), name))


def _act(name):
    """A method that is called on the stand-in."""
    return lambda self, *args, **kwargs: getattr(self._stand_in(), name)(*args, **kwargs)


class UninitializedTensorMixin:
    """A tensor without shape and values until `materialize` gives it both.

    What says or changes its dtype and device goes by a tensor without elements, which stands in for it.
    """

    cls_to_become: type
    grad_fn = None  # a module asks for it before it registers a parameter
    is_leaf = True
    device, dtype, is_cuda, is_meta = map(_fact, ("device", "dtype", "is_cuda", "is_meta"))
    is_floating_point, is_complex, get_device, size = map(
        _act, ("is_floating_point", "is_complex", "get_device", "size")
    )
    to, half, float, double, cpu, cuda = map(_act, ("to", "half", "float", "double", "cpu", "cuda"))

    def _stand_in(self):
        return from_host(np.empty(0, self._dtype.numpy), device=self._device)

    @property
    def data(self):
        """The stand-in; to set it sets device and dtype."""
        return self._stand_in()

    @data.setter
    def data(self, value):
        self._device, self._dtype = value.device, value.dtype

    @property
    def _storage(self):
        # Every op reads the storage first, so this is where they all end.
        raise ValueError(
            "Attempted to use an uninitialized parameter. This error happens when you are using a `LazyModule` or "
            f"explicitly manipulating `torch.nn.parameter.{type(self).__name__}` objects. When using LazyModules "
            "Call `forward` with a dummy batch to initialize the parameters before calling torch functions"
        )

    @property
    def shape(self):
        """Raises RuntimeError: there is none yet."""
        raise RuntimeError(_UNINITIALIZED)

    def materialize(self, shape, device=None, dtype=None):
        """Become an ordinary parameter or buffer of this shape, its values unspecified."""
        device = self._device if device is None else device
        dtype = self._dtype if dtype is None else dtype
        made = from_host(np.zeros(shape, dtype.numpy), device=device)
        self.__class__ = self.cls_to_become
        self._storage = made._storage

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo):
        found = memo.get(id(self))
        if found is None:
            found = memo[id(self)] = self.__copy__()
        return found

    def __copy__(self):
        return type(self)(self.requires_grad, self._device, self._dtype)

    def __reduce_ex__(self, protocol):
        return type(self), (self.requires_grad, self._device, self._dtype)


def _lazy(cls, requires_grad, device, dtype):
    made = object.__new__(cls)
    made._device = device
    made._dtype = dtypes.Default.float if dtype is None else dtype
    made._rg = requires_grad
    return made


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter that gets its shape later, from the first batch that a lazy module sees."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return _lazy(cls, requires_grad, device, dtype)


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer that gets its shape later, from the first batch that a lazy module sees."""

    cls_to_become = Tensor
    __torch_function__ = disabled

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        made = _lazy(cls, requires_grad, device, dtype)
        made.persistent = persistent
        made._is_buffer = True
        return made


def is_lazy(param):
    """Whether a parameter or buffer still waits for its shape."""
    return isinstance(param, UninitializedTensorMixin)
