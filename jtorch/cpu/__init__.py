"""torch.cpu: the host asked in the words in which one asks an accelerator."""

import contextlib

from jtorch.cpu import amp
from jtorch.engine import flush

__all__ = [
    "Stream", "StreamContext", "amp", "current_device", "current_stream", "device_count", "is_available",
    "is_initialized", "set_device", "stream", "synchronize",
]  # fmt: skip


def is_available():
    """True."""
    return True


def is_initialized():
    """True."""
    return True


def synchronize(device=None):
    """Run what is pending."""
    flush.flush("sync")


def device_count():
    """1: torch counts all processors as one."""
    return 1


def current_device():
    """ "cpu"."""
    return "cpu"


def set_device(device):
    """Nothing to do: there is one."""


class Stream:
    """Kept for torch's sake: the host has one stream."""

    def __init__(self, priority: int = -1) -> None:
        pass

    def wait_stream(self, stream) -> None:
        """Nothing to do."""

    def record_event(self) -> None:
        """Nothing to do."""

    def wait_event(self, event) -> None:
        """Nothing to do."""


class Event:
    """Kept for torch's sake: what the host was asked to do is done."""

    def query(self) -> bool:
        """True."""
        return True

    def record(self, stream=None) -> None:
        """Nothing to do."""

    def synchronize(self) -> None:
        """Nothing to do."""

    def wait(self, stream=None) -> None:
        """Nothing to do."""


_default = Stream()


def current_stream(device=None):
    """The host's stream."""
    return _default


class StreamContext(contextlib.AbstractContextManager):
    """Context manager: work goes to a stream inside. The host has one."""

    def __init__(self, stream):
        self.stream = stream

    def __exit__(self, *exc):
        return None


def stream(stream):
    """Context manager: work goes to a stream inside. The host has one."""
    return StreamContext(stream)
