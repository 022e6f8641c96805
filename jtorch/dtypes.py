"""torch's dtypes, how they promote and convert, and the NumPy dtypes that hold them."""

import functools
import math

import jax
import ml_dtypes
import numpy as np
from jax import lax
from jax import numpy as jnp

BOOL, INT, FLOAT, COMPLEX = range(4)  # categories, in torch's order of promotion


class dtype:
    """A torch dtype. Prints and compares as torch's; `numpy` is the NumPy dtype that holds it."""

    __slots__ = ("name", "numpy", "category", "itemsize", "is_floating_point", "is_complex", "is_signed", "label")

    def __init__(self, name, numpy, category, label):
        self.name = name
        self.numpy = np.dtype(numpy)
        self.category = category
        self.label = label
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = category == FLOAT
        self.is_complex = category == COMPLEX
        self.is_signed = name not in ("bool", "uint8", "uint16", "uint32", "uint64", "float8_e8m0fnu")

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return (by_name, (self.name,))

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def to_complex(self):
        """The complex dtype whose parts have this dtype."""
        if not self.is_complex and (self.category < FLOAT or is_bare(self)):
            raise refusing(RuntimeError(f"Unknown Complex ScalarType for {self.label}"))
        return complex128 if self.name in ("float64", "complex128") else complex64

    def to_real(self):
        """The dtype of this dtype's real part."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)


dtype.__module__ = "torch"

float32 = dtype("float32", np.float32, FLOAT, "Float")
float64 = dtype("float64", np.float64, FLOAT, "Double")
float16 = dtype("float16", np.float16, FLOAT, "Half")
bfloat16 = dtype("bfloat16", ml_dtypes.bfloat16, FLOAT, "BFloat16")
complex64 = dtype("complex64", np.complex64, COMPLEX, "ComplexFloat")
complex128 = dtype("complex128", np.complex128, COMPLEX, "ComplexDouble")
uint8 = dtype("uint8", np.uint8, INT, "Byte")
int8 = dtype("int8", np.int8, INT, "Char")
int16 = dtype("int16", np.int16, INT, "Short")
int32 = dtype("int32", np.int32, INT, "Int")
int64 = dtype("int64", np.int64, INT, "Long")
uint16 = dtype("uint16", np.uint16, INT, "UInt16")
uint32 = dtype("uint32", np.uint32, INT, "UInt32")
uint64 = dtype("uint64", np.uint64, INT, "UInt64")
bool_ = dtype("bool", np.bool_, BOOL, "Bool")
float8_e4m3fn = dtype("float8_e4m3fn", ml_dtypes.float8_e4m3fn, FLOAT, "Float8_e4m3fn")
float8_e5m2 = dtype("float8_e5m2", ml_dtypes.float8_e5m2, FLOAT, "Float8_e5m2")
float8_e4m3fnuz = dtype("float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz, FLOAT, "Float8_e4m3fnuz")
float8_e5m2fnuz = dtype("float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz, FLOAT, "Float8_e5m2fnuz")
float8_e8m0fnu = dtype("float8_e8m0fnu", ml_dtypes.float8_e8m0fnu, FLOAT, "Float8_e8m0fnu")

ALL = (
    float32, float64, float16, bfloat16, complex64, complex128, uint8, int8, int16, int32, int64,
    uint16, uint32, uint64, bool_, float8_e4m3fn, float8_e5m2, float8_e4m3fnuz, float8_e5m2fnuz, float8_e8m0fnu,
)  # fmt: skip


class _Unheld(dtype):
    """A dtype of torch that XLA has no type for: it has a name, so that annotations and tables hold, and no values.

    Raises: NotImplementedError where a tensor of it is wanted.
    """

    __slots__ = ()

    def __init__(self, name, category, itemsize, is_signed, label):
        self.name, self.category, self.itemsize, self.is_signed, self.label = name, category, itemsize, is_signed, label
        self.is_floating_point, self.is_complex = category == FLOAT, category == COMPLEX

    @property
    def numpy(self):
        """Raises NotImplementedError: nothing holds it."""
        raise NotImplementedError(f"jtorch has no values of dtype torch.{self.name}: XLA has no such type")


UNHELD = (
    _Unheld("complex32", COMPLEX, 4, True, "ComplexHalf"),
    _Unheld("qint8", INT, 1, True, "QInt8"),
    _Unheld("quint8", INT, 1, False, "QUInt8"),
    _Unheld("qint32", INT, 4, True, "QInt32"),
    _Unheld("quint4x2", INT, 1, False, "QUInt4x2"),
    _Unheld("quint2x4", INT, 1, False, "QUInt2x4"),
    _Unheld("float4_e2m1fn_x2", FLOAT, 1, True, "Float4_e2m1fn_x2"),
    *(_Unheld(f"uint{n}", INT, 1, False, f"UInt{n}") for n in range(1, 8)),
    *(_Unheld(f"int{n}", INT, 1, True, f"Int{n}") for n in range(1, 8)),
    *(_Unheld(f"bits{n}", INT, 2 if n == "16" else 1, False, f"Bits{n}") for n in ("1x8", "2x4", "4x2", "8", "16")),
)
BY_NAME = {d.name: d for d in ALL + UNHELD}
ALIASES = {
    "float": float32, "double": float64, "half": float16, "chalf": BY_NAME["complex32"],
    "cfloat": complex64, "cdouble": complex128,
    "short": int16, "int": int32, "long": int64,
}  # fmt: skip
_FROM_NUMPY = {d.numpy: d for d in ALL}
OF_PYTHON = {bool: bool_, int: int64, float: float64, complex: complex128}  # what torch takes them for as a dtype


def _refuse_more(cls, *args):
    raise TypeError("cannot create 'torch.dtype' instances")


dtype.__new__ = _refuse_more


def by_name(name):
    """The dtype called `name` (`float32`, `int64`, ...)."""
    return BY_NAME[name]


def from_numpy(numpy_dtype):
    """The torch dtype held by a NumPy dtype. Raises TypeError where torch has none."""
    found = _FROM_NUMPY.get(numpy_dtype)
    if found is None:
        numpy_dtype = np.dtype(numpy_dtype)
        found = _FROM_NUMPY.get(numpy_dtype.newbyteorder("="))
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type {numpy_dtype.type.__module__}.{numpy_dtype.type.__name__}. "
            "The only supported types are: float64, float32, float16, complex64, complex128, int64, int32, "
            "int16, int8, uint64, uint32, uint16, uint8, and bool."
        )
    return found


class Default:
    """The default floating dtype, which `torch.set_default_dtype` changes."""

    float = float32


def default_for(python_type):
    """The dtype that torch gives a Python number of this type."""
    if python_type is float:
        return Default.float
    if python_type is complex:
        return Default.float.to_complex()
    return int64 if python_type is int else bool_


def is_bare(kind):
    """Whether a dtype is one that torch can store and convert but hardly computes with: wide unsigned, float8."""
    return kind.name in ("uint16", "uint32", "uint64") or "float8" in kind.name


def promote_types(a, b):
    """The smallest dtype that torch promotes both to. Raises RuntimeError for float8 and wide unsigned mixtures."""
    found = _PROMOTED.get((a, b))
    if found is None:
        found = _PROMOTED[a, b] = _promote(a, b)
    return found


_PROMOTED = {}


def _promote(a, b):
    if a is b:
        return a
    low, high = (a, b) if a.category <= b.category else (b, a)
    if "float8" in a.name or "float8" in b.name:
        raise _no_promotion("Float8 Types is", a, b)
    if (is_bare(a) or is_bare(b)) and high.category != FLOAT:
        raise _no_promotion("uint16, uint32, uint64 types is", a, b)
    if low.category != high.category:
        return complex128 if low is float64 else high
    if a.itemsize != b.itemsize:
        return a if a.itemsize > b.itemsize else b
    return int16 if high.category == INT else float32  # uint8 with int8, float16 with bfloat16


def _no_promotion(what, a, b):
    words = f"Promotion for {what} not supported, attempted to promote {a.label} and {b.label}"
    return refusing(RuntimeError(words))


def result_type(operands):
    """The dtype torch computes a mixed expression in.

    operands: (dtype, ndim) for a tensor, (Python type, None) for a number. Tensors with dims outrank 0-d tensors,
    which outrank numbers; a lower rank counts only where its category is higher.
    """
    ranks = [None, None, None]
    for kind, ndim in operands:
        if ndim is None:
            rank, this = 2, default_for(kind)
        else:
            rank, this = (0 if ndim else 1), kind
        ranks[rank] = this if ranks[rank] is None else promote_types(ranks[rank], this)
    dims, single, number = ranks
    return _outranked(dims, _outranked(single, number))


def _outranked(higher, lower):
    """The dtype of a rank beside that of the next lower one; either may be None."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    if higher.category >= FLOAT:
        # torch: a complex number beside a float tensor keeps the tensor's precision.
        return higher.to_complex() if lower.is_complex else higher
    if lower.is_complex:
        return lower
    return promote_types(higher, lower) if higher is bool_ or lower.category >= FLOAT else higher


