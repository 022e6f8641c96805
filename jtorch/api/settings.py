"""Constants and settings of the torch namespace: layouts, memory formats, numeric limits, threads."""

import math
import os
import types

import ml_dtypes
import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval
from jtorch.api.put import FUNCTIONS, attribute, function
from jtorch.api.types import type_string
from jtorch.errors import bad_argument, type_name


class _Named:
    """A constant that prints by its name in torch."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return (constant, (self.name,))


class layout(_Named):
    """torch.layout: how elements lie in memory. Tensors here are `strided`, or `sparse_coo`."""


class memory_format(_Named):
    """torch.memory_format: accepted wherever torch takes one; XLA chooses its own layouts."""


layout.__module__ = memory_format.__module__ = "torch"
_CONSTANTS = {
    n: layout(n) for n in ("strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged")
}
_CONSTANTS |= {
    n: memory_format(n) for n in ("contiguous_format", "preserve_format", "channels_last", "channels_last_3d")
}
FUNCTIONS.update(_CONSTANTS, layout=layout, memory_format=memory_format)


def constant(name):
    """The layout or memory format of a name."""
    return _CONSTANTS[name]


Tensor.layout = property(lambda self: _CONSTANTS["strided"], doc="How the elements lie: strided.")
Tensor.is_sparse = Tensor.is_quantized = Tensor.is_nested = Tensor.is_mkldnn = False


@attribute
def is_cpu(self):
    """Whether the values lie on the CPU."""
    return self.device.type == "cpu"


class _Info:
    __slots__ = ("bits", "dtype", "max", "min")

    def __setattr__(self, name, value):
        if name in dir(self):
            raise AttributeError(f"attribute '{name}' of 'torch.{type(self).__name__}' objects is not writable")
        raise AttributeError(f"'torch.{type(self).__name__}' object has no attribute '{name}'")

    def _hold(self, **limits):
        for name, value in limits.items():
            object.__setattr__(self, name, value)

    def __reduce__(self):
        return (type(self), (dtypes.by_name(self.dtype),))

    def __eq__(self, other):
        return type(self) is type(other) and self.dtype == other.dtype

    def __hash__(self):
        return hash((type(self).__name__, self.dtype))


class finfo(_Info):
    """Limits of a floating dtype, or of a complex one's parts: bits, eps, max, min, resolution, smallest_normal, tiny.

    Raises TypeError for other dtypes.
    """

    __slots__ = ("eps", "resolution", "smallest_normal", "tiny")

    def __init__(self, *args, **kwargs):
        kind = _checked("finfo", args, kwargs, dtypes.Default.float)
        if kind.category < dtypes.FLOAT:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        kind = kind.to_real()
        found = ml_dtypes.finfo(kind.numpy)
        eps, tiny = float(found.eps), float(found.smallest_normal)
        if kind is dtypes.float8_e5m2fnuz:
            eps /= 2  # torch: half of the true step above 1
        resolution = float(f"1e-{int(-math.log10(eps))}")  # the decimal digits that always survive
        self._hold(
            dtype=kind.name, bits=kind.itemsize * 8, min=float(found.min), max=float(found.max), eps=eps, tiny=tiny,
            smallest_normal=tiny, resolution=resolution,
        )  # fmt: skip

    def __repr__(self):
        parts = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        text = ", ".join(f"{name}={getattr(self, name):g}" for name in parts)
        return f"finfo({text}, dtype={self.dtype})"


class iinfo(_Info):
    """Limits of an integer dtype: bits, max, min. Raises TypeError for other dtypes."""

    __slots__ = ()

    def __init__(self, *args, **kwargs):
        kind = _checked("iinfo", args, kwargs)
        if kind is dtypes.bool_:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if kind.category != dtypes.INT:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        found = np.iinfo(kind.numpy)
        self._hold(dtype=kind.name, bits=kind.itemsize * 8, min=int(found.min), max=int(found.max))

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


finfo.__module__ = iinfo.__module__ = "torch"
FUNCTIONS.update(finfo=finfo, iinfo=iinfo)


def _checked(name, args, kwargs, default=None):
    """The dtype that finfo or iinfo was given: `type`, perhaps a Python type for one."""
    given = (*args, *(value for key, value in kwargs.items() if key == "type"))
    if name == "finfo" and len(args) + len(kwargs) > 1:
        types = ", ".join([*map(type_name, args), *(f"{key}={type_name(value)}" for key, value in kwargs.items())])
        raise TypeError(f"finfo() received an invalid combination of arguments - got ({types}), but expected one of:\n")
    if len(args) > 1:
        raise TypeError(f"{name}() takes 1 positional argument but {len(args)} were given")
    if not given and default is not None:
        return default
    if not given:
        raise TypeError(f'{name}() missing 1 required positional arguments: "type"')
    kind = dtypes.OF_PYTHON.get(given[0], given[0]) if isinstance(given[0], type) else given[0]
    if not isinstance(kind, dtypes.dtype):
        raise bad_argument(name, 1, "type", "torch.dtype", kind)
    return kind


class _Settings:
    threads = None
    interop = None


@function
def set_num_threads(n):
    """Remember how many threads a script asked for: XLA's pool is set up by JAX when it starts."""
    if not isinstance(n, int):
        raise TypeError(f"set_num_threads expects an int, but got {n.__class__.__name__}")
    if n <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    _Settings.threads = n


