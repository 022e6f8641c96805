"""What the globals of torch's pickles stand for here, and what jtorch's are called in them."""

import importlib
from dataclasses import dataclass
from types import FunctionType

from jtorch import devices, dtypes
from jtorch._tensor import Tensor
from jtorch.api import settings
from jtorch.api.size import Size

_WORDS = {
    "float64": "Double", "float32": "Float", "float16": "Half", "bfloat16": "BFloat16", "int64": "Long", "int32": "Int",
    "int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool", "complex128": "ComplexDouble",
    "complex64": "ComplexFloat",
}  # fmt: skip


@dataclass(frozen=True)
class Global:
    """A name that is written into a pickle though nothing here bears it."""

    module: str
    name: str

    def __call__(self, *args):  # pickle wants what makes an object to be callable
        raise TypeError(f"{self.module}.{self.name} is only a name")


@dataclass(frozen=True)
class StorageType:
    """What torch's classes of storages say: the dtype of their elements. UntypedStorage has bytes."""

    name: str
    dtype: dtypes.dtype

    def __str__(self):
        return f"StorageType(name={self.name})"


BYTES = StorageType("UntypedStorage", dtypes.uint8)
_OF_DTYPE = {dtypes.BY_NAME[name]: StorageType(f"{word}Storage", dtypes.BY_NAME[name]) for name, word in _WORDS.items()}
STORAGES = {
    **{f"torch.{kind.name}": kind for kind in _OF_DTYPE.values()},
    **{f"torch.cuda.{kind.name}": kind for kind in _OF_DTYPE.values()},
    "torch.storage.UntypedStorage": BYTES,
    "torch.UntypedStorage": BYTES,
}
DTYPES = {f"torch.{kind.name}": kind for kind in dtypes.ALL}


def storage_type(dtype):
    """(the class that torch's files name for memory of a dtype, whether it says the dtype)."""
    found = _OF_DTYPE.get(dtype)
    return (found, True) if found is not None else (BYTES, False)


def get_layout(name):
    """The layout with a printed name. Raises: KeyError where there is none."""
    return settings.constant(name.removeprefix("torch."))


def written(obj):
    """(module, name) under which torch's files know a class, a function or a dtype; None where it goes by its own."""
    if isinstance(obj, Global):
        return obj.module, obj.name
    if isinstance(obj, StorageType):
        return ("torch.storage" if obj is BYTES else "torch"), obj.name
    if isinstance(obj, dtypes.dtype):
        return "torch", obj.name
    if not isinstance(obj, (type, FunctionType)):
        return None
    for name, known in _CLASSES.items():
        if known is obj:
            module, _, last = name.rpartition(".")
            return module, last
    module = obj.__module__ or ""
    return (module[1:], obj.__qualname__) if module.split(".")[0] == "jtorch" else None


def found(module, name):
    """What a global of torch's means here: a class or function of jtorch. Raises: AttributeError, ImportError."""
    full = f"{module}.{name}"
    if full in _CLASSES:
        return _CLASSES[full]
    known = DTYPES.get(full) or STORAGES.get(full)
    if known is not None:
        return known
    home = importlib.import_module("j" + module) if module.split(".")[0] == "torch" else importlib.import_module(module)
    for part in name.split("."):
        home = getattr(home, part)
    return home


_CLASSES = {
    "torch.Tensor": Tensor,
    "torch.Size": Size,
    "torch.device": devices.Device,
    "torch.storage.UntypedStorage": BYTES,
}