def can_cast(source, target):
    """Whether torch lets an in-place or out= result of dtype `source` into a tensor of dtype `target`."""
    if source.is_complex and not target.is_complex:
        return False
    if source.is_floating_point and target.category < FLOAT:
        return False
    return source is bool_ or target is not bool_


def convert(x, numpy_dtype):
    """An array in another dtype, rounding, cutting and wrapping as torch does on the CPU. Shape: any -> the same."""
    source, target = from_numpy(x.dtype), from_numpy(numpy_dtype)
    if source.is_complex and not target.is_complex:
        return (x != 0) if target is bool_ else convert(lax.real(x), numpy_dtype)
    if source is bool_ and target.category >= FLOAT:
        # XLA takes a product with converted bools for a choice, in which 0 · nan is 0; a choice here stops that.
        return jnp.where(x, np.ones((), numpy_dtype), np.zeros((), numpy_dtype))
    if source.category == FLOAT and target.category == INT:
        return _float_to_int(x, numpy_dtype)
    if target is float8_e4m3fn:
        # torch: what is too large becomes the largest number, where ml_dtypes has nan.
        x = jnp.clip(x, -448, 448)
    if target is float8_e8m0fnu:
        # torch: it has powers of two alone; the sign is dropped, and 0 becomes the smallest.
        return jnp.where(x == 0, np.array(2.0**-127, numpy_dtype), jnp.abs(x).astype(numpy_dtype))
    return x.astype(numpy_dtype)


