"""What a user's code can reach, read off its bytecode: global names, attribute names, and what rules a replay out."""

import builtins
import dis
import os
import sys
import sysconfig
import types
from functools import lru_cache

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})

# Builtins whose result follows from their arguments alone and that leave nothing behind but what the guards see.
_BUILTINS = frozenset(
    "abs all any bool bytes callable classmethod complex dict divmod enumerate filter float format frozenset getattr "
    "hasattr int isinstance issubclass iter len list map max min next object pow property range repr reversed round "
    "set setattr slice sorted staticmethod str sum super tuple type zip NotImplemented Ellipsis".split()
)
# Modules of the standard library whose functions are such, too.
MODULES = frozenset("math operator functools itertools typing collections abc enum dataclasses numbers".split())
# Names by which code reaches what no guard watches, whatever they are looked up on.
_DENIED = frozenset(
    "__dict__ __code__ __globals__ seed manual_seed manual_seed_all initial_seed get_rng_state set_rng_state "
    "get_rng_state_all set_rng_state_all fork_rng default_generator save load set_default_dtype set_default_device "
    "set_default_tensor_type set_printoptions set_num_threads set_float32_matmul_precision set_flush_denormal "
    "use_deterministic_algorithms memory_allocated max_memory_allocated synchronize elapsed_time perf_counter "
    "from_numpy numpy data_ptr hub interop engine func jit export distributed multiprocessing profiler backends "
    "set_stance version".split()
)


class Refused(Exception):
    """A call cannot be replayed, for this reason: it runs as Python."""


def is_ours(name):
    """Whether a module's name is one of jtorch's."""
    return name is not None and name.split(".", 1)[0] in ("jtorch", "torch", "torchvision")


def is_own_file(code):
    """Whether a code object was written in jtorch."""
    return code.co_filename.startswith(HOME)


def is_installed(name):
    """Whether a module is built in, of the standard library or of an installed package."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    return module is not None and (file is None and name != "__main__" or str(file).startswith(_INSTALLED))


def is_builtin(name):
    """Whether a global name that is no global is a builtin without side effects. Raises Refused where it is another."""
    found = getattr(builtins, name, None)
    if name not in _BUILTINS and not (isinstance(found, type) and issubclass(found, BaseException)):
        raise Refused(f"it uses the builtin {name}")


class Scan:
    """What one code object, and those inside it, name."""

    def __init__(self):
        self.globals, self.attributes = set(), set()

    def read(self, code):
        """Add what a code object names. Raises Refused where it does what cannot be replayed."""
        if code.co_flags & (0x20 | 0x80 | 0x100 | 0x200) and code.co_name not in ("<genexpr>",):
            raise Refused(f"{code.co_name} is a generator or coroutine")
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                self.globals.add(step.argval)
            elif step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                raise Refused(f"it assigns the global {step.argval}")
            elif step.opname == "IMPORT_NAME":
                if not is_ours(step.argval) and step.argval.split(".")[0] not in MODULES:
                    raise Refused(f"it imports {step.argval}")
            elif "ATTR" in step.opname or "METHOD" in step.opname or step.opname == "IMPORT_FROM":
                self.attributes.add(step.argval)
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                self.read(inner)


@lru_cache(4096)
def scan(code):
    """The Scan of a code object. Raises Refused."""
    found = Scan()
    found.read(code)
    denied = found.attributes & _DENIED
    if denied:
        raise Refused(f"it uses {min(denied)}")
    return found
