"""Storage: the mutable cell behind tensors that share memory. An in-place op puts a new Ref into it."""

import sys

import numpy as np

from jtorch import modes
from jtorch.engine import flush
from jtorch.engine.ref import Ref, of_array


class Storage:
    """A cell with the Ref of the current value, counted by `version` (writes) and `graph` (writes with autograd)."""

    version = 0
    graph = 0

    def __init__(self, ref):
        self.ref = ref

    @property
    def aval(self):
        """What is known of the value without looking at it."""
        return self.ref.aval

    def put(self, ref):
        """Write: a new value takes the place of the old one."""
        self.ref = ref
        self.version += 1

    def touch(self):
        """Count a change that is no write, as of a tensor's own sizes."""
        self.version += 1


ALONE = 2  # references to an array that only its storage holds: the storage's own, and getrefcount's argument
BRIEF = 4096  # bytes up to which it is quicker to compare copies than arrays


class SharedStorage(Storage):
    """A storage whose memory is also a NumPy array's: writes through either are seen through the other.

    `owner` is the array that owns the memory; once nobody else holds it, the storage is an ordinary one again.
    `words` is that memory as whole words, None where it is strided; `seen` is what it held when it was last looked at.
    """

    unshared = Storage

    @property
    def ref(self):
        if not self._unchanged():
            self._look()
            self.__dict__["ref"] = of_array(self.seen, self.aval.device)
        ref = self.__dict__["ref"]
        if sys.getrefcount(self.owner) <= (ALONE if self.words is None else ALONE + 1):
            self.__class__ = self.unshared
            del self.owner, self.words, self.seen, self.seen_words
        return ref

    @ref.setter
    def ref(self, ref):
        self.__dict__["ref"] = ref
        array = window(self)
        np.copyto(array, np.asarray(flush.value(ref)).reshape(array.shape))
        self._look()

    @property
    def aval(self):
        """What is known of the value; a write from outside does not change it."""
        return self.__dict__["ref"].aval

    def tie(self, owner, lies):
        """Share the memory of owner: the part of it that lies at (start, shape, strides, dtype)."""
        self.owner, self.lies, self.words = owner, lies, None
        array = window(self)
        if array.flags.c_contiguous:
            self.words = _words(array)
        self._look()

    def _look(self):
        self.seen = window(self).copy()
        self.seen_words = _words(self.seen)

    def _unchanged(self):
        words = self.words
        if words is None:
            words = _words(window(self))
        if words.nbytes <= BRIEF:
            return words.tobytes() == self.seen_words.tobytes()
        return bool((words == self.seen_words).all())


def window(storage):
    """The shared memory as a NumPy array of the storage's shape."""
    start, shape, strides, dtype = storage.lies
    if start is None:
        return storage.owner
    flat = storage.owner.reshape(-1, copy=False).view(np.uint8)
    return np.ndarray(shape, dtype, flat.data, start, strides)


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


def _words(array):
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint64 if flat.nbytes % 8 == 0 else np.uint8)


def share(storage, array):
    """Tie a storage to a NumPy array that holds the same values and that somebody outside may write to."""
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    start = None
    if owner is not array and owner.flags.c_contiguous and owner.flags.writeable:
        start = array.ctypes.data - owner.ctypes.data
    else:
        owner = array
    storage.__class__ = _SHARED.get(type(storage), type(storage))
    storage.tie(owner, (start, array.shape, array.strides, array.dtype))


def shared_array(storage):
    """The NumPy array a storage is tied to, or None."""
    return window(storage) if isinstance(storage, SharedStorage) else None


def of_numpy(array, device):
    """A storage with the value of a NumPy array that nobody writes to any more."""
    return Storage(of_array(array, device))


__all__ = ["InferenceStorage", "Ref", "SharedStorage", "Storage", "infer", "of_numpy", "share", "shared_array"]
