"""The base of tensors that say what they are: what comes out of a call on one is a plain tensor."""

from jtorch._tensor import Tensor, aval
from jtorch.api.construct import as_tensor
from jtorch.api.overriding import DisableTorchFunctionSubclass, disabled, take_over


class _Kept:
    """Whether calls give tensors of the same class."""

    subclass = False


class TVTensor(Tensor):
    """A tensor that says what it is. Only clone, to, detach, requires_grad_ and pin_memory keep the class.

    The classes take calls over from the first such tensor on, so that a program without one pays nothing.
    """

    __torch_function__ = disabled

    @staticmethod
    def _to_tensor(data, dtype=None, device=None, requires_grad=None):
        if requires_grad is None:
            requires_grad = data.requires_grad if isinstance(data, Tensor) else False
        with DisableTorchFunctionSubclass():
            return as_tensor(data, dtype=dtype, device=device).requires_grad_(requires_grad)

    @classmethod
    def wrap(cls, tensor, like, **kwargs):
        """A tensor as one of this class, as another is."""
        return tagged(tensor, cls)

    @classmethod
    def _wrap_output(cls, output, args=(), kwargs=None):
        if isinstance(output, (tuple, list)):
            return type(output)(cls._wrap_output(part, args, kwargs) for part in output)
        return tagged(output, cls) if isinstance(output, Tensor) and not isinstance(output, cls) else output

    def _make_repr(self, **kwargs):
        with DisableTorchFunctionSubclass():
            text = Tensor.__repr__(self)
        return f"{text[:-1]}, {', '.join(f'{key}={value}' for key, value in kwargs.items())})"

    @property
    def shape(self):
        """The sizes."""
        with DisableTorchFunctionSubclass():
            return super().shape

    @property
    def ndim(self):
        """How many dims."""
        return aval(self).ndim

    @property
    def device(self):
        """Where it lies."""
        return aval(self).device

    @property
    def dtype(self):
        """The type of its numbers."""
        return aval(self).dtype

    def __deepcopy__(self, memo):
        return self.detach().clone().requires_grad_(self.requires_grad)


_KEPT = (Tensor.clone, Tensor.to, Tensor.detach, Tensor.requires_grad_, Tensor.pin_memory)


def _torch_function(cls, func, types, args=(), kwargs=None):
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        output = func(*args, **(kwargs or {}))
    if _Kept.subclass or (func in _KEPT and isinstance(args[0], cls)):
        return cls._wrap_output(output, args, kwargs)
    return plain(output) if isinstance(output, cls) else output


def tagged(tensor, cls):
    """The memory of a tensor as one of a class, which takes calls over from now on."""
    take_over(TVTensor, _torch_function)
    with DisableTorchFunctionSubclass():
        return tensor.as_subclass(cls)


def plain(tensor):
    """The memory of a tensor as a plain one."""
    with DisableTorchFunctionSubclass():
        return tensor.as_subclass(Tensor)


def wrap(wrappee, *, like, **kwargs):
    """A tensor as what another is. kwargs: what is other than with that."""
    return type(like).wrap(wrappee, like, **kwargs)


class _Return:
    def __init__(self, before):
        self._before = before

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        _Kept.subclass = self._before


def set_return_type(return_type: str):
    """Whether calls give plain tensors ("Tensor") or the class that they were called on ("TVTensor").

    For all that follows, or as a context manager. Raises ValueError for anything else.
    """
    before = _Kept.subclass
    try:
        _Kept.subclass = {"tensor": False, "tvtensor": True}[return_type.lower()]
    except KeyError:
        raise ValueError(f"return_type must be 'TVTensor' or 'Tensor', got {return_type}") from None
    return _Return(before)
