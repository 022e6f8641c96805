"""What a profile holds: events, their tree, sums of those with one name, and the files that are made of them."""

import itertools
import json
import os
from collections import namedtuple
from enum import IntEnum

from jtorch.autograd._profiler_table import format_time, table
from jtorch.errors import warn

__all__ = ["EventList", "FormattedTimesMixin", "FunctionEvent", "FunctionEventAvg", "Interval", "Kernel"]

Kernel = namedtuple("Kernel", "name device duration")


class DeviceType(IntEnum):
    """The kinds of devices that an event may have happened on."""

    CPU = 0
    CUDA = 1

    __str__ = __repr__ = lambda self: f"DeviceType.{self.name}"


class Interval:
    """From start to end, in microseconds."""

    def __init__(self, start, end):
        self.start, self.end = start, end

    def elapsed_us(self):
        """How long it is."""
        return self.end - self.start


def _shown(name):
    return property(lambda self: format_time(getattr(self, name)), doc=f"{name} as text.")


class FormattedTimesMixin:
    """Times per call, and times as text. Needs `*_time_total` and `count`."""

    cpu_time_str = _shown("cpu_time")
    device_time_str = _shown("device_time")
    cpu_time_total_str = _shown("cpu_time_total")
    device_time_total_str = _shown("device_time_total")
    self_cpu_time_total_str = _shown("self_cpu_time_total")
    self_device_time_total_str = _shown("self_device_time_total")

    @property
    def cpu_time(self):
        """Microseconds per call on the host."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def device_time(self):
        """Microseconds per call on the device."""
        return self.device_time_total / self.count if self.count else 0.0

    @property
    def cuda_time(self):
        """device_time (deprecated in torch)."""
        warn("`cuda_time` is deprecated, please use `device_time` instead.", FutureWarning)
        return self.device_time


class FunctionEvent(FormattedTimesMixin):
    """One call, or one range of record_function: when it began and ended, and what was called in it."""

    def __init__(
        self, id, name, thread, start_us, end_us, overload_name="", fwd_thread=None, input_shapes=None, stack=None,
        scope=0, use_device=None, cpu_memory_usage=0, device_memory_usage=0, is_async=False, is_remote=False,
        sequence_nr=-1, node_id=-1, device_type=DeviceType.CPU, device_index=0, is_legacy=False, flops=None,
        trace_name=None, is_user_annotation=False,
    ):  # fmt: skip
        self.id, self.name, self.thread = id, name, thread
        self.overload_name, self.trace_name = overload_name, trace_name or name
        self.time_range = Interval(start_us, end_us)
        self.fwd_thread, self.sequence_nr, self.node_id = fwd_thread, sequence_nr, node_id
        self.input_shapes, self.stack, self.scope = input_shapes, [] if stack is None else stack, scope
        self.use_device, self.device_type, self.device_index = use_device, device_type, device_index
        self.cpu_memory_usage, self.device_memory_usage = cpu_memory_usage, device_memory_usage
        self.is_async, self.is_remote, self.is_legacy = is_async, is_remote, is_legacy
        self.is_user_annotation = is_user_annotation
        self.flops = flops
        self.kernels, self.cpu_children, self.cpu_parent = [], [], None
        self.count = 1

    def append_kernel(self, name, device, duration):
        """Add work that it gave to a device, in microseconds."""
        self.kernels.append(Kernel(name, device, duration))

    def append_cpu_child(self, child):
        """Add a call that was made in it."""
        self.cpu_children.append(child)
        child.cpu_parent = self

    @property
    def key(self):
        """Its name."""
        return self.name

    @property
    def cpu_time_total(self):
        """Microseconds from its beginning to its end."""
        return self.time_range.elapsed_us() if self.device_type == DeviceType.CPU else 0

    @property
    def self_cpu_time_total(self):
        """Microseconds, without the calls in it."""
        if self.is_async or self.device_type != DeviceType.CPU:
            return 0
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def device_time_total(self):
        """Microseconds that the device worked for it."""
        if self.is_async or not self.use_device:
            return 0
        if self.device_type != DeviceType.CPU:
            return self.time_range.elapsed_us()
        return self.self_device_time_total + sum(child.device_time_total for child in self.cpu_children)

    @property
    def self_device_time_total(self):
        """Microseconds that the device worked for it, without the calls in it."""
        if self.is_async or not self.use_device:
            return 0
        if self.device_type != DeviceType.CPU:
            return self.time_range.elapsed_us()
        return sum(kernel.duration for kernel in self.kernels)

    @property
    def self_cpu_memory_usage(self):
        """Bytes, without the calls in it."""
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    @property
    def self_device_memory_usage(self):
        """Bytes on the device, without the calls in it."""
        return self.device_memory_usage - sum(child.device_memory_usage for child in self.cpu_children)

    def __repr__(self):
        device = self.use_device
        return (
            f"<FunctionEvent id={self.id} name={self.name} overload_name={self.overload_name} "
            f"device_type={self.device_type} node_id={self.node_id} cpu_time={self.cpu_time_str} "
            f"start_us={self.time_range.start} end_us={self.time_range.end} "
            f"cpu_children={[child.id for child in self.cpu_children]} {device}_time={self.device_time_str} "
            f"name={self.name} thread={self.thread} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage} {device}_memory_usage={self.device_memory_usage} "
            f"is_async={self.is_async} is_remote={self.is_remote} seq_nr={self.sequence_nr} is_legacy={self.is_legacy}>"
        )


_SUMMED = (
    "cpu_time_total", "device_time_total", "self_cpu_time_total", "self_device_time_total", "cpu_memory_usage",
    "device_memory_usage", "self_cpu_memory_usage", "self_device_memory_usage", "count",
)  # fmt: skip
_TAKEN = (
    "key", "node_id", "is_async", "is_remote", "cpu_parent", "cpu_children", "overload_name", "input_shapes", "stack",
    "scope", "device_type", "is_legacy", "use_device", "is_user_annotation",
)  # fmt: skip


class FunctionEventAvg(FormattedTimesMixin):
    """The sums of events with one name; `cpu_time` and `device_time` are per call."""

    def __init__(self):
        self.key = None
        self.flops = 0
        for name in _SUMMED:
            setattr(self, name, 0)

    def add(self, other):
        """Add an event, or other sums. Raises: AssertionError for another name."""
        if self.key is None:
            for name in _TAKEN:
                setattr(self, name, getattr(other, name))
        if other.key != self.key:
            raise AssertionError(f"Expected keys to match, but got {other.key} vs {self.key}")
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.flops += other.flops or 0
        return self

    __iadd__ = add

    def __repr__(self):
        device = self.use_device or "cuda"
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str}  self_{device}_time={self.self_device_time_total_str} "
            f"{device}_time={self.device_time_str} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage} {device}_memory_usage={self.device_memory_usage}>"
        )


class EventList(list):
    """Events, or their sums. use_device: the kind of device whose time is shown beside the host's, or None."""

    def __init__(self, *args, use_device=None, profile_memory=False, with_flops=False):
        super().__init__(*args)
        self._use_device, self._profile_memory, self._with_flops = use_device, profile_memory, with_flops
        self._tree_built = False

    def _build_tree(self):
        """Put each event into the one of its thread during which it began."""
        order = sorted(
            (e for e in self if e.device_type == DeviceType.CPU),
            key=lambda e: (e.thread, e.time_range.start, -e.time_range.end),
        )
        for _, events in itertools.groupby(order, key=lambda e: e.thread):
            around = []
            for event in events:
                while around and event.time_range.start >= around[-1].time_range.end:
                    around.pop()
                if around:
                    around[-1].append_cpu_child(event)
                around.append(event)
        self._tree_built = True

    def __str__(self):
        return self.table()

    @property
    def self_cpu_time_total(self):
        """Microseconds of all events on the host."""
        return sum(event.self_cpu_time_total for event in self)

    def table(
        self, sort_by=None, row_limit=100, max_src_column_width=75, max_name_column_width=55,
        max_shapes_column_width=80, header=None, top_level_events_only=False, time_unit=None,
    ):  # fmt: skip
        """A table in torch's layout. sort_by: the attribute by which the rows are sorted, the largest first."""
        rows = list(self)
        if sort_by is not None:
            rows.sort(key=lambda e: getattr(e, sort_by.replace("cuda", "device")), reverse=True)
        return table(
            rows, row_limit=row_limit, header=header, widest_name=max_name_column_width,
            widest_shapes=max_shapes_column_width, widest_source=max_src_column_width, memory=self._profile_memory,
            flops=self._with_flops, top_level=top_level_events_only, unit=time_unit,
        )  # fmt: skip

    def key_averages(self, group_by_input_shapes=False, group_by_stack_n=0, group_by_overload_name=False):
        """The sums of events of one name (and one list of shapes, lines of the stack, overload name).

        Raises: AssertionError when this list is such sums already.
        """
        if not self._tree_built:
            raise AssertionError("Expected tree to be built before calling key_averages")
        sums = {}
        for event in self:
            key = (
                event.key, event.node_id, event.device_type, event.is_legacy, event.is_user_annotation,
                event.overload_name if group_by_overload_name else "",
                str(event.input_shapes) if group_by_input_shapes else "", *event.stack[:group_by_stack_n],
            )  # fmt: skip
            sums.setdefault(key, FunctionEventAvg()).add(event)
        for total in sums.values():
            total.stack = total.stack[:group_by_stack_n]
            if not group_by_input_shapes:
                total.input_shapes = ""
            if not group_by_overload_name:
                total.overload_name = ""
        return EventList(
            sums.values(), use_device=self._use_device, profile_memory=self._profile_memory, with_flops=self._with_flops
        )

    def total_average(self):
        """The sums of all events, as one called Total."""
        total = FunctionEventAvg()
        for event in self:
            total.add(event)
            total.key = None
        total.key = "Total"
        return total

    def export_chrome_trace(self, path):
        """Write the events as a JSON file that chrome://tracing, Perfetto and TensorBoard's profiler read."""
        events = [
            {
                "ph": "X", "cat": "user_annotation" if event.is_user_annotation else "cpu_op", "name": event.trace_name,
                "pid": os.getpid(), "tid": event.thread, "ts": event.time_range.start,
                "dur": event.time_range.elapsed_us(),
                "args": {"External id": event.id, "Input Dims": event.input_shapes or [], "Call stack": event.stack},
            }
            for event in self
        ]  # fmt: skip
        with open(path, "w") as file:
            json.dump({"schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": events}, file)

    def supported_export_stacks_metrics(self):
        """The names of what export_stacks counts."""
        return ["self_cpu_time_total", "self_cuda_time_total", "self_xpu_time_total", "self_privateuse1_time_total"]

    def export_stacks(self, path, metric):
        """Write a line for each event with a stack, for flame graphs. Raises: ValueError for another metric."""
        if metric not in self.supported_export_stacks_metrics():
            raise ValueError(f"metric should be one of: {self.supported_export_stacks_metrics()}")
        plain = str.maketrans(" ;\t\n", "____")
        with open(path, "w") as file:
            for event in self:
                value = int(getattr(event, metric.replace("cuda", "device").replace("xpu", "device"), 0))
                if event.stack and value > 0:
                    file.write(";".join(line.translate(plain) for line in reversed(event.stack)) + f" {value}\n")
