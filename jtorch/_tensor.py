"""What a Tensor holds: a storage, perhaps a view of it, its place in the graph. api/ puts methods on it."""

from collections.abc import Mapping, MutableMapping

import numpy as np

from jtorch import devices, dtypes, meshes, modes
from jtorch.engine import flush, trace
from jtorch.engine.ref import Ref, of_array
from jtorch.engine.storage import InferenceStorage, Storage, infer
from jtorch.shapes import contiguous_strides


class View:
    """How a tensor looks at a storage: a chain of view ops, and the sizes and strides that torch would have.

    steps: ((op, numbers, attrs), ...) from the storage's value to this one. base: the tensor it is a differentiable
    view of, or None. source: the storage's Ref for which `ref` was read. graph: the storage's graph count for which
    the tensor's grad_fn holds. made: what forbids in-place ops on it with grad mode on (NO_GRAD, INFERENCE, MULTI,
    CUSTOM), or None.
    """

    __slots__ = ("steps", "strides", "offset", "base", "source", "ref", "graph", "made")

    NO_GRAD, INFERENCE, MULTI, CUSTOM = "no_grad", "inference", "multi", "custom"

    def __init__(self, steps, strides, offset, base, source, ref, graph, made=None):
        self.steps = steps
        self.strides = strides
        self.offset = offset
        self.base = base
        self.source = source
        self.ref = ref
        self.graph = graph
        self.made = made


class TensorBase:
    """torch._C.TensorBase: the class above Tensor; its `__dict__` is the real one, of all that a tensor holds."""


everything = TensorBase.__dict__["__dict__"].__get__  # the real `__dict__` of a tensor
_OWN = frozenset(
    "_storage _view _grad _grad_fn _out_nr _rg _hooks _retains _apart _tangent _layout".split()
)  # what the core keeps on a tensor


class Attributes(MutableMapping):
    """`tensor.__dict__`: what the user, or a subclass, put on a tensor, without what the core keeps there."""

    __slots__ = ("_all",)

    def __init__(self, everything):
        self._all = everything

    def __getitem__(self, name):
        if name in _OWN:
            raise KeyError(name)
        return self._all[name]

    def __setitem__(self, name, value):
        self._all[name] = value

    def __delitem__(self, name):
        if name in _OWN:
            raise KeyError(name)
        del self._all[name]

    def __iter__(self):
        return iter([name for name in self._all if name not in _OWN])

    def __len__(self):
        return len(list(iter(self)))

    def __repr__(self):
        return repr(dict(self))

    def __reduce__(self):
        return dict, (dict(self),)

    def copy(self):
        """A dict of them."""
        return dict(self)

    __copy__ = copy


def _given(tensor):
    return Attributes(everything(tensor))


def _give(tensor, given):
    if not isinstance(given, Mapping):
        raise TypeError(f"__dict__ must be set to a dictionary, not a '{type(given).__name__}'")
    own, given = Attributes(everything(tensor)), dict(given)
    own.clear()
    own.update(given)


class _TensorMeta(type):
    """The class of Tensor and its subclasses; each has the `__dict__` of its own, before that of a class mixed in."""

    def __new__(mcs, name, bases, namespace, **kwargs):
        return super().__new__(mcs, name, bases, {**namespace, "__dict__": property(_given, _give)}, **kwargs)


class Tensor(TensorBase, metaclass=_TensorMeta):
    """torch.Tensor: a multi-dimensional array of one dtype on one device."""

    _view = None
    _grad = None
    _grad_fn = None
    _out_nr = 0
    _rg = False  # requires_grad
    _hooks = None
    _retains = False
    _apart = None  # of a tensor made by `.data`: its own count of writes


Tensor.__module__, TensorBase.__module__, _TensorMeta.__module__ = "torch", "torch._C", "torch._C"


def wrap(ref) -> Tensor:
    """A Tensor of its own on a Ref."""
    t = object.__new__(Tensor)
    t._storage = Storage(ref)
    if modes.rare:
        if modes.local.inference:
            infer(t._storage)
        t._storage.born = modes.local.level
    return t


def alias(tensor, cls=Tensor):
    """A tensor on the same storage and view, outside the graph."""
    t = object.__new__(cls)
    t._storage = tensor._storage
    v = tensor._view
    if v is not None:
        t._view = View(v.steps, v.strides, v.offset, None, v.source, v.ref, 0)
    return t


def record(op, attrs, ins, device):
    """Record a call, or run it at once when an operand is a JAX tracer: (Refs, Signature)."""
    try:
        return trace.record(op, attrs, ins, device)
    except trace.Inline:
        return trace.run_inline(op, attrs, ins, device)


def read(tensor):
    """The Ref of a tensor's current value."""
    view = tensor._view
    source = tensor._storage.ref
    if view is None:
        return source
    if view.source is not source:
        ref = source
        for op, numbers, attrs in view.steps:
            ref = record(op, attrs, (ref, *numbers), ref.aval.device)[0][0]
        view.source, view.ref = source, ref
    return view.ref


def aval(tensor):
    """The Aval (shape, dtype, device) of a tensor."""
    view = tensor._view
    return tensor._storage.aval if view is None else view.ref.aval


def value(tensor):
    """The array of a tensor: runs what is pending."""
    return flush.value(read(tensor))


def host(tensor):
    """A NumPy array of a tensor's values, not to be written to."""
    try:
        return np.asarray(value(tensor))
    except ValueError as error:  # a program fails when somebody looks at what it made
        found = meshes.Fault.explain(error)
        if found is None:
            raise
        raise found from error


def strides(tensor):
    """Strides in elements, as torch would have them."""
    view = tensor._view
    return contiguous_strides(aval(tensor).shape) if view is None else view.strides


def from_host(array, dtype=None, device=None, requires_grad=False) -> Tensor:
    """A Tensor of a NumPy array's values. The array is not copied and must not be written to afterwards.

    dtype: a jtorch dtype, or None to keep the array's. device: None is the default device.
    """
    array = np.asarray(array)
    if dtype is not None and array.dtype != dtype.numpy:
        array = array.astype(dtype.numpy)
    t = wrap(of_array(array, devices.get(device)))
    if t._storage.aval.device is devices.META:
        t._storage.ref.value = None
    if requires_grad:
        require_grad(t)
    return t


def from_array(array, device=devices.CPU) -> Tensor:
    """A Tensor of a JAX array or tracer."""
    return wrap(of_array(array, device))


class Made:
    """Whether leaves have been made by calls that have not run: those are no part of the first training step."""

    pending = False


def require_grad(tensor):
    """Make a leaf require grad. Raises RuntimeError for dtypes that can't, in torch's words."""
    if aval(tensor).dtype.category < dtypes.FLOAT:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    if isinstance(tensor._storage, InferenceStorage) and not modes.local.inference:
        raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
    tensor._rg = True
    if read(tensor).value is None:
        Made.pending = True


__all__ = [
    "Ref", "Tensor", "TensorBase", "View", "alias", "aval", "everything", "from_array", "from_host", "host", "read",
    "record", "require_grad", "strides", "value", "wrap",
]  # fmt: skip
