"""torch.cuda.nvtx: ranges for a profiler, which are JAX's annotations here."""

import contextlib
import threading

import jax

from jtorch.devices import cuda_devices

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]


class _Open(threading.local):
    def __init__(self):
        self.ranges = []


_open = _Open()


def _begin(msg):
    if not cuda_devices():
        raise RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")
    annotation = jax.profiler.TraceAnnotation(msg)
    annotation.__enter__()
    return annotation


def range_push(msg):
    """Begin a range inside the one that is open; how many were open. Raises RuntimeError without a cuda device."""
    _open.ranges.append(_begin(msg))
    return len(_open.ranges) - 1


def range_pop():
    """End the range that was begun last; how many stay open. Raises RuntimeError when none is open."""
    if not _open.ranges:
        raise RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")
    _open.ranges.pop().__exit__(None, None, None)
    return len(_open.ranges)


def range_start(msg):
    """Begin a range that may end in any order. Raises RuntimeError without a cuda device."""
    return _begin(msg)


def range_end(range_id):
    """End a range of range_start."""
    range_id.__exit__(None, None, None)


def mark(msg):
    """A range of no length. Raises RuntimeError without a cuda device."""
    range_end(_begin(msg))


@contextlib.contextmanager
def range(msg, *args, **kwargs):
    """Context manager: a range around what is inside. Raises RuntimeError without a cuda device."""
    range_push(msg.format(*args, **kwargs))
    try:
        yield
    finally:
        range_pop()
