"""The unpickler of load's default: it makes tensors, containers and what is allowed by name, and runs nothing else."""

import _compat_pickle
import functools
import io
import pickletools
from collections import Counter, OrderedDict
from pickle import UnpicklingError

from jtorch import devices
from jtorch._tensor import Tensor
from jtorch.api.size import Size
from jtorch.errors import warn
from jtorch.nn.parameter import Parameter
from jtorch.serialization.names import DTYPES, STORAGES, StorageType, get_layout
from jtorch.serialization.stored import REBUILDS, TYPED

_NEVER = ("sys", "os", "posix", "nt")
_MARK = object()
_DEEP, _MANY = 1000, 10**6  # tuples in tuples, and items of them that any pickle may hash
_allowed_by_user: dict = {}  # a class or function, or (it, its full name) -> None, in order


def add_safe_globals(safe_globals):
    """Allow classes and functions, or (it, its full name) pairs, in files that load reads with weights_only."""
    _allowed_by_user.update(dict.fromkeys(safe_globals))


def get_safe_globals():
    """What was allowed."""
    return list(_allowed_by_user)


def clear_safe_globals():
    """Allow no more than what load allows by itself."""
    _allowed_by_user.clear()


class safe_globals:
    """A context in which add_safe_globals holds."""

    def __init__(self, safe_globals):
        self.safe_globals = safe_globals

    def __enter__(self):
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exc):
        for item in self.safe_globals:
            _allowed_by_user.pop(item, None)


def _bytes(text, encoding="latin1"):
    if encoding != "latin1":
        raise UnpicklingError("bytes can only be made of latin1 text")
    return text.encode(encoding)


def _bytearray(data=b""):
    if not isinstance(data, (bytes, bytearray)):
        raise UnpicklingError(f"a bytearray can only be made of bytes, not of {type(data)}")
    return bytearray(data)


@functools.cache
def _always():
    return {
        "collections.OrderedDict": OrderedDict, "collections.Counter": Counter, "torch.Size": Size,
        "torch.device": devices.Device, "torch.Tensor": Tensor, "torch.serialization._get_layout": get_layout,
        "_codecs.encode": _bytes, "builtins.bytearray": _bytearray, "builtins.set": set, "builtins.complex": complex,
        "__builtin__.set": set, "__builtin__.bytearray": _bytearray, "__builtin__.complex": complex,
        **DTYPES, **STORAGES, **REBUILDS, **TYPED,
    }  # fmt: skip


def _by_user():
    allowed = {}
    for item in _allowed_by_user:
        if not isinstance(item, tuple):
            allowed[f"{item.__module__}.{item.__qualname__}"] = item
            if item.__module__.startswith("jtorch."):
                allowed[f"{item.__module__[1:]}.{item.__qualname__}"] = item
            continue
        if len(item) != 2:
            raise ValueError(
                f"Expected tuple of length 2 (global, str of callable full path), but got tuple of length: {len(item)}"
            )
        if type(item[1]) is not str:
            raise TypeError(f"Expected second item in tuple to be str of callable full path, but got: {type(item[1])}")
        allowed[item[1]] = item[0]
    return allowed


class Policy:
    """What the machine asks about globals and calls: here, what is allowed."""

    def __init__(self):
        self.known = {**_always(), **_by_user()}
        self._ids = {id(value) for value in self.known.values()}

    def find(self, module, name):
        """The object for a global. Raises: UnpicklingError for one that is not allowed."""
        full = f"{module}.{name}"
        if module in _NEVER:
            raise UnpicklingError(f"Trying to load unsupported GLOBAL {full} whose module {module} is blocked.")
        if full in self.known:
            return self.known[full]
        full = full.removeprefix("builtins.")
        raise UnpicklingError(
            f"Unsupported global: GLOBAL {full} was not an allowed global by default. Please use "
            f"`torch.serialization.add_safe_globals([{full}])` or the `torch.serialization.safe_globals([{full}])` "
            "context manager to allowlist this global if you trust this class/function."
        )

    def _is_known(self, value):
        return id(value) in self._ids

    def call(self, func, args):
        """func(*args), for the pickle's REDUCE."""
        if not self._is_known(func):
            belongs = f" which belongs to {func.__self__}" if hasattr(func, "__self__") else ""
            raise UnpicklingError(f"Trying to call reduce for unrecognized function {shown(func)}{belongs}")
        return func(*args)

    def new(self, cls, args):
        """A new object of a class, for NEWOBJ."""
        if cls is Parameter:
            return Parameter(*args)
        if not self._is_known(cls) or not isinstance(cls, type):
            raise UnpicklingError(
                "Can only create new object for nn.Parameter or classes allowlisted via `add_safe_globals` but got "
                f"{shown(cls)}"
            )
        return cls.__new__(cls, *args)

    def build(self, made, state):
        """Give an object its state, for BUILD."""
        if type(made) is OrderedDict:
            if type(state) is not dict:
                raise UnpicklingError(f"the state of an OrderedDict must be a dict, not {type(state)}")
            made.__dict__.update(state)
            return
        if not self._is_known(type(made)) or type(made) is Tensor:
            raise UnpicklingError(
                "Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got "
                f"{type(made)}"
            )
        if hasattr(made, "__setstate__"):
            made.__setstate__(state)
            return
        slots = None
        if isinstance(state, tuple) and len(state) == 2:
            state, slots = state
        vars(made).update(state or {})
        for name, value in (slots or {}).items():
            setattr(made, name, value)