def truth(x):
    """Where an array is not 0. Shape: any -> the same, bool."""
    return x if x.dtype == bool else x != 0


def array_of(number, numpy_dtype):
    """A Python number as a 0-d NumPy array of a dtype: what does not fit wraps, or becomes infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(number).astype(numpy_dtype)


def _float_to_int(x, dtype):
    # torch: what does not fit becomes the smallest number of the machine's conversion, then wraps; XLA saturates.
    if dtype in (np.uint32, np.uint64):
        signed = np.dtype(f"int{8 * dtype.itemsize}")
        half = 2.0 ** (8 * dtype.itemsize - 1)
        above = _float_to_int(x - half, signed) ^ np.iinfo(signed).min
        return jnp.where(x >= half, above, _float_to_int(x, signed)).astype(dtype)
    wide = np.int64 if dtype.itemsize == 8 else np.int32
    x = x.astype(np.float64 if x.dtype == np.float64 else np.float32)
    lowest = np.iinfo(wide).min
    fits = (x >= float(lowest)) & (x < -float(lowest))
    return jnp.where(fits, x.astype(wide), wide(lowest)).astype(dtype)


_CPP = {
    "float32": "float", "float64": "double", "int64": "long int", "int32": "int", "int16": "short int",
    "int8": "signed char", "uint8": "unsigned char", "uint16": "short unsigned int", "uint32": "unsigned int",
    "uint64": "long unsigned int", "bool": "bool", "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}  # fmt: skip


def cpp_name(kind):
    """The C++ name of a dtype, which some of torch's messages use: `long int`, `c10::Half`."""
    return _CPP.get(kind.name) or f"c10::{kind.label}"


def no_kernel(kernel, kind):
    """NotImplementedError in torch's words: its kernel lacks a dtype."""
    return refusing(NotImplementedError(f"\"{kernel}\" not implemented for '{kind.label}'"), kind)


def floating(kind):
    """The dtype itself if it is a float or complex one, else the default float."""
    return kind if kind.category >= FLOAT else Default.float


