"""The pickler of save: tensors by torch's names, their memory as persistent ids. And the one that reads with trust."""

import io
import pickle
from collections import OrderedDict

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, given_attributes, strides
from jtorch.api.settings import layout
from jtorch.api.size import Size
from jtorch.api.storages import TypedStorage, UntypedStorage
from jtorch.devices import Device
from jtorch.nn.parameter import Parameter
from jtorch.rng.generator import Generator
from jtorch.serialization.names import Global, found, storage_type, written
from jtorch.serialization.safety import Machine
from jtorch.serialization.stored import REBUILDS, TYPED

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


class Pickler(pickle._Pickler):
    """Pickles in which a tensor is what torch's own files say of it. storages: their memory, by key."""

    def __init__(self, file, protocol, persistent):
        super().__init__(file, protocol)
        self.storages = _Writer()
        self._persistent = persistent

    def persistent_id(self, obj):
        """What stands for a storage: its class, key, place and number of elements."""
        if isinstance(obj, (UntypedStorage, TypedStorage)):
            obj = Memory(obj._cell, getattr(obj, "dtype", dtypes.uint8))
        elif not isinstance(obj, Memory):
            return None
        kind, _ = storage_type(obj.dtype)
        cell = obj.cell
        count = _nbytes(cell) // kind.dtype.itemsize
        return self._persistent(kind, self.storages.key_of(cell, kind), str(cell.aval.device), count)

    def reducer_override(self, obj):
        """How tensors and torch's other values are made again; for the rest pickle's own way."""
        if isinstance(obj, Tensor):
            return _tensor(obj, self.proto)
        if isinstance(obj, Size):
            return Global("torch", "Size"), (tuple(obj),)
        if isinstance(obj, Device):
            return Global("torch", "device"), (obj.type,) if obj.index is None else (obj.type, obj.index)
        if isinstance(obj, Generator):
            offset = None if obj.device.type == "cpu" else obj.get_offset()
            return Generator, (obj.device,), (obj.initial_seed(), offset, obj.get_state())
        if isinstance(obj, layout):
            return Global("torch.serialization", "_get_layout"), (str(obj),)
        name = written(obj)
        return NotImplemented if name is None else name[1]

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


def _nbytes(cell):
    kind = cell.aval
    count = kind.dtype.itemsize
    for size in kind.shape:
        count *= size
    return count


def _tensor(tensor, protocol):
    if isinstance(tensor, Parameter) and type(tensor).__reduce_ex__ is Parameter.__reduce_ex__:
        _, args = tensor.__reduce_ex__(protocol)
        return Global(_UTILS, f"_rebuild_parameter{'_with_state' if len(args) == 4 else ''}"), args
    if type(tensor).__reduce_ex__ not in (Tensor.__reduce_ex__, Parameter.__reduce_ex__):
        return NotImplemented  # a subclass with a way of its own
    made = _plain(tensor)
    state = given_attributes(tensor)
    if type(tensor) is Tensor and not state:
        return made
    return Global("torch._tensor", "_rebuild_from_type_v2"), (made[0], type(tensor), made[1], state)


def _plain(tensor):
    kind = aval(tensor)
    size, steps = tuple(kind.shape), tuple(strides(tensor))
    if kind.device.type == "meta":
        return Global(_UTILS, "_rebuild_meta_tensor_no_storage"), (kind.dtype, size, steps, tensor.requires_grad)
    _, typed = storage_type(kind.dtype)
    facts = (tensor.storage_offset(), size, steps, tensor.requires_grad, OrderedDict())
    memory = Memory(tensor._storage, kind.dtype)
    if typed:
        return Global(_UTILS, "_rebuild_tensor_v2"), (memory, *facts)
    return Global(_UTILS, "_rebuild_tensor_v3"), (memory, *facts, kind.dtype)


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
    file = io.BytesIO()
    if pickle_module is pickle:
        pickler = Pickler(file, protocol, persistent)
    else:
        pickler = _of_module(pickle_module)(file, protocol, persistent)
    pickler.dump(obj)
    return file.getvalue(), pickler.storages.cells


def _of_module(pickle_module):
    class Other(pickle_module.Pickler):
        """Another module's Pickler, with jtorch's tensors in it; it is read with the same module."""

        def __init__(self, file, protocol, persistent):
            super().__init__(file, protocol=protocol)
            self.storages, self._persistent = _Writer(), persistent

        persistent_id = Pickler.persistent_id

        def reducer_override(self, obj):
            """Tensors as torch's pickles have them, by functions of ours."""
            made = _tensor(obj, 2) if isinstance(obj, Tensor) else NotImplemented
            if made is NotImplemented:
                return super().reducer_override(obj) if hasattr(super(), "reducer_override") else made
            name = f"{made[0].module}.{made[0].name}"
            return REBUILDS.get(name) or TYPED[name], tuple(_function(x) for x in made[1])

    return Other


def _function(value):
    return REBUILDS[f"{value.module}.{value.name}"] if isinstance(value, Global) else value
