"""The pickler of save: tensors by torch's names, their memory as persistent ids. And the one that reads with trust."""

import contextlib
import io
import pickle
from collections import OrderedDict

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, strides
from jtorch.api.settings import layout
from jtorch.api.size import Size
from jtorch.api.storages import TypedStorage, UntypedStorage
from jtorch.devices import Device
from jtorch.nn.parameter import Parameter
from jtorch.rng.generator import Generator
from jtorch.serialization.names import Global, found, named, storage_type, with_names, written
from jtorch.serialization.safety import Machine
from jtorch.serialization.stored import REBUILDS, TYPED
from jtorch.sparse import SparseTensor

_UTILS = "torch._utils"
_MIXED = "Cannot save multiple tensors or storages that view the same data as different types"


class Memory:
    """A storage as a pickle refers to it. cell: the engine's Storage."""

    def __init__(self, cell, dtype):
        self.cell, self.dtype = cell, dtype


class _Writer:
    """The storages that a pickle refers to, each with a key in the file."""

    def __init__(self):
        self.cells: dict = {}
        self._keys: dict = {}
        self._types: dict = {}

    def key_of(self, cell, kind):
        """The key of a storage. Raises: RuntimeError where another tensor reads it as another type."""
        if self._types.setdefault(id(cell), kind) != kind:
            raise RuntimeError(_MIXED)
        key = self._keys.setdefault(id(cell), str(len(self._keys)))
        self.cells[key] = cell
        return key


class _Renamed(Exception):
    """An object goes by another name in torch's files than here, which C's pickler cannot write."""


class _Said:
    """The part of a pickler that says of tensors, storages and torch's values what torch's own files say of them."""

    def begin(self, persistent):
        """storages: the memory that the pickle refers to, by key."""
        self.storages = _Writer()
        self._persistent = persistent

    def persistent_id(self, obj):
        """What stands for a storage: its class, key, place and number of elements."""
        if type(obj) in _PLAIN:
            return None
        if isinstance(obj, (UntypedStorage, TypedStorage)):
            obj = Memory(obj._cell, getattr(obj, "dtype", dtypes.uint8))
        elif not isinstance(obj, Memory):
            return None
        kind, _ = storage_type(obj.dtype)
        cell = obj.cell
        count = _nbytes(cell) // kind.dtype.itemsize
        return self._persistent(self.said(kind), self.storages.key_of(cell, kind), str(cell.aval.device), count)

    def said(self, kind):
        """How a StorageType is written: by its name alone."""
        return named(*written(kind))

    def reducer_override(self, obj):
        """How tensors and torch's other values are made again; for the rest pickle's own way."""
        if isinstance(obj, Tensor):
            return _tensor(obj)
        if isinstance(obj, Size):
            return named("torch", "Size"), (tuple(obj),)
        if isinstance(obj, Device):
            return named("torch", "device"), (obj.type,) if obj.index is None else (obj.type, obj.index)
        if isinstance(obj, Generator):
            offset = None if obj.device.type == "cpu" else obj.get_offset()
            return Generator, (obj.device,), (obj.initial_seed(), offset, obj.get_state())
        if isinstance(obj, layout):
            return named("torch.serialization", "_get_layout"), (str(obj),)
        name = written(obj)
        return NotImplemented if name is None else self.renamed(obj, name)


_PLAIN = {str, int, float, bool, type(None), tuple, list, dict, bytes, OrderedDict}


class Pickler(_Said, pickle._Pickler):
    """Pickles in which a tensor is what torch's own files say of it."""

    def renamed(self, obj, name):
        """`save_global` writes it."""
        return name[1]

    def save_global(self, obj, name=None):
        """Write the name of a class or a function, under torch's module where it is one of torch's."""
        known = written(obj)
        if known is None:
            super().save_global(obj, name)
        elif self.proto >= 4:
            self.save(known[0])
            self.save(known[1])
            self.write(pickle.STACK_GLOBAL)
            self.memoize(obj)
        else:
            self.write(pickle.GLOBAL + f"{known[0]}\n{known[1]}\n".encode())
            self.memoize(obj)


class QuickPickler(_Said, pickle.Pickler):
    """Pickles the same five times as fast, what has another name than here left out; `with_names` completes them."""

    def renamed(self, obj, name):
        """Globals have a name that is found here. Raises: _Renamed for the rest."""
        if type(obj) is not Global:
            raise _Renamed
        return obj.stand_in


def _nbytes(cell):
    kind = cell.aval
    count = kind.dtype.itemsize
    for size in kind.shape:
        count *= size
    return count


