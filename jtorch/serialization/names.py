"""What the globals of torch's pickles stand for here, and what jtorch's are called in them."""

import functools
import importlib
import re
import secrets
from dataclasses import dataclass
from types import FunctionType

from jtorch import devices, dtypes
from jtorch._tensor import Tensor
from jtorch.api import settings
from jtorch.api.size import Size
from jtorch.autograd.hooks import RemovableHandle
from jtorch.nn.modules.module import _WrappedHook
from jtorch.rng.generator import Generator

_WORDS = {
    "float64": "Double", "float32": "Float", "float16": "Half", "bfloat16": "BFloat16", "int64": "Long", "int32": "Int",
    "int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool", "complex128": "ComplexDouble",
    "complex64": "ComplexFloat",
}  # fmt: skip


@dataclass(frozen=True)
class Global:
    """A name that is written into a pickle though nothing here bears it. One for each name: see `named`.

    stand_in: the name under which C's pickler finds it in this module.
    """

    module: str
    name: str
    stand_in: str

    def __call__(self, *args):  # pickle wants what makes an object to be callable
        raise TypeError(f"{self.module}.{self.name} is only a name")


@functools.cache
def named(module, name):
    """The Global of a name."""
    made = Global(module, name, f"{_TOKEN}{len(_STAND_INS)}")
    _STAND_INS[made.stand_in] = made
    return made


# What C's pickler writes for Globals, since it looks for what it writes: no text in a pickle can be the like.
_TOKEN = f"_{secrets.token_hex(16)}_"
_STAND_INS: dict[str, Global] = {}
_WRITTEN = re.compile(rf"c{re.escape(__name__)}\n({_TOKEN}\d+)\n".encode())


def __getattr__(name):
    found = _STAND_INS.get(name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found


def with_names(pickled):
    """A pickle of protocol 2 with the names of Globals in place of their stand-ins'."""

    def written(match):
        known = _STAND_INS[match[1].decode()]
        return f"c{known.module}\n{known.name}\n".encode()

    return _WRITTEN.sub(written, pickled)


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
    if module.split(".")[0] not in ("jtorch", "torch"):
        return None
    return _behind_doors().get(obj) or ((module.removeprefix("j"), obj.__qualname__) if module[0] == "j" else None)


@functools.cache
def _behind_doors():
    """{function or class: (torch's module, name)} of what torch has in one module and jtorch in files of its own."""
    found = {}
    for door in _DOORS:
        for name, value in vars(importlib.import_module("j" + door)).items():
            if isinstance(value, (type, FunctionType)) and not name.startswith("__"):
                found.setdefault(value, (door, name))
    return found


def found(module, name):
    """What a global of torch's means here: a class or function of jtorch. Raises: AttributeError, ImportError."""
    full = f"{module}.{name}"
    if full == "torch._C._VariableFunctionsClass":
        return importlib.import_module("jtorch")
    if module in _COMPILED:
        home, prefix = _COMPILED[module]
        return getattr(importlib.import_module(home), name.removeprefix(prefix))
    if full in _CLASSES:
        return _CLASSES[full]
    known = DTYPES.get(full) or STORAGES.get(full)
    if known is not None:
        return known
    home = importlib.import_module("j" + module) if module.split(".")[0] == "torch" else importlib.import_module(module)
    for part in name.split("."):
        home = getattr(home, part)
    return home


# In this order: what several of them have is known by the first.
_DOORS = (
    "torch", "torch.nn.functional", "torch.linalg", "torch.fft", "torch.special", "torch.optim.lr_scheduler",
)  # fmt: skip
# torch: functions written in C++ are known by the modules that they were compiled into.
_COMPILED = {
    "torch._C._nn": ("jtorch.nn.functional", ""), "torch._C._linalg": ("jtorch.linalg", "linalg_"),
    "torch._C._fft": ("jtorch.fft", "fft_"), "torch._C._special": ("jtorch.special", "special_"),
}  # fmt: skip
_CLASSES = {
    "torch.Tensor": Tensor,
    "torch.Size": Size,
    "torch.device": devices.Device,
    "torch._C.Generator": Generator,
    "torch.nn.modules.module._WrappedHook": _WrappedHook,
    "torch.utils.hooks.RemovableHandle": RemovableHandle,
    "torch.storage.UntypedStorage": BYTES,
}