def refusing(error, kind=None):
    """The error, marked as one that torch raises after it has looked at sizes and at where the result goes.

    kind: the dtype that the result would have had, where promotion came to one.
    """
    error.refused = kind
    return error


def need_floating(kernel, numpy_dtype):
    """Raise NotImplementedError, naming torch's kernel, unless the NumPy dtype is a float."""
    found = from_numpy(numpy_dtype)
    if found.category != FLOAT:
        raise no_kernel(kernel, found)


def within(kernel, low, high, bare=False):
    """A dtype rule for ops: the common dtype, refused in torch's words where its category is not in low..high.

    bare: whether torch's kernel takes the wide unsigned and float8 types.
    """

    def rule(operands, attrs):
        _need_tensor(operands, kernel)
        return need_within(result_type(operands), kernel, low, high, bare)

    return rule


def real(kernel, halves=False):
    """A dtype rule for ops: the common dtype, integers as the default float; complex and most halves are refused."""

    def rule(operands, attrs):
        _need_tensor(operands, kernel)
        result = result_type(operands)
        if result.category < FLOAT:
            return Default.float
        if result.is_complex or (result.itemsize < 4 and not halves):
            raise no_kernel(kernel, result)
        return result

    return rule


def _need_tensor(operands, kernel):
    if all(ndim is None for _, ndim in operands):
        raise TypeError(f"{kernel.removesuffix('_cpu')}(): at least one operand must be a Tensor")


def need_within(kind, kernel, low, high, bare=False):
    """The dtype itself. Raises NotImplementedError, naming torch's kernel, where `within` refuses it."""
    if not low <= kind.category <= high or (is_bare(kind) and not bare):
        raise no_kernel(kernel, kind)
    return kind


def check_number(value, kind):
    """Raise torch's RuntimeError for a Python number that cannot be converted to a dtype."""
    if type(value) is int and -128 <= value <= 127:
        return
    if isinstance(value, complex):
        parts = (value.real, value.imag) if kind.is_complex else (value.real if not value.imag else math.nan,)
        wrong = (value.imag and not kind.is_complex) or any(_too_large(part, kind) for part in parts)
    else:
        wrong = _too_large(value, kind)
    if wrong and kind is not bool_:
        name = f"{kind.name}_t" if kind.category == INT and kind is not int32 else cpp_name(kind)
        raise RuntimeError(f"value cannot be converted to type {name} without overflow")


def _too_large(value, kind):
    """Whether a real number is beyond a dtype's limits."""
    if kind.category == INT:
        limits = np.iinfo(kind.numpy)
        # torch: a negative whole number wraps in an unsigned dtype.
        lowest = -int(limits.max) if limits.min == 0 and isinstance(value, int) else limits.min
        return not (lowest <= value <= limits.max)
    if kind.category == BOOL or kind.name in ("float64", "complex128"):
        return False
    return math.isfinite(value) and abs(value) > float(ml_dtypes.finfo(kind.to_real().numpy).max)


HALVES = (jnp.float16, jnp.bfloat16)


def widened(fn):
    """Decorator under `@op` or `@name.gradient`: torch computes halves in float32 and rounds once; so does `fn`."""

    @functools.wraps(fn)
    def wide(*args, **kwargs):
        given = {x.dtype for x in (*args, *kwargs.values()) if isinstance(x, jax.Array)}
        halves = [dtype for dtype in given if dtype in HALVES]
        if not halves:
            return fn(*args, **kwargs)
        result = fn(*(widen(x) for x in args), **{k: widen(x) for k, x in kwargs.items()})
        if any(dtype not in HALVES and jnp.issubdtype(dtype, jnp.inexact) for dtype in given):
            return result
        if isinstance(result, tuple):
            return tuple(_narrow(x, halves[0]) for x in result)
        return _narrow(result, halves[0])

    return wide


def widen(x):
    """An array in half precision as float32; anything else as it is."""
    return x.astype(jnp.float32) if isinstance(x, jax.Array) and x.dtype in HALVES else x


def _narrow(x, dtype):
    return x.astype(dtype) if isinstance(x, jax.Array) and x.dtype == jnp.float32 else x
