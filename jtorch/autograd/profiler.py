"""torch.autograd.profiler: what was called, and how long it took.

Inside a profile each op runs alone at its call and is waited for, as under JTORCH_EAGER, so that a time is the time of
the op that it stands at. Without a profile the ops of a step are one program, in which no op has a time of its own;
what such programs take, jax.profiler shows. Compiling is an event of its own, `jtorch::compile`, inside of the op that
needed it.
"""

import contextlib
import functools
import itertools
import sys
import threading
import time

import jax

from jtorch.autograd.profiler_util import DeviceType, EventList, FunctionEvent
from jtorch.engine import debug, flush, stats, trace
from jtorch.engine.ref import Ref
from jtorch.errors import is_own

__all__ = ["EnforceUnique", "EventList", "FunctionEvent", "emit_itt", "emit_nvtx", "profile", "record_function"]


class _Recorder:
    """The profile that is on, if any."""

    current = None


class _Recording:
    """Events as they come, between start and stop."""

    def __init__(self, shapes, memory, flops, stack):
        self.shapes, self.memory, self.flops, self.stack = shapes, memory, flops, stack
        self.no_shapes = [] if shapes else None
        self.events = []
        self.ids = itertools.count(1)
        self.device = None

    def start(self):
        """Run what is pending, then let every op run at its call, and note it."""
        flush.flush("sync")
        self.plain, self.eager = trace.record, debug.EAGER
        self.begin = time.perf_counter_ns()
        trace.record, debug.EAGER = self._timed, True
        _Recorder.current = self

    def stop(self):
        """Put the recorder of ops back."""
        trace.record, debug.EAGER = self.plain, self.eager
        _Recorder.current = None
        for event in self.events:
            event.use_device = self.device

    def now(self):
        """Microseconds since the start."""
        return (time.perf_counter_ns() - self.begin) / 1e3

    def add(self, name, start, end, **fields):
        """Note that something happened."""
        stack = _stack() if self.stack else None
        thread = threading.get_native_id()
        event = FunctionEvent(next(self.ids), name, thread, start, end, stack=stack, **fields)
        self.events.append(event)
        return event

    def _timed(self, op, attrs, ins, device):
        start, compiled = self.now(), stats.compile_seconds
        outs, sig = self.plain(op, attrs, ins, device)
        given = self.now()
        for ref in outs:
            if isinstance(ref.value, jax.Array) and not isinstance(ref.value, jax.core.Tracer):
                ref.value.block_until_ready()
        end = self.now()
        seconds = stats.compile_seconds - compiled
        if seconds:
            self.add("jtorch::compile", start, min(start + seconds * 1e6, given), input_shapes=self.no_shapes)
        made = sum(ref.aval.dtype.itemsize * _numel(ref.aval.shape) for ref in outs)
        used = "device_memory_usage" if device.type == "cuda" else "cpu_memory_usage"
        event = self.add(_title(op), start, end, **({used: made} if self.memory else {}))
        if self.shapes:
            event.input_shapes = [list(x.aval.shape) if type(x) is Ref else [] for x in ins]
        if self.flops and not hasattr(op, "op"):
            event.flops = _flops(op.name, [x.aval.shape if type(x) is Ref else () for x in ins], outs)
        if device.type == "cuda":
            self.device = "cuda"
            event.append_kernel(op.name, device.index, end - given)
            where = {"device_type": DeviceType.CUDA, "device_index": device.index}
            self.add(op.name, given, end, input_shapes=self.no_shapes, **where)
        return outs, sig


def _numel(shape):
    count = 1
    for size in shape:
        count *= size
    return count


def _title(op):
    """The name that torch gives a call: `aten::relu`, or that of the node of its gradient."""
    forward = getattr(op, "op", None)
    return f"aten::{op.name}" if forward is None else f"{op.grad_name.removesuffix('BackwardBackward0')}Backward0"


def _flops(name, shapes, outs):
    """Floating point operations of a product or of arithmetic, as torch counts them; 0 of other ops."""
    out = _numel(outs[0].aval.shape) if outs else 0
    if name in ("mm", "bmm", "matmul"):
        return 2 * out * shapes[0][-1]
    if name in ("addmm", "baddbmm", "linear"):
        return 2 * out * shapes[1][-1]
    if name.startswith("conv") and len(shapes) > 1 and len(shapes[1]) > 2:
        return 2 * out * _numel(shapes[1][1:])
    return out if name in ("add", "mul") else 0


def _stack():
    """The lines of the user's code that led here, the innermost first."""
    lines = []
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if not is_own(code.co_filename):
            lines.append(f"{code.co_filename}({frame.f_lineno}): {code.co_name}")
        frame = frame.f_back
    return lines


