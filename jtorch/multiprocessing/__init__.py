"""torch.multiprocessing: Python's multiprocessing, whose processes are fresh interpreters, since JAX cannot be forked.

Tensors go between processes as copies: there is no memory that two processes share, so a write is not seen elsewhere.
"""

import multiprocessing as _python
import multiprocessing.context as _context
from multiprocessing import (
    AuthenticationError,
    BufferTooShort,
    ProcessError,
    TimeoutError,
    active_children,
    current_process,
    get_logger,
    log_to_stderr,
    parent_process,
    reducer,
)

from jtorch.multiprocessing import spawn as _spawn
from jtorch.multiprocessing.spawn import (
    ProcessContext,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    refuse_fork,
    start_processes,
)

spawn = _spawn.spawn


class _Context(_context.DefaultContext):
    """Python's default context, with fresh interpreters unless the program asks for something else."""

    def get_context(self, method=None):
        """The context of a start method. Raises: RuntimeError for fork."""
        refuse_fork(method)
        return super().get_context(method)

    def set_start_method(self, method, force=False):
        """Choose the start method. Raises: RuntimeError for fork, and when one was chosen already."""
        refuse_fork(method)
        super().set_start_method(method, force)

    def get_all_start_methods(self):
        """The names of the start methods that there are: those of Python, without fork."""
        return [method for method in super().get_all_start_methods() if method != "fork"]


_default = _Context(_python.get_context("spawn"))

_OF_CONTEXT = (
    "Array", "Barrier", "BoundedSemaphore", "Condition", "Event", "JoinableQueue", "Lock", "Manager", "Pipe", "Pool",
    "Queue", "RLock", "RawArray", "RawValue", "Semaphore", "SimpleQueue", "Value",
    "allow_connection_pickling", "cpu_count", "freeze_support", "get_all_start_methods", "get_context",
    "get_start_method", "set_executable", "set_forkserver_preload", "set_start_method",
)  # fmt: skip
globals().update({name: getattr(_default, name) for name in _OF_CONTEXT})


Process = _python.get_context("spawn").Process

__all__ = [
    "AuthenticationError", "BufferTooShort", "Process", "ProcessContext", "ProcessError", "ProcessExitedException",
    "ProcessRaisedException", "SpawnContext", "TimeoutError", "active_children", "current_process",
    "get_all_sharing_strategies", "get_logger", "get_sharing_strategy", "log_to_stderr", "parent_process", "reducer",
    "set_sharing_strategy", "spawn", "start_processes", *_OF_CONTEXT,
]  # fmt: skip

_STRATEGIES = {"file_descriptor", "file_system"}


class _Sharing:
    strategy = "file_descriptor"


def get_all_sharing_strategies():
    """The names of torch's ways to share memory. None of them is used: tensors are copied."""
    return _STRATEGIES


def get_sharing_strategy():
    """The name that was set."""
    return _Sharing.strategy


def set_sharing_strategy(new_strategy):
    """Take the name of a way to share memory, and go on copying. Raises: AssertionError for a name torch lacks."""
    if new_strategy not in _STRATEGIES:
        raise AssertionError(f"invalid sharing strategy {new_strategy!r}, expected one of {_STRATEGIES}")
    _Sharing.strategy = new_strategy
