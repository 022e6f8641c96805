"""What a Timer measured, its statistics, and how it is printed."""

import contextlib
import math
from dataclasses import dataclass, fields
from textwrap import indent

import numpy as np

from jtorch.api.settings import get_num_threads, set_num_threads

_UNITS = {"ns": (1e-9, "nanosecond"), "us": (1e-6, "microsecond"), "ms": (1e-3, "millisecond"), "s": (1, "second")}
_CLOSEST = 25e-9  # seconds; no interval is taken to be closer


@dataclass(frozen=True, repr=False)
class TaskSpec:
    """What was measured: the statement and its names in tables."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self):
        """The label, or the statement."""
        sub = self.sub_label
        if self.label is not None or "\n" not in self.stmt:
            return (self.stmt if self.label is None else self.label) + (f": {sub}" if sub else "")
        return f"stmt:{f' ({sub})' if sub else ''}\n{indent(self.stmt, '  ')}"

    def setup_str(self):
        """The setup as it is printed; nothing for none."""
        if self.setup in ("", "pass"):
            return ""
        return f"setup:\n{indent(self.setup, '  ')}" if "\n" in self.setup else f"setup: {self.setup}"

    def summarize(self):
        """The lines that a Measurement prints of it."""
        parts = [part for part in (self.title, self.description, self.setup_str()) if part]
        return "\n".join(f"{part}\n" if "\n" in part else part for part in parts)


_SPEC = {f.name for f in fields(TaskSpec)}


@dataclass(repr=False)
class Measurement:
    """Times of one statement, in seconds; raw_times are of number_per_run executions each.

    The names of its task_spec are its own as well: `m.label`. Statistics are of one execution.
    """

    number_per_run: int
    raw_times: list
    task_spec: TaskSpec
    metadata: dict | None = None

    def __getattr__(self, name):
        if name in _SPEC:
            return getattr(self.task_spec, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @property
    def times(self):
        """Seconds per execution, for each run."""
        return [time / self.number_per_run for time in self.raw_times]

    def _at(self, quantile):
        return float(np.quantile(self.times, quantile)) if self.raw_times else -1.0

    @property
    def median(self):
        """Seconds."""
        return self._at(0.5)

    @property
    def mean(self):
        """Seconds."""
        return float(np.mean(self.times)) if self.raw_times else -1.0

    @property
    def iqr(self):
        """Seconds between the first and the third quartile."""
        return self._at(0.75) - self._at(0.25)

    @property
    def significant_figures(self):
        """How many figures of the median mean something, from 1 to 4, as a Compare trims it."""
        times = sorted(self.times)
        middle = times[len(times) // 4 : math.ceil(3 * len(times) / 4)]
        interval = max(1.645 * float(np.std(middle)) / math.sqrt(len(middle)), _CLOSEST)
        return min(max(math.floor(math.log10(self.median / interval)), 1), 4)

    def meets_confidence(self, threshold=0.1):
        """Whether the quartiles lie closer than a fraction of the median."""
        return self.iqr / self.median < threshold

    @property
    def has_warnings(self):
        """Whether the times vary so much that the printed text warns of it."""
        return bool(self._warning())

    def _warning(self):
        if not self.raw_times or self.meets_confidence():
            return ""
        gross = not self.meets_confidence(0.25)
        why = (
            "This suggests significant environmental influence." if gross else "This could indicate system fluctuation."
        )
        share = self.iqr / self.median * 100
        return f"  WARNING: Interquartile range is {share:.1f}% of the median measurement.\n           {why}"

    @property
    def title(self):
        """The label, or the statement."""
        return self.task_spec.title

    @property
    def as_row_name(self):
        """What its row is called in a table."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self):
        count, (unit, scale) = len(self.raw_times), select_unit(self.median)
        many = count > 1
        low, high = self._at(0.25) / scale, self._at(0.75) / scale
        lines = [object.__repr__(self), self.task_spec.summarize()]
        lines.append(f"  {'Median: ' if many else ''}{self.median / scale:.2f} {unit}")
        if count >= 4:
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit} ({low:.2f} to {high:.2f})")
        runs = f"{count} measurement{'s' if many else ''}, {self.number_per_run} runs"
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        lines.append(f"  {runs} {'per measurement,' if many else ','} {threads}")
        return "\n".join(line for line in (*lines, self._warning()) if line)

    @staticmethod
    def merge(measurements):
        """One Measurement for each task, with all the times of its replicates."""
        times: dict = {}
        for m in measurements:
            times.setdefault(m.task_spec, []).extend(m.times)
        return [Measurement(1, group, spec) for spec, group in times.items()]


def select_unit(t):
    """(unit, seconds per unit) in which so many seconds are a number from 1 to 1000."""
    unit = {-3: "ns", -2: "us", -1: "ms"}.get(math.floor(math.log10(t) / 3), "s")
    return unit, _UNITS[unit][0]


def unit_to_english(u):
    """The unit's name."""
    return _UNITS[u][1]


def trim_sigfig(x, n):
    """A number rounded to n significant figures."""
    if n != int(n):
        raise AssertionError("Number of significant figures must be an integer")
    scale = 10.0 ** (math.ceil(math.log10(abs(x))) - n)
    return float(np.round(x / scale)) * scale


def ordered_unique(elements):
    """The different elements, in their order."""
    return list(dict.fromkeys(elements))


@contextlib.contextmanager
def set_torch_threads(n):
    """A context in which get_num_threads says n."""
    before = get_num_threads()
    set_num_threads(n)
    try:
        yield
    finally:
        set_num_threads(before)
