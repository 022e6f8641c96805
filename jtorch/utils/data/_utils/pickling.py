"""Pickling between the main process and its workers: by value what `__main__` defines, arrays beside the bytes."""

import importlib
import io
import pickle
import sys
import threading
import types

import cloudpickle
import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, aval, read
from jtorch.engine.ref import of_array
from jtorch.engine.storage import Storage
from jtorch.shapes import contiguous_strides
from jtorch.utils.data._utils import channel, memory

_MAIN = "__main__"
_LENGTH = 8  # bytes in which the length of the table of a packed file stands
_DOORS = ("jtorch", "jtorch.nn.functional", "jtorch.linalg", "jtorch.fft", "jtorch.special")


class _Pickler(cloudpickle.Pickler):
    """What both directions have in common: jtorch's own names, and the memory of tensors."""

    def reducer_override(self, obj):
        if isinstance(obj, (type, types.FunctionType)):
            where = _own(obj)
            return super().reducer_override(obj) if where is None else (named, where)
        if isinstance(obj, Storage):
            return self._storage(obj)
        return super().reducer_override(obj)

    def _storage(self, cell):
        again = cell.__reduce__()
        array, shape, dtype, device = again[1]
        if array is None:
            return again
        # As bytes: NumPy has no buffers of bfloat16 and its like.
        raw = np.asarray(array, order="C").reshape(-1).view(np.uint8)
        return kept, (pickle.PickleBuffer(raw), shape, dtype.name, device)


def _own(obj):
    """(module, name) of a class or function of jtorch that pickle would not find by what it says of itself; or None."""
    module, name = getattr(obj, "__module__", None) or "", obj.__qualname__
    if not module.startswith(("torch", "jtorch")):
        return None
    if module.startswith("jtorch") and _at(sys.modules.get(module), name) is obj:
        return None  # where it says it is, pickle finds it
    return next(((door, name) for door in ("j" + module, *_DOORS) if _at(sys.modules.get(door), name) is obj), None)


def _at(module, name):
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def named(module, name):
    """A class or function by the module it is found in."""
    return _at(importlib.import_module(module), name)


def kept(raw, shape, dtype, device):
    """A storage on memory that came with a message. It is not copied."""
    place = devices.CPU if device == "cpu" or not devices.cuda_devices() else devices.get(device)
    kind = dtypes.by_name(dtype).numpy
    return Storage(of_array(np.frombuffer(raw, np.uint8).view(kind).reshape(shape), place))


class ToWorker(_Pickler):
    """Pickles what a worker needs.

    `defined`: the classes and functions of `__main__` that are part of it; `modules`: names of those it will import.
    """

    def __init__(self, file, **options):
        super().__init__(file, **options)
        self.defined = {}
        self.modules = set()

    def reducer_override(self, obj):
        if isinstance(obj, (type, types.FunctionType, types.ModuleType)):
            self.modules.add(obj.__name__ if isinstance(obj, types.ModuleType) else obj.__module__)
        if isinstance(obj, (type, types.FunctionType)) and obj.__module__ == _MAIN and "." not in obj.__qualname__:
            self.defined[obj.__qualname__] = obj
        if isinstance(obj, io.IOBase) and (again := _file(obj)) is not None:
            return again
        if isinstance(obj, _LOCKS):
            return type(obj) if isinstance(obj, type(threading.RLock())) else threading.Lock, ()
        return super().reducer_override(obj)

    def _storage(self, cell):
        if cell.aval.device.type not in ("cpu", "meta"):
            raise pickle.PicklingError("tensors on an accelerator stay in the process that made them")
        return super()._storage(cell)


_LOCKS = (type(threading.Lock()), type(threading.RLock()))


def _file(file):
    """How a file that is being read is opened again at the same place, or None."""
    name, mode = getattr(file, "name", None), getattr(file, "mode", None)
    if file.closed or not isinstance(name, str) or not isinstance(mode, str) or not set(mode) <= set("rbt"):
        return None
    text = {"encoding": file.encoding, "errors": file.errors} if isinstance(file, io.TextIOBase) else {}
    return reopened, (name, mode, file.tell(), text)


def reopened(name, mode, place, text):
    """A file opened for reading, at a place."""
    file = open(name, mode, **text)
    file.seek(place)
    return file