@function
def get_num_threads():
    """How many threads were asked for, or how many processors there are."""
    return _Settings.threads or _processors()


@function
def set_num_interop_threads(n):
    """Remember how many threads a script asked for between ops."""
    _Settings.interop = n


@function
def get_num_interop_threads():
    """How many threads were asked for between ops, or how many processors there are."""
    return _Settings.interop or _processors()


def _processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@function
def typename(obj):
    """The type of an object as torch names it: 'torch.FloatTensor', 'torch.nn.modules.linear.Linear', 'int'."""
    if isinstance(obj, Tensor):
        return type_string_of(obj)
    if isinstance(obj, types.ModuleType):
        return _as_torch(obj.__name__)
    if isinstance(obj, types.FunctionType) and obj.__module__ in ("torch", "jtorch"):
        owner = "TensorBase" if vars(Tensor).get(obj.__name__) is obj else "torch._VariableFunctionsClass"
        return f"{owner}.{obj.__name__}"
    kind = obj if isinstance(obj, (type, types.FunctionType)) else type(obj)
    place = kind.__module__
    if place in ("builtins", None):
        return kind.__qualname__
    return f"{_as_torch(place)}.{kind.__qualname__}"


def _as_torch(place):
    return "torch" + place.removeprefix("jtorch") if place.split(".")[0] == "jtorch" else place


def type_string_of(tensor):
    """The type name of a tensor."""
    return type_string(aval(tensor))


@function
def _assert(condition, message):
    """Raise AssertionError with the message when the condition does not hold."""
    assert condition, message


@function
def _assert_async(input, assert_msg="Expected Tensor with single nonzero value, but got zero"):
    """Raise RuntimeError with the message when the one element is zero: at once, as torch does on a CPU."""
    if not bool(input):
        raise RuntimeError(assert_msg)


def _checker(name, error):
    def check(cond, message=None):
        if not cond:
            raise error(message() if callable(message) else f"Expected cond to be True, but got {cond}")

    check.__name__ = name
    check.__doc__ = f"Raise {error.__name__} with the message (a function) when the condition does not hold."
    function(check)


for _name, _error in (("_check", RuntimeError), ("_check_value", ValueError), ("_check_type", TypeError),
                      ("_check_index", IndexError), ("_check_not_implemented", NotImplementedError)):  # fmt: skip
    _checker(_name, _error)