class _Inert:
    """What stands for all objects when a pickle is only looked at."""


class Look(Policy):
    """A policy that makes nothing and remembers the globals that were asked for."""

    def __init__(self):
        super().__init__()
        self.asked: list = []

    def find(self, module, name):
        """The known storages and dtypes; for the rest something that does nothing."""
        full = f"{module}.{name}"
        if full not in self.asked:
            self.asked.append(full)
        return STORAGES.get(full) or DTYPES.get(full) or _Inert()

    def call(self, func, args):
        """Nothing is called."""
        return _Inert()

    def new(self, cls, args):
        """Nothing is made."""
        return _Inert()

    def build(self, made, state):
        """Nothing is built."""


class Machine:
    """Reads one pickle of protocol 2, as torch.save writes it, op by op.

    persistent: what makes a storage of a persistent id. policy: what globals and calls mean.
    Raises: UnpicklingError for ops of other protocols, and for what is damaged.
    """

    def __init__(self, file, persistent, policy=None):
        self._file, self._persistent, self._policy = file, persistent, policy or Policy()
        self._memo: dict = {}
        self._stack: list = []
        self._nested: dict = {}  # id of a tuple with tuples in it -> (items in all, depth, the tuple)
        self._done = self._hashed = 0  # ops, and items that were looked through for a hash
        self._outside: Exception | None = None  # an error of what finds storages: of the caller's map_location, say

    def load(self):
        """The object that the pickle says."""
        try:
            return self._run()
        except (UnpicklingError, RuntimeError, MemoryError):
            raise
        except Exception as error:
            if error is self._outside:
                raise
            raise UnpicklingError(f"the pickle is damaged: {type(error).__name__}: {error}") from None

    def _run(self):
        for done, (op, argument, _) in enumerate(_ops(self._file)):
            self._done = done
            if op == "STOP":
                return self._stack.pop()
            act = _ACTIONS.get(op)
            if act is None:
                raise UnpicklingError(f"Unsupported operand {_CODES[op]}")
            act(self, argument)
        raise EOFError("no STOP")

    def _marked(self):
        at = len(self._stack) - 1 - next(i for i, x in enumerate(reversed(self._stack)) if x is _MARK)
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def _push(self, value):
        self._stack.append(value)

    def _tuple(self, count):
        items = tuple(self._stack[len(self._stack) - count :])
        if len(items) != count or _MARK in items:
            raise IndexError("a tuple of too few items")
        del self._stack[len(self._stack) - count :]
        self._push_tuple(items)

    def _push_tuple(self, items):
        """Push a tuple. Raises: UnpicklingError for one so deep that its hash would need all of the C stack."""
        inner = [self._weight(item) for item in items if isinstance(item, tuple)]
        if inner:
            depth = 1 + max(depth for _, depth, _ in inner)
            if depth > _DEEP:
                raise UnpicklingError(f"tuples lie more than {_DEEP} deep in each other")
            self._nested[id(items)] = (len(items) + sum(count for count, _, _ in inner), depth, items)
        self._stack.append(items)

    def _weight(self, items):
        return self._nested.get(id(items), (len(items), 1, items))

    def _hash(self, keys):
        """Count what hashes will cost. Raises: UnpicklingError where tuples share so much that they would not end."""
        self._hashed += sum(self._weight(key)[0] for key in keys if isinstance(key, tuple))
        if self._hashed > _MANY + 100 * self._done:
            raise UnpicklingError("tuples that hold each other so often that they cannot be keys")

    def _extend(self, items, how="extend"):
        if type(self._stack[-1]) is not list:
            raise UnpicklingError(f"Can only {how} lists, but got {type(self._stack[-1])}")
        self._stack[-1].extend(items)

    def _set_items(self, items, op):
        target = self._stack[-1]
        if type(target) not in (dict, OrderedDict, Counter) and type(target) is not _Inert:
            raise UnpicklingError(
                f"Can only {op} for dict, collections.OrderedDict, collections.Counter, but got {type(target)}"
            )
        if type(target) is not _Inert:
            self._hash(items[::2])
            target.update(zip(items[::2], items[1::2], strict=True))

    def _global(self, argument):
        module, _, name = argument.partition(" ")
        # Pickles of protocol 2 have the names of Python 2.
        module, name = _compat_pickle.NAME_MAPPING.get(
            (module, name), (_compat_pickle.IMPORT_MAPPING.get(module, module), name)
        )
        self._push(self._policy.find(module, name))

    def _reduce(self, _):
        args, func = self._stack.pop(), self._stack.pop()
        if type(args) is tuple and any(func is hashing for hashing in (set, Counter, OrderedDict)):
            items = [item for arg in args if isinstance(arg, (list, tuple)) for item in arg]
            self._hash(items)
            self._hash([item[0] for item in items if isinstance(item, (list, tuple)) and item])
        made = self._policy.call(func, args)
        (self._push_tuple if isinstance(made, tuple) else self._push)(made)

    def _newobj(self, _):
        args = self._stack.pop()
        self._push(self._policy.new(self._stack.pop(), args))

    def _build(self, _):
        state = self._stack.pop()
        self._policy.build(self._stack[-1], state)

    def _persid(self, _):
        pid = self._stack.pop()
        if type(pid) is not tuple and type(pid) is not int:
            raise UnpicklingError(f"persistent_load id must be tuple or int, but got {type(pid)}")
        if type(pid) is tuple and (not pid or as_text(pid[0]) != "storage"):
            raise UnpicklingError(f"Only persistent_load of storage is allowed, but got {type(pid[0]) if pid else pid}")
        try:
            self._push(self._persistent(pid))
        except Exception as error:
            self._outside = error
            raise

    def _put(self, index):
        self._memo[index] = self._stack[-1]

    def _proto(self, version):
        if version != 2:
            warn(
                f"Detected pickle protocol {version} in the checkpoint, which was not the default pickle protocol used "
                "by `torch.load` (2). The weights_only Unpickler might not support all instructions implemented by "
                "this protocol, please file an issue for adding support if you encounter this."
            )


