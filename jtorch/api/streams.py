"""torch.Stream and torch.Event: queues of any device, whose work is done in the order of the program."""

from jtorch import devices
from jtorch.engine import flush


class Stream:
    """A queue of a device's work; without a device, of the accelerator, or of the CPU where there is none.

    Raises: RuntimeError for a kind of device that there is not.
    """

    def __init__(self, device=None, priority=0):
        self.device = devices.get("cuda" if device is None and devices.cuda_devices() else device or "cpu")
        self.stream_id = 0

    @property
    def device_index(self):
        """The number of the device; -1 of the CPU."""
        return -1 if self.device.index is None else self.device.index

    @property
    def device_type(self):
        """torch's number for the kind of device: 0 for the CPU, 1 for cuda."""
        return {"cpu": 0, "cuda": 1, "meta": 14}[self.device.type]

    def query(self):
        """Whether the device has done all that was given to it."""
        return True

    def synchronize(self):
        """Run what is pending and wait until the device has done it."""
        flush.finish(self.device)

    def record_event(self, event=None):
        """An event that comes when the device has done what it was given. Raises RuntimeError on the CPU."""
        raise RuntimeError(f"{self.device.type} backend doesn't support events.")

    def wait_event(self, event):
        """Nothing to do: what was given before is done before."""

    def wait_stream(self, other):
        """Nothing to do within a device. Raises RuntimeError on the CPU, as recording an event does."""
        self.record_event()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass

    def __eq__(self, other):
        return isinstance(other, Stream) and self.device == other.device and self.stream_id == other.stream_id

    def __hash__(self):
        return hash((self.device, self.stream_id))

    def __repr__(self):
        kind = f"device_type={self.device.type}, device_index={self.device_index}"
        return f"torch.Stream {kind}, stream_id={self.stream_id}"


class Event:
    """A point in a device's work. On the CPU it cannot be recorded, and has always come."""

    def __new__(cls, device=None, enable_timing=False, blocking=False, interprocess=False):
        self = super().__new__(cls)
        self.device = devices.get(device or "cpu")
        self.timed = enable_timing
        self.event_id = 0
        return self

    def record(self, stream=None):
        """Raises RuntimeError: the CPU has no events."""
        raise RuntimeError(f"{self.device.type} backend doesn't support events.")

    def wait(self, stream=None):
        """Nothing to do: what was given before is done before."""

    def query(self):
        """Whether it has come."""
        return True

    def synchronize(self):
        """Wait until it has come."""

    def elapsed_time(self, end_event):
        """Milliseconds between two events. Raises ValueError for events that were not recorded with times."""
        if not (self.timed and end_event.timed):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        raise ValueError("Both events must be recorded before calculating elapsed time.")

    def __repr__(self):
        index = -1 if self.device.index is None else self.device.index
        kind = f"device_type={self.device.type}, device_index={index}"
        return f"torch.Event {kind}, event_flag={int(self.timed)}, event_id={self.event_id}"