class profile:
    """Context manager: note every op and every range of record_function inside, with its time.

    record_shapes, profile_memory, with_flops, with_stack: also the operands' shapes, the bytes of results, floating
    point operations and lines of the user's code. enabled: False notes nothing.
    """

    def __init__(
        self, enabled=True, *, use_cuda=False, use_device=None, record_shapes=False, with_flops=False,
        profile_memory=False, with_stack=False, with_modules=False, use_kineto=False, use_cpu=True, **kwargs,
    ):  # fmt: skip
        self.enabled, self.entered = enabled, False
        self.record_shapes, self.profile_memory = record_shapes, profile_memory
        self.with_flops, self.with_stack, self.with_modules = with_flops, with_stack, with_modules
        self.function_events = None

    def __enter__(self):
        if not self.enabled:
            return self
        if self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        if _Recorder.current is not None:
            raise RuntimeError("Profiler is already enabled on this thread")
        self.entered = True
        self._recording = _Recording(
            self.record_shapes or self.with_flops, self.profile_memory, self.with_flops, self.with_stack
        )
        self._recording.start()
        return self

    def __exit__(self, *exc):
        if not self.enabled:
            return
        self._recording.stop()
        events = sorted(self._recording.events, key=lambda e: (e.time_range.start, -e.time_range.end))
        self.function_events = EventList(
            events, use_device=self._recording.device, profile_memory=self.profile_memory, with_flops=self.with_flops
        )
        self.function_events._build_tree()
        for event in reversed(events):
            if event.is_user_annotation:  # what was called in a range belongs to it
                event.cpu_memory_usage = sum(child.cpu_memory_usage for child in event.cpu_children)
                event.device_memory_usage = sum(child.device_memory_usage for child in event.cpu_children)

    def _done(self):
        if self.function_events is None:
            raise RuntimeError("Profiler didn't finish running")
        return self.function_events

    def __repr__(self):
        return "<unfinished torch.autograd.profile>" if self.function_events is None else repr(self.function_events)

    def __str__(self):
        return repr(self) if self.function_events is None else str(self.function_events)

    def table(self, *args, **kwargs):
        """The events as a table: EventList.table. Raises: RuntimeError inside the context."""
        return self._done().table(*args, **kwargs)

    def key_averages(self, *args, **kwargs):
        """The sums of events of one name: EventList.key_averages. Raises: RuntimeError inside the context."""
        return self._done().key_averages(*args, **kwargs)

    def total_average(self):
        """The sums of all events. Raises: RuntimeError inside the context."""
        return self._done().total_average()

    def export_chrome_trace(self, path):
        """Write the events for chrome://tracing. Raises: RuntimeError inside the context."""
        self._done().export_chrome_trace(path)

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Write the stacks for a flame graph. Raises: RuntimeError inside the context."""
        self._done().export_stacks(path, metric)

    @property
    def self_cpu_time_total(self):
        """Microseconds of all events on the host. Raises: RuntimeError inside the context."""
        return self._done().self_cpu_time_total


class record_function(contextlib.ContextDecorator):
    """Context manager and decorator: a range with a name, in a profile and in jax.profiler's traces."""

    def __init__(self, name, args=None):
        self.name, self.args = name, args

    def _recreate_cm(self):
        return type(self)(self.name, self.args)

    def __enter__(self):
        self._range = jax.profiler.TraceAnnotation(self.name)
        self._range.__enter__()
        self._profile = _Recorder.current
        self._start = self._profile.now() if self._profile else 0
        return self

    def __exit__(self, *exc):
        self._range.__exit__(*exc)
        if self._profile is not None and self._profile is _Recorder.current:
            # torch: the steps of a profile have one name, and their numbers in the trace.
            name = "ProfilerStep*" if self.name.startswith("ProfilerStep#") else self.name
            self._profile.add(
                name, self._start, self._profile.now(), scope=7, is_user_annotation=True, trace_name=self.name,
                input_shapes=self._profile.no_shapes,
            )  # fmt: skip


class EnforceUnique:
    """Raises: RuntimeError when it sees a key for the second time."""

    def __init__(self):
        self.seen = set()

    def see(self, *key):
        """Note a key."""
        if key in self.seen:
            raise RuntimeError("duplicate key: " + str(key))
        self.seen.add(key)


class _Emit:
    """Context manager: each op is a range in the traces of jax.profiler, by the name of its node."""

    def __init__(self, enabled=True, record_shapes=False):
        self.enabled = enabled

    def __enter__(self):
        if self.enabled:
            self._plain = trace.record
            trace.record = functools.partial(_annotated, self._plain)
        return self

    def __exit__(self, *exc):
        if self.enabled:
            trace.record = self._plain


def _annotated(plain, op, attrs, ins, device):
    with jax.profiler.TraceAnnotation(_title(op)):
        return plain(op, attrs, ins, device)


class emit_nvtx(_Emit):
    """Context manager: the recording of each op is a range in the traces of jax.profiler."""


class emit_itt(_Emit):
    """Context manager: the recording of each op is a range in the traces of jax.profiler."""
