"""torch's dtypes, how they promote, and the NumPy dtypes that hold them."""

import math

import ml_dtypes
import numpy as np

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
        self.is_signed = name not in ("bool", "uint8", "uint16", "uint32", "uint64")

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
        return (
            {"float16": complex64, "bfloat16": complex64, "float64": complex128}.get(self.name, complex64)
            if not self.is_complex
            else self
        )

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
BY_NAME = {d.name: d for d in ALL}
ALIASES = {
    "float": float32, "double": float64, "half": float16, "cfloat": complex64, "cdouble": complex128,
    "short": int16, "int": int32, "long": int64,
}  # fmt: skip
_FROM_NUMPY = {d.numpy: d for d in ALL}
_FROM_PYTHON = {bool: bool_, int: int64, float: float64, complex: complex128}


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


_FLOATS = ("float64", "float32")
_SIGNED = ("int8", "int16", "int32", "int64")
_BARE_UNSIGNED = ("uint16", "uint32", "uint64")


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
    if "float8" in low.name or "float8" in high.name:
        raise RuntimeError(f"Promotion for Float8 Types is not supported, attempted to promote {a.label} and {b.label}")
    if low.category != high.category:
        if low.category == FLOAT and high.category == COMPLEX:
            return complex128 if low is float64 else high
        return high
    if high.category == COMPLEX:
        return complex128
    if high.category == FLOAT:
        for name in _FLOATS:
            if name in (a.name, b.name):
                return BY_NAME[name]
        return float32  # float16 with bfloat16
    for this, other in ((a, b), (b, a)):
        if this.name in _BARE_UNSIGNED:
            if other is uint8 or other.name in _BARE_UNSIGNED:
                return this if this.itemsize >= other.itemsize else other
            raise RuntimeError(
                f"Promotion for uint16, uint32, uint64 types is not supported, "
                f"attempted to promote {a.label} and {b.label}"
            )
    if a is uint8 or b is uint8:
        other = b if a is uint8 else a
        return int16 if other is int8 else other
    return a if a.itemsize > b.itemsize else b


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
    result = None
    for this in ranks:
        if this is None:
            continue
        if result is None:
            result = this
        elif this.category > result.category:
            result = (
                promote_types(result, this) if this is ranks[1] or result.category != FLOAT else _widen(result, this)
            )
    return result


def _widen(result, number):
    # torch: a complex number beside a float tensor keeps the tensor's precision.
    return result.to_complex() if number.is_complex else number


def can_cast(source, target):
    """Whether torch lets an in-place or out= result of dtype `source` into a tensor of dtype `target`."""
    if source.is_complex and not target.is_complex:
        return False
    if source.is_floating_point and target.category < FLOAT:
        return False
    return source is bool_ or target is not bool_


_CPP = {
    "float32": "float", "float64": "double", "int64": "long int", "int32": "int", "int16": "short int",
    "int8": "signed char", "uint8": "unsigned char", "uint16": "short unsigned int", "uint32": "unsigned int",
    "uint64": "long unsigned int", "bool": "bool", "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}  # fmt: skip


def cpp_name(kind):
    """The C++ name of a dtype, which some of torch's messages use: `long int`, `c10::Half`."""
    return _CPP.get(kind.name) or f"c10::{kind.label}"


def need_floating(kernel, numpy_dtype):
    """Raise NotImplementedError, naming torch's kernel, unless the NumPy dtype is a float."""
    found = from_numpy(numpy_dtype)
    if found.category != FLOAT:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{found.label}'")


def within(kernel, low, high):
    """A dtype rule for ops: the common dtype, refused in torch's words where its category is not in low..high."""

    def rule(operands, attrs):
        result = result_type(operands)
        if not low <= result.category <= high:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{result.label}'")
        return result

    return rule


def real(kernel, halves=False):
    """A dtype rule for ops: the common dtype, integers as the default float; complex and most halves are refused."""

    def rule(operands, attrs):
        result = result_type(operands)
        if result.category < FLOAT:
            return Default.float
        if result.is_complex or (result.itemsize < 4 and not halves):
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{result.label}'")
        return result

    return rule


_LIMIT_NAMES = {"int64": "int64_t", "int32": "int", "int16": "int16_t", "int8": "int8_t", "uint8": "uint8_t"}


def check_number(value, kind):
    """Raise torch's RuntimeError for a Python number that a dtype cannot hold."""
    if kind.category == BOOL or kind.is_complex:
        return
    wrong = isinstance(value, complex)
    if not wrong and kind.is_floating_point:
        wrong = math.isfinite(value) and abs(value) > float(ml_dtypes.finfo(kind.numpy).max)
    elif not wrong:
        wrong = not math.isfinite(value) or abs(value) > np.iinfo(kind.numpy).max + kind.is_signed
    if wrong:
        name = _LIMIT_NAMES.get(kind.name) or cpp_name(kind)
        raise RuntimeError(f"value cannot be converted to type {name} without overflow")
