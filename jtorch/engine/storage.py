"""Storage: the mutable cell behind tensors that share memory. An in-place op puts a new Ref into it."""

import sys

import numpy as np

from jtorch import devices, dtypes, modes
from jtorch.engine import flush
from jtorch.engine.ref import Ref, aval, of_array


class Storage:
    """A cell with the Ref of the current value. `version` counts the writes, `graph` what makes views look again
    for their grad_fn: writes but those through `.data`, and new histories.

    order: memory is row-major over the value's dims in this order, None for their own. born: the number of the
    transform of jtorch.func that it was made in.
    """

    version = 0
    graph = 0
    order = None
    born = 0

    def __init__(self, ref):
        self.ref = ref

    @property
    def aval(self):
        """The Aval of the current value."""
        return self.ref.aval

    def put(self, ref):
        """Write: a new value takes the place of the old one."""
        self.ref = ref
        self.version += 1
        self.graph += 1

    def touch(self):
        """Count a change that is no write, as of a tensor's own sizes."""
        self.version += 1

    def __reduce__(self):
        seen = self.aval
        # As it lies in memory, row by row: a pickle says by strides where the elements of its tensors are.
        order = range(len(seen.shape)) if self.order is None else self.order
        array = None if seen.device is devices.META else np.asarray(flush.value(self.ref)).transpose(order)
        return _restored, (array, tuple(seen.shape[dim] for dim in order), seen.dtype, str(seen.device))


def _restored(array, shape, dtype, device):
    """A storage out of a pickle; on the CPU where its device is not here."""
    if array is None:
        return Storage(Ref(aval(shape, dtype, devices.META)))
    place = devices.CPU if device == "cpu" or not devices.cuda_devices() else devices.get(device)
    return Storage(of_array(np.array(array), place))


class SharedStorage(Storage):
    """A storage whose memory is also somebody else's, as a NumPy array's: writes through either are seen by both.

    `memory`: its bytes, as an array. `seen`: what stood there when `ref` was made. `owner`: the array that owns the
    memory; once it has no more than `alone` references nobody else holds it, and the storage is an ordinary one again.
    """

    unshared = Storage

    @property
    def aval(self):
        """The Aval, which no write from outside can change."""
        return self.__dict__["ref"].aval

    @property
    def ref(self):
        ref = self.__dict__["ref"]
        if self.seen != self.memory:
            ref = self.__dict__["ref"] = _look(self, ref.aval)
        if sys.getrefcount(self.owner) <= self.alone:
            unshare(self)
        return ref

    @ref.setter
    def ref(self, ref):
        value = np.asarray(flush.value(ref))
        self.__dict__["ref"] = ref
        if value.nbytes != self.memory.nbytes or not self.memory.flags.writeable:
            unshare(self)
            return
        np.copyto(window(self), value)
        self.seen = bytearray(self.memory)


def _look(storage, aval):
    """A Ref of what stands in a storage's shared memory, which is noted as seen."""
    storage.seen = bytearray(storage.memory)
    return of_array(np.asarray(_laid(storage, np.frombuffer(storage.seen, np.uint8), aval), order="C"), aval.device)


def _laid(storage, memory, aval):
    """Bytes as the array that the storage's value is."""
    words, order = memory.view(aval.dtype.numpy), storage.order
    if order is None:
        return words.reshape(aval.shape)
    return words.reshape([aval.shape[dim] for dim in order]).transpose(np.argsort(order))


def window(storage):
    """The shared memory as a NumPy array of the storage's shape and dtype."""
    return _laid(storage, storage.memory, storage.aval)


def unshare(storage):
    """Give a storage memory of its own."""
    storage.__class__ = storage.unshared
    del storage.owner, storage.memory, storage.seen, storage.alone


class InferenceStorage(Storage):
    """The storage of tensors made in inference mode: outside nobody may write to them or save them for backward."""

    @property
    def version(self):
        """Raises RuntimeError: nobody counts the writes, so nothing can be saved."""
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
            "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
            "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
        )

    def put(self, ref):
        """Write. Raises RuntimeError outside inference mode."""
        self.touch()
        self.ref = ref

    def touch(self):
        """Raises RuntimeError outside inference mode."""
        if not modes.local.inference:
            raise RuntimeError(
                "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a "
                "normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more "
                "details."
            )


class SharedInferenceStorage(InferenceStorage, SharedStorage):
    """An InferenceStorage whose memory is also a NumPy array's."""

    unshared = InferenceStorage


_SHARED = {Storage: SharedStorage, InferenceStorage: SharedInferenceStorage}
_INFERENCE = {Storage: InferenceStorage, SharedStorage: SharedInferenceStorage}


def infer(storage):
    """Mark a storage as made in inference mode."""
    storage.__class__ = _INFERENCE.get(type(storage), type(storage))


def of_memory(array, shape, device):
    """A SharedStorage of this shape on the memory of a NumPy array, from its first element to its last."""
    storage = object.__new__(SharedStorage)
    kind = dtypes.from_numpy(array.dtype)
    _attach(storage, array)
    storage.__dict__["ref"] = _look(storage, aval(shape, kind, device))
    return storage


def share(storage, array):
    """Tie a storage to a C-contiguous NumPy array that holds the same values and that others may write to."""
    _attach(storage, array)
    storage.seen = bytearray(storage.memory)
    storage.__class__ = _SHARED.get(type(storage), type(storage))


def _attach(storage, array):
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    held = sys.getrefcount(owner)
    storage.memory, counted = _bytes_of(array, owner)
    storage.owner = owner
    # Memory that the array only borrows, as of a file or a bytearray, may have holders that nobody can count.
    counted = counted and owner.base is None
    storage.alone = sys.getrefcount(owner) - held + 1 if counted else 0


def _bytes_of(array, owner):
    """(the bytes from the first element of an array to its last, whether as a view of the owner)."""
    size = reach(array) * array.itemsize
    try:
        order = sorted(range(owner.ndim), key=lambda dim: -owner.strides[dim])
        whole = np.asarray(owner).transpose(order).reshape(-1, copy=False).view(np.uint8)
        start = array.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        return whole[start : start + size], True
    except (TypeError, ValueError):  # the owner has gaps, or its dtype can't be looked at as bytes
        one = np.lib.stride_tricks.as_strided(array, (reach(array),), (array.itemsize,))
        return one.view(np.uint8), False


def reach(array):
    """How many elements lie between an array's first one and its last, both included."""
    if not array.size:
        return 0
    return 1 + sum((n - 1) * step // array.itemsize for n, step in zip(array.shape, array.strides, strict=True))


def shared_array(storage):
    """The NumPy array a storage is tied to, or None."""
    return window(storage) if isinstance(storage, SharedStorage) else None


__all__ = [
    "InferenceStorage", "Ref", "SharedStorage", "Storage", "infer", "of_memory", "reach", "share", "shared_array",
    "unshare",
]  # fmt: skip