def pack(*parts):
    """(descriptor, length) of a nameless file that holds the parts, and the modules that may be imported beforehand.

    Raises what pickling raises for what can't be taken to another process.
    """
    file, buffers = io.BytesIO(), []
    pickler = ToWorker(file, protocol=5, buffer_callback=_aside(buffers))
    pickler.dump(parts)
    pickler.dump(dict(pickler.defined))
    pieces = [file.getbuffer(), *buffers]
    starts, end = memory.spots([len(piece) for piece in pieces])
    table = pickle.dumps([(start, start + len(piece)) for start, piece in zip(starts, pieces, strict=True)])
    first = _first(len(table))
    fd = memory.nameless(first + end)
    memory.write(fd, 0, len(table).to_bytes(_LENGTH, "little") + table)
    for start, piece in zip(starts, pieces, strict=True):
        memory.write(fd, first + start, piece)
    return fd, first + end, _lasting(pickler.modules)


def _lasting(names):
    """Those modules, among some and what the user's own ones of them use, that do not change while a program runs."""
    found, own = set(), set()
    for name in names:
        (found if _installed(name) else own).add(name)
    for name in own - {_MAIN}:
        for value in vars(sys.modules.get(name, types)).values():
            used = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
            if isinstance(used, str) and _installed(used):
                found.add(used)
    return sorted(found)


def _installed(name):
    """Whether a module is jtorch's own or a package that was installed."""
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return name.startswith("jtorch") or "site-packages" in file or "dist-packages" in file


def unpack(fd, length):
    """The parts in such a file. What they write to their arrays no other process sees."""
    whole = np.frombuffer(memory.mapped(fd, length, private=True), np.uint8)
    size = int.from_bytes(whole[:_LENGTH].tobytes(), "little")
    table = pickle.loads(whole[_LENGTH : _LENGTH + size].tobytes())
    rest = whole[_first(size) :]
    body, *buffers = (rest[start:end] for start, end in table)
    unpickler = pickle.Unpickler(io.BytesIO(body.tobytes()), buffers=buffers)
    parts = unpickler.load()
    vars(sys.modules[_MAIN]).update(unpickler.load())
    return parts


def _first(size):
    """Where the first piece lies behind a table of this size."""
    return memory.spots([_LENGTH + size])[1]


def _aside(buffers):
    """A buffer_callback that keeps large contiguous buffers out of the bytes."""

    def callback(buffer):
        try:
            raw = buffer.raw()
        except BufferError:
            return True
        if len(raw) < memory.SMALL:
            return True
        buffers.append(raw)
        return False

    return callback


class ToMain(_Pickler):
    """Pickles a batch: what `__main__` defines is found there, and of a view only what it shows is sent."""

    def reducer_override(self, obj):
        if obj is shown or obj is kept:
            return NotImplemented  # where they say they are, pickle finds them
        if isinstance(obj, (type, types.FunctionType)) and obj.__module__ == _MAIN:
            if _at(sys.modules[_MAIN], obj.__qualname__) is obj:
                return named, (_MAIN, obj.__qualname__)
        elif type(obj) is Tensor and not obj._rg:
            view = obj._view
            if view is not None and view.strides == contiguous_strides(aval(obj).shape):
                return shown, (Storage(read(obj)),)
            if view is None and len(vars(obj)) == 1:
                return shown, (obj._storage,)
        return super().reducer_override(obj)


def shown(cell):
    """A Tensor that shows a whole storage."""
    tensor = object.__new__(Tensor)
    tensor._storage = cell
    return tensor


def dump(obj):
    """(bytes, buffers) of a batch."""
    file, buffers = io.BytesIO(), []
    ToMain(file, protocol=5, buffer_callback=_aside(buffers)).dump(obj)
    return file.getbuffer(), buffers


def message(*parts):
    """(bytes, files) of a task, whose index may be of any kind. A long one goes in a file: sending never waits."""
    file = io.BytesIO()
    ToWorker(file, protocol=5).dump(parts)
    body = file.getbuffer()
    if len(body) <= channel.SMALL:
        return body, []
    fd = memory.nameless(len(body))
    memory.write(fd, 0, body)
    return b"", [fd]


def task(body, files):
    """The parts of such a message."""
    if not files:
        return pickle.loads(body)
    with open(files[0], "rb") as file:
        file.seek(0)
        return pickle.load(file)
