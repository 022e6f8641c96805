"""torch.cuda's streams and events: JAX queues a device's work in the order of the program, which is the one stream."""

import time
from concurrent.futures import ThreadPoolExecutor

from jtorch import devices
from jtorch.api.streams import Event as AnyEvent
from jtorch.api.streams import Stream as AnyStream
from jtorch.devices import Current, Device
from jtorch.engine import flush

__all__ = [
    "Event",
    "ExternalStream",
    "Stream",
    "StreamContext",
    "current_stream",
    "default_stream",
    "set_stream",
    "stream",
]

_watch = ThreadPoolExecutor(1, "jtorch-events")  # notes the time at which a device is done: record() need not wait


def _place(device):
    if isinstance(device, int) and not isinstance(device, bool):
        device = Device("cuda", device)
    return devices.get("cuda" if device is None else device)


def _finished(marker):
    marker.block_until_ready()
    return time.perf_counter()


class Stream(AnyStream):
    """torch.cuda.Stream: a queue of a device's work. All streams of a device are its one queue, so none has to wait.

    Raises: RuntimeError without a cuda device.
    """

    def __init__(self, device=None, priority=0, **kwargs):
        if not devices.cuda_devices():
            raise RuntimeError("torch.cuda.Stream requires CUDA support")
        self.device = _place(device)
        self.priority = priority
        self.stream_id = self.cuda_stream = 0

    def query(self):
        """Whether the device has done all that was given to it."""
        return flush.marker(self.device).is_ready()

    def record_event(self, event=None):
        """An event that has come when the device has done what it was given so far."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_stream(self, stream):
        """Nothing to do within a device. What another device makes is waited for where it is copied."""

    def __repr__(self):
        return f"<torch.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream that another library made. Raises: RuntimeError, JAX's devices have none that can be shared."""

    def __init__(self, stream_ptr, device=None, **kwargs):
        raise RuntimeError(
            "ExternalStream: JAX has one queue for each device and takes no stream of another library; synchronize() "
            "both sides instead"
        )


class Event(AnyEvent):
    """torch.cuda.Event: a point in a device's work. It has come when all that was recorded before is done.

    Raises: RuntimeError without a cuda device.
    """

    def __new__(cls, enable_timing=False, blocking=False, interprocess=False, external=False):
        if not devices.cuda_devices():
            raise RuntimeError("Tried to instantiate dummy base class Event")
        self = super().__new__(cls, None, enable_timing)
        self._mark = self._come = None
        return self

    def record(self, stream=None):
        """Run what is pending on the stream's device; the event comes when that is done."""
        place = (current_stream() if stream is None else stream).device
        self._mark = flush.mark(place)
        self._come = _watch.submit(_finished, self._mark)

    def wait(self, stream=None):
        """Nothing to do within a device: what was given before is done before."""

    def query(self):
        """Whether it has come; an event that was not recorded has."""
        return self._mark is None or self._mark.is_ready()

    def synchronize(self):
        """Wait until it has come."""
        if self._come is not None:
            self._come.result()

    def elapsed_time(self, end_event):
        """Milliseconds from this event's coming to that of another.

        Raises: ValueError when either was made without enable_timing, was not recorded, or has not come.
        """
        # torch: these words, and this order.
        if not (self.timed and end_event.timed):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._come is None or end_event._come is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise RuntimeError("CUDA error: device not ready")
        return (end_event._come.result() - self._come.result()) * 1e3

    def __repr__(self):
        return "<torch.cuda.Event uninitialized>" if self._come is None else f"<torch.cuda.Event {id(self):#x}>"


def current_stream(device=None):
    """The stream of a cuda device: the only one that it has. Raises AssertionError without a cuda device."""
    return Stream(_place(device))


default_stream = current_stream


def set_stream(stream):
    """Make a stream the current one: its device becomes the current device."""
    if stream is not None:
        Current.index = stream.device.index


class StreamContext:
    """Context manager: the stream's device is the current one inside."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        self._before = Current.index
        set_stream(self.stream)

    def __exit__(self, *exc):
        Current.index = self._before


def stream(stream):
    """Context manager: work goes to a stream inside. None changes nothing."""
    return StreamContext(stream)