_ACTIONS = {
    "PROTO": Machine._proto,
    "GLOBAL": Machine._global,
    "REDUCE": Machine._reduce,
    "NEWOBJ": Machine._newobj,
    "BUILD": Machine._build,
    "BINPERSID": Machine._persid,
    "APPEND": lambda m, _: m._extend([m._stack.pop()], "append to"),
    "APPENDS": lambda m, _: m._extend(m._marked()),
    "SETITEM": lambda m, _: m._set_items([m._stack.pop(), m._stack.pop()][::-1], "SETITEM"),
    "SETITEMS": lambda m, _: m._set_items(m._marked(), "SETITEMS"),
    "MARK": lambda m, _: m._push(_MARK),
    "TUPLE": lambda m, _: m._push_tuple(tuple(m._marked())),
    "TUPLE1": lambda m, _: m._tuple(1),
    "TUPLE2": lambda m, _: m._tuple(2),
    "TUPLE3": lambda m, _: m._tuple(3),
    "NONE": lambda m, _: m._push(None),
    "NEWTRUE": lambda m, _: m._push(True),
    "NEWFALSE": lambda m, _: m._push(False),
    "EMPTY_TUPLE": lambda m, _: m._push(()),
    "EMPTY_LIST": lambda m, _: m._push([]),
    "EMPTY_DICT": lambda m, _: m._push({}),
    "EMPTY_SET": lambda m, _: m._push(set()),
    "BINPUT": Machine._put,
    "LONG_BINPUT": Machine._put,
    "BINGET": lambda m, index: m._push(m._memo[index]),
    "LONG_BINGET": lambda m, index: m._push(m._memo[index]),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "LONG1"), Machine._push),
    "SHORT_BINSTRING": lambda m, text: m._push(text.encode("latin1")),
}
_CODES = {op.name: ord(op.code) for op in pickletools.opcodes}


def _ops(file):
    """(name, argument, position) of each op. pickletools reads no more than there is."""
    for op, argument, position in pickletools.genops(file):
        yield op.name, argument, position


def shown(value):
    """What a message says of a value: no more than the class of a container, whose text might have no end."""
    return str(type(value)) if isinstance(value, (list, tuple, dict, set)) else value


def as_text(value):
    """Text that Python 2 wrote as bytes."""
    return value.decode("ascii") if isinstance(value, bytes) else value


def storage_facts(pid):
    """(StorageType, key, place, number of elements) of a persistent id. Raises: UnpicklingError for another form."""
    if type(pid) is not tuple or not 5 <= len(pid) <= 6 or as_text(pid[0]) != "storage":
        raise UnpicklingError("a storage cannot be found by what the pickle says of it")
    _, kind, key, location, count = pid[:5]
    key, location = as_text(key), as_text(location)
    named = isinstance(kind, StorageType) and isinstance(key, str) and isinstance(location, str)
    if not named or type(count) is not int or count < 0:
        raise UnpicklingError(f"a storage cannot be found by {', '.join(str(shown(fact)) for fact in pid[:5])}")
    return kind, key, location, count


def globals_in(data):
    """The globals that a pickle asks for and that load would refuse."""
    look, known = Look(), Policy().known
    Machine(io.BytesIO(data), lambda pid: None, look).load()
    return [name for name in look.asked if name not in known]
