"""Timer: how long a statement takes, what it recorded included."""

import ast
import enum
import sys
import timeit
from textwrap import dedent
from time import perf_counter

import numpy as np

from jtorch import _tensor, cuda
from jtorch.engine import flush
from jtorch.utils._pytree import tree_leaves
from jtorch.utils.benchmark.measurement import Measurement, TaskSpec, set_torch_threads

_DONE = "_jtorch_done"


class Language(enum.Enum):
    """The language of a statement. C++ is refused here."""

    PYTHON = 0
    CPP = 1


def timer():
    """The time in seconds, when all that was asked of the devices has been done."""
    flush.flush("sync")
    for index in range(cuda.device_count()):
        cuda.synchronize(index)
    return perf_counter()


def _done(value=None):
    """The end of one execution: what it recorded runs, each result of it, as torch would have run it at once."""
    flush.boundary()
    for leaf in tree_leaves(value):
        if isinstance(leaf, _tensor.Tensor) and leaf.device.type == "cpu":
            np.asarray(_tensor.value(leaf))


def _clean(source):
    return dedent(source).removeprefix("\n").rstrip()


def _marked(stmt):
    """The statement with a mark at its end that has the value of its last expression."""
    tree = ast.parse(stmt or "pass")
    last = tree.body[-1]
    value = [last.value] if isinstance(last, ast.Expr) else []
    done = ast.Expr(ast.Call(ast.Name(_DONE, ast.Load()), value, []))
    tree.body[len(tree.body) - len(value) :] = [done]
    return ast.unparse(ast.fix_missing_locations(tree))


class Timer:
    """Times of a statement: https://docs.pytorch.org/docs/stable/benchmark_utils.html.

    What one execution records is run at its end as a program, the value of a last expression included, so that what is
    timed is what torch would time; on the CPU it is waited for.
    Raises: ValueError for what is no string, another language than Python, a global_setup.
    """

    def __init__(
        self, stmt="pass", setup="pass", global_setup="", timer=timer, globals=None, label=None, sub_label=None,
        description=None, env=None, num_threads=1, language=Language.PYTHON,
    ):  # fmt: skip
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"Invalid language `{language}`.")
        if global_setup:
            raise ValueError(
                f"global_setup is C++ only, got `{global_setup}`. Most likely this code can simply be moved to `setup`."
            )
        stmt, setup = _clean(stmt), _clean(setup)
        names = {"torch": sys.modules["jtorch"], **(globals or {}), _DONE: _done}
        self._timer = timeit.Timer(_marked(stmt), setup, timer, names)
        self._task_spec = TaskSpec(stmt, setup, global_setup, label, sub_label, description, env, num_threads)

    def _timeit(self, number):
        return max(self._timer.timeit(number), 1e-9)

    def timeit(self, number=1000000):
        """The Measurement of one run of so many executions, after a short one."""
        with set_torch_threads(self._task_spec.num_threads):
            self._timeit(max(number // 100, 2))
            return Measurement(number, [self._timeit(number)], self._task_spec)

    def repeat(self, repeat=-1, number=-1):
        """Not there, as in torch."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback=None):
        """Not there, as in torch."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def _block(self, min_run_time):
        """How many executions make the timer's own time not count."""
        overhead = float(np.median([self._timeit(0) for _ in range(5)]))
        number = 1
        while True:
            taken = self._timeit(number)
            if (overhead / taken <= 1e-4 and taken >= min_run_time / 1000) or taken > min_run_time:
                return number
            number *= 10

    def _measure(self, callback, may_stop, min_run_time, max_run_time):
        with set_torch_threads(self._task_spec.num_threads):
            number, times = self._block(min_run_time), []
            while sum(times) < min_run_time or not may_stop(Measurement(number, times, self._task_spec)):
                times.append(self._timeit(number))
                if callback:
                    callback(number, times[-1])
                if max_run_time and sum(times) > max_run_time:
                    break
        return Measurement(number, times, self._task_spec)

    def blocked_autorange(self, callback=None, min_run_time=0.2):
        """The Measurement of runs that take min_run_time seconds together, each long enough to be timed well."""
        return self._measure(callback, lambda measured: True, min_run_time, None)

    def adaptive_autorange(self, threshold=0.1, *, min_run_time=0.01, max_run_time=10.0, callback=None):
        """The Measurement of runs until their quartiles lie closer than threshold times the median, or time is up."""

        def steady(measured):
            return len(measured.raw_times) > 3 and measured.meets_confidence(threshold)

        return self._measure(callback, steady, min_run_time, max_run_time)

    def collect_callgrind(self, *args, **kwargs):
        """Not there: counts of instructions are of compiled programs' hosts, not of what a device does."""
        raise NotImplementedError("jtorch counts no instructions: Timer.blocked_autorange measures time")
