"""profile: a context in which the steps that a schedule picks are noted. What a time means: autograd/profiler.py."""

import gzip
import json
import os
import shutil
import socket
import time
from enum import Enum, IntEnum

from jtorch.autograd import profiler as one
from jtorch.autograd.profiler_util import DeviceType
from jtorch.devices import cuda_devices
from jtorch.errors import warn

__all__ = [
    "DeviceType", "ProfilerAction", "ProfilerActivity", "kineto_available", "profile", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip


class ProfilerActivity(IntEnum):
    """What is noted: work of the host, work of cuda devices."""

    CPU = 0
    XPU = 1
    CUDA = 2
    HPU = 3
    MTIA = 4
    PrivateUse1 = 5

    __str__ = Enum.__str__


class ProfilerAction(Enum):
    """What the profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities():
    """The activities that there are devices for."""
    return {ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda_devices() else [])}


def kineto_available():
    """Whether torch's library for traces is there: no, jtorch notes by itself."""
    return False


def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """A function from the number of a step to what is done in it: cycles of waiting, warming up and noting.

    skip_first: steps before the first cycle. repeat: how many cycles; 0 is as many as there are. skip_first_wait:
    whether the first cycle does not wait. Raises: AssertionError for numbers that make no schedule.
    """
    if not (wait >= 0 and warmup >= 0 and active > 0 and repeat >= 0 and skip_first >= 0):
        raise AssertionError(f"Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} "
                             f"(need >= 0), active={active} (need > 0), repeat={repeat} (need >= 0), "
                             f"skip_first={skip_first} (need >= 0).")  # fmt: skip
    if warmup == 0:
        warn("Profiler won't be using warmup, this can skew profiler results")
    whole = wait + warmup + active

    def action(step):
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait:
            step += wait
        if repeat and step // whole >= repeat:
            return ProfilerAction.NONE
        at = step % whole
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < whole - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def _always(step):
    return ProfilerAction.RECORD


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False):
    """What to give `on_trace_ready`: writes each trace to a file in a folder, where TensorBoard's profiler looks.

    Raises: RuntimeError at the trace when the folder cannot be made.
    """

    def write(prof):
        try:
            os.makedirs(dir_name, exist_ok=True)
        except OSError as error:
            raise RuntimeError("Can't create directory: " + dir_name) from error
        name = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        ending = ".pt.trace.json.gz" if use_gzip else ".pt.trace.json"
        prof.export_chrome_trace(os.path.join(dir_name, f"{name}.{time.time_ns()}{ending}"))

    return write


_KEPT = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile:
    """Context manager: note the ops and ranges of the steps that a schedule picks; `step()` ends a step.

    activities: host and devices, which are noted both in any case. schedule: a function from a step's number to a
    ProfilerAction; None notes everything. on_trace_ready: called with the profile when a cycle is at its end.
    record_shapes, profile_memory, with_stack, with_flops: as of autograd.profiler.profile. acc_events: whether the
    events of all cycles are kept. A step of WARMUP runs as a noted one does, so that what is noted is compiled.
    """

    def __init__(
        self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False, profile_memory=False,
        with_stack=False, with_flops=False, with_modules=False, experimental_config=None,
        execution_trace_observer=None, acc_events=False, use_cuda=None, custom_trace_id_callback=None, **kwargs,
    ):  # fmt: skip
        self.activities = set(activities) if activities else supported_activities()
        if not self.activities:
            raise AssertionError("No valid profiler activities found")
        self.schedule = schedule or _always
        self.record_steps = schedule is not None
        self.on_trace_ready = on_trace_ready
        self.acc_events = acc_events
        self._options = {
            "record_shapes": record_shapes, "profile_memory": profile_memory, "with_stack": with_stack,
            "with_flops": with_flops, "with_modules": with_modules,
        }  # fmt: skip
        self.step_num = 0
        self.current_action = self.schedule(0)
        self.profiler = self._warming = self._range = None
        self._notes, self._earlier = {}, []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        """Begin the first step."""
        self._enter(self.current_action)
        self._mark()

    def stop(self):
        """End the last step; what was noted is handed to on_trace_ready."""
        self._unmark()
        if self._leave() and self.on_trace_ready:
            self.on_trace_ready(self)

    def step(self):
        """End a step and begin the next one."""
        self._unmark()
        before, self.step_num = self.current_action, self.step_num + 1
        self.current_action = self.schedule(self.step_num)
        ends = before is ProfilerAction.RECORD_AND_SAVE or self.current_action not in _KEPT
        if before in _KEPT and not ends:
            self._mark()
            return
        noted = self._leave()
        if noted and before is ProfilerAction.RECORD_AND_SAVE and self.on_trace_ready:
            self.on_trace_ready(self)
        self._enter(self.current_action)
        self._mark()

    def _enter(self, action):
        if action is ProfilerAction.NONE:
            return
        context = one.profile(**self._options)
        context.__enter__()
        if action is ProfilerAction.WARMUP:
            self._warming = context
        else:
            self.profiler = context
            self._noting = True

    _noting = False

    def _leave(self):
        """Stop what is on; whether it noted anything."""
        if self._warming is not None:
            self._warming.__exit__(None, None, None)
            self._warming = None
        noted, self._noting = self._noting, False
        if noted:
            self.profiler.__exit__(None, None, None)
            if self.acc_events:
                self._earlier.extend(self.profiler.function_events)
        return noted

    def _mark(self):
        if self.record_steps:
            self._range = one.record_function(f"ProfilerStep#{self.step_num}")
            self._range.__enter__()

    def _unmark(self):
        if self._range is not None:
            self._range.__exit__(None, None, None)
            self._range = None

    def _found(self):
        if self.profiler is None:
            raise AssertionError("Profiler must be initialized before calling key_averages()")
        if self.acc_events and self._earlier:
            known = self.profiler.function_events
            events = one.EventList(
                self._earlier, use_device=known._use_device, profile_memory=known._profile_memory,
                with_flops=known._with_flops,
            )  # fmt: skip
            events._tree_built = True
            return events
        return self.profiler._done()

    def events(self):
        """What was noted in the last cycle. Raises: AssertionError before one began, RuntimeError before it ended."""
        return self._found()

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False):
        """The sums of events of one name. Raises as events()."""
        return self._found().key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def export_chrome_trace(self, path):
        """Write the events for chrome://tracing; compressed where the path ends in .gz. Raises as events()."""
        plain = path.removesuffix(".gz")
        self._found().export_chrome_trace(plain)
        if self._notes:
            with open(plain) as file:
                trace = json.load(file)
            with open(plain, "w") as file:
                json.dump({**trace, **self._notes}, file)
        if plain != path:
            with open(plain, "rb") as source, gzip.open(path, "wb") as target:
                shutil.copyfileobj(source, target)
            os.remove(plain)

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Write the stacks for a flame graph. Raises as events()."""
        self._found().export_stacks(path, metric)

    def add_metadata(self, key, value):
        """Add a text to the file of export_chrome_trace."""
        self._notes[key] = value

    def add_metadata_json(self, key, value):
        """Add what a text of JSON holds to the file of export_chrome_trace."""
        self._notes[key] = json.loads(value)

    def toggle_collection_dynamic(self, enable, activities):
        """Nothing: what is noted follows the schedule."""