def _tensor(tensor):
    if isinstance(tensor, Parameter) and type(tensor).__reduce_ex__ is Parameter.__reduce_ex__:
        _, args = tensor.__reduce_ex__(2)
        return named(_UTILS, f"_rebuild_parameter{'_with_state' if len(args) == 4 else ''}"), args
    if isinstance(tensor, SparseTensor):
        parts = tensor._indices(), tensor._values(), Size(tensor.shape), tensor.is_coalesced()
        return named(_UTILS, "_rebuild_sparse_tensor"), (tensor.layout, parts)
    if type(tensor).__reduce_ex__ not in (Tensor.__reduce_ex__, Parameter.__reduce_ex__):
        return NotImplemented  # a subclass with a way of its own
    made = _plain(tensor)
    state = dict(vars(tensor))
    if type(tensor) is Tensor and not state:
        return made
    kind = written(type(tensor))
    return named("torch._tensor", "_rebuild_from_type_v2"), (
        made[0], type(tensor) if kind is None else named(*kind), made[1], state,
    )  # fmt: skip


def _plain(tensor):
    kind = aval(tensor)
    size, steps = tuple(kind.shape), tuple(strides(tensor))
    if kind.device.type == "meta":
        dtype = named(*written(kind.dtype))
        return named(_UTILS, "_rebuild_meta_tensor_no_storage"), (dtype, size, steps, tensor.requires_grad)
    _, typed = storage_type(kind.dtype)
    facts = (tensor.storage_offset(), size, steps, tensor.requires_grad, OrderedDict())
    memory = Memory(tensor._storage, kind.dtype)
    if typed:
        return named(_UTILS, "_rebuild_tensor_v2"), (memory, *facts)
    return named(_UTILS, "_rebuild_tensor_v3"), (memory, *facts, named(*written(kind.dtype)))


def trusting(pickle_module, persistent):
    """An Unpickler class that makes whatever the pickle asks for, torch's names meaning jtorch's."""

    class Unpickler(pickle_module.Unpickler):
        """Reads a pickle that is trusted."""

        def find_class(self, module, name):
            """The object of a global; of torch's, jtorch's."""
            known = REBUILDS.get(f"{module}.{name}") or TYPED.get(f"{module}.{name}")
            if known is not None:
                return known
            return found(module, name) if module.split(".")[0] == "torch" else super().find_class(module, name)

        def persistent_load(self, pid):
            """The storage of a persistent id."""
            return persistent(pid)

    return Unpickler


def unpickled(file, persistent, trusted):
    """The object of a pickle. trusted: None to read it safely, or (pickle module, arguments of its Unpickler)."""
    if trusted is None:
        return Machine(file, persistent).load()
    module, arguments = trusted
    return trusting(module, persistent)(file, **arguments).load()


def dumps(obj, pickle_module, protocol, persistent):
    """(pickle of an object, the storages that it refers to by key).

    pickle_module: pickle's own, or another whose Pickler a subclass is made of.
    """
    if pickle_module is not pickle:
        return _dumped(_of_module(pickle_module), obj, protocol, persistent)
    if protocol == 2:
        with contextlib.suppress(_Renamed):
            data, cells = _dumped(QuickPickler, obj, protocol, persistent)
            return with_names(data), cells
    return _dumped(Pickler, obj, protocol, persistent)


def _dumped(kind, obj, protocol, persistent):
    file = io.BytesIO()
    pickler = kind(file, protocol)
    pickler.begin(persistent)
    pickler.dump(obj)
    return file.getvalue(), pickler.storages.cells


def _of_module(pickle_module):
    class Other(pickle_module.Pickler):
        """Another module's Pickler, with jtorch's tensors in it; it is read with the same module."""

        def __init__(self, file, protocol):
            super().__init__(file, protocol=protocol)

        begin, persistent_id = _Said.begin, _Said.persistent_id

        def said(self, kind):
            """How a StorageType is written: as it is."""
            return kind

        def reducer_override(self, obj):
            """Tensors as torch's pickles have them, by functions of ours."""
            made = _tensor(obj) if isinstance(obj, Tensor) else NotImplemented
            if made is NotImplemented:
                return super().reducer_override(obj) if hasattr(super(), "reducer_override") else made
            return _meant(made[0]), tuple(map(_meant, made[1]))

    return Other


def _meant(value):
    """What a Global means here; any other value as it is."""
    if not isinstance(value, Global):
        return value
    name = f"{value.module}.{value.name}"
    return REBUILDS.get(name) or TYPED.get(name) or found(value.module, value.name)
