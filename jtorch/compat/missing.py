"""What stands for a name that torch has and jtorch lacks: it can be imported, and says so when it is used."""

import dis
import importlib
import sys
from types import ModuleType

from jtorch.compat.names import lack, modules, theirs

_IMPORT_FROM = dis.opmap["IMPORT_FROM"]
_BARE = ("torch.distributed.rpc",)  # where torch itself may have nothing inside, and libraries look


class Missing(type):
    """The class of such names: each is a class without instances, so that annotations, isinstance and bases hold.

    Raises NotImplementedError when it, or a class made from it, is called; AttributeError for its attributes.
    """

    symbol: str

    def __new__(mcs, symbol, bases=(), namespace=None, **keywords):
        """One class for a symbol; a class statement on top of one makes a class that lacks the same."""
        if bases:
            symbol = next(base.symbol for base in bases if isinstance(base, mcs))
        return super().__new__(mcs, symbol.rpartition(".")[2], bases, {**(namespace or {}), "symbol": symbol})

    def __init__(cls, *args, **keywords):
        super().__init__(cls)

    def __call__(cls, *args, **kwargs):
        raise NotImplementedError(lack(cls.symbol))

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(lack(f"{cls.symbol}.{name}"))

    def __getitem__(cls, item):
        return cls

    def __instancecheck__(cls, value):
        return cls is not Missing and type(value) is cls

    def __repr__(cls):
        return f"<{cls.symbol}, which jtorch does not have>"


class MissingModule(ModuleType):
    """A module that torch has and jtorch lacks. Whatever is taken from it is Missing."""

    def __init__(self, name):
        super().__init__(name, lack(name) + ".")
        self.__path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return Missing(f"{self.__name__}.{name}")


def explain(module):
    """Let a module of jtorch say what it lacks: `from torch import x` gets a Missing, `torch.x` raises AttributeError.

    hasattr(torch, "x") stays False, so that libraries see what is not there; only torch's modules are always there.
    Returns what undoes it.
    """
    own = vars(module).get("__getattr__")
    name = theirs(module.__name__)

    def __getattr__(attribute):
        if own is not None:
            try:
                return own(attribute)
            except AttributeError:
                pass
        symbol = f"{name}.{attribute}"
        if symbol in modules() and name not in _BARE:
            return importlib.import_module(symbol)
        if not attribute.startswith("__") and _is_import(sys._getframe(1)):
            return Missing(symbol)
        raise AttributeError(f"module {name!r} has no attribute {attribute!r}: {lack(symbol)}")

    module.__getattr__ = __getattr__

    def undo():
        if own is None:
            del module.__getattr__
        else:
            module.__getattr__ = own

    return undo


def _is_import(frame):
    """Whether a frame stands at `from … import name`."""
    return frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM
