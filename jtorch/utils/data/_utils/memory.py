"""Memory that two processes share: files without a name, freed with their last user, however that ends."""

import mmap
import os
import tempfile
import weakref

import numpy as np

SMALL = 1 << 15  # bytes from which memory is shared; less goes through the channel
_ALIGNED = 64
_MAX_LIVE = 100  # each mapping holds a file open, of which a process may have a few hundred


def nameless(size):
    """The descriptor of a file of this size that has no name."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("jtorch")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd


def mapped(fd, size, private=False):
    """The memory of such a file; private: what is written is not seen by others. The descriptor is closed."""
    flags = mmap.MAP_PRIVATE if private else mmap.MAP_SHARED
    try:
        return mmap.mmap(fd, size, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    finally:
        os.close(fd)


def write(fd, start, buffer):
    """Write a buffer into a file. It need not be mapped for that, which would take twice as long."""
    rest = memoryview(buffer)
    while rest:
        done = os.pwrite(fd, rest, start)
        rest, start = rest[done:], start + done


def address(buffer):
    """Where the first byte of a buffer lies."""
    return np.frombuffer(buffer, np.uint8).__array_interface__["data"][0] if len(buffer) else 0


def spots(sizes):
    """(where each of several buffers begins in a common memory, how long that is)."""
    starts, end = [], 0
    for size in sizes:
        starts.append(end)
        end += -(-size // _ALIGNED) * _ALIGNED
    return starts, end


class _Private:
    """Arrays of this process's own: what is used outside of workers."""

    @staticmethod
    def empty(shape, dtype):
        return np.empty(shape, dtype)


class Allocator:
    """Where the arrays of collated batches are made."""

    current = _Private


def empty(shape, dtype):
    """A NumPy array without values, in a worker in memory that the main process can read."""
    return Allocator.current.empty(shape, dtype)


class Arena:
    """A worker's pieces of shared memory. The main process says when a piece may be used again."""

    def __init__(self):
        self._pieces = {}  # number -> (memory, its address)
        self._free = []
        self._made = 0
        self._new = {}  # number -> descriptor, of pieces that the main process has not seen
        self._taken = {}  # number -> size, of pieces handed out since the last message
        self._held = {}  # number -> weak reference to the array that was handed out on it

    def empty(self, shape, dtype):
        """A NumPy array without values, in a piece of its own unless it is small."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if size < SMALL:
            return np.empty(shape, dtype)
        number = self._take(size)
        whole = np.frombuffer(self._pieces[number][0], np.uint8)
        self._held[number] = weakref.ref(whole)
        return whole[:size].view(dtype).reshape(shape)

    def _take(self, size):
        fitting = [n for n in self._free if size <= len(self._pieces[n][0]) <= 2 * size + SMALL and self._unheld(n)]
        if fitting:
            number = min(fitting, key=lambda n: len(self._pieces[n][0]))
            self._free.remove(number)
        else:
            number, self._made = self._made, self._made + 1
            fd = nameless(size)
            self._new[number] = fd
            memory = mapped(os.dup(fd), size)
            self._pieces[number] = memory, address(memory)
        self._taken[number] = size
        return number

    def _unheld(self, number):
        """Whether the worker's own program has let go of a piece, as its cache may not have."""
        held = self._held.get(number)
        return held is None or held() is None

    def place(self, buffers):
        """[(number, start, size)] of contiguous buffers: those that lie in no piece yet are copied into a new one."""
        places, strangers = [], []
        for i, buffer in enumerate(buffers):
            found = self._find(buffer)
            places.append(found)
            if found is None:
                strangers.append(i)
        if strangers:
            starts, end = spots([len(buffers[i]) for i in strangers])
            number = self._take(end)
            for i, start in zip(strangers, starts, strict=True):
                self._pieces[number][0][start : start + len(buffers[i])] = buffers[i]
                places[i] = number, start, len(buffers[i])
        return places

    def _find(self, buffer):
        first = address(buffer)
        for number in self._taken:
            memory, start = self._pieces[number]
            if start <= first and first + len(buffer) <= start + len(memory):
                return number, first - start, len(buffer)
        return None

    def sent(self, used):
        """(numbers, lengths, descriptors) of the pieces that are new to the main process; what is not used is free."""
        for number in self._taken:
            if number not in used:
                self._free.append(number)
        self._taken.clear()
        fresh = [number for number in self._new if number in used]
        files = [self._new.pop(number) for number in fresh]
        return fresh, [len(self._pieces[number][0]) for number in fresh], files

    def give_back(self, free, gone):
        """Take back pieces that the main process no longer reads: `free` ones are used again, `gone` ones are not."""
        self._free += free
        for number in gone:
            del self._pieces[number]
            self._held.pop(number, None)


class Mappings:
    """The main process's side of an Arena: arrays on its pieces, which are given back when the last array dies."""

    live = 0  # pieces of all workers that are being read

    def __init__(self, keep):
        self._keep = keep  # pieces to leave to the worker for use again
        self._memory = {}
        self._free, self._gone = [], []

    def add(self, numbers, lengths, files):
        """Learn of new pieces."""
        for number, length, fd in zip(numbers, lengths, files, strict=True):
            self._memory[number] = mapped(fd, length)

    def arrays(self, places):
        """The bytes at these places, as uint8 arrays."""
        roots = {}
        for number in {number for number, _, _ in places}:
            roots[number] = root = np.frombuffer(self._memory[number], np.uint8)
            Mappings.live += 1
            weakref.finalize(root, self._release, number).atexit = False
        crowded = Mappings.live > _MAX_LIVE
        found = [roots[number][start : start + size] for number, start, size in places]
        return [array.copy() for array in found] if crowded else found

    def _release(self, number):
        Mappings.live -= 1
        if len(self._memory) > self._keep:
            del self._memory[number]
            self._gone.append(number)
        else:
            self._free.append(number)

    def returned(self):
        """(free, gone): the numbers of pieces given back since the last call."""
        free, self._free = self._free, []
        gone, self._gone = self._gone, []
        return free, gone
