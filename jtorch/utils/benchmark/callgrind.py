"""Counts of instructions by function, as Callgrind writes them: added, compared and printed."""

import dataclasses
import re
from collections import defaultdict
from typing import Any, NamedTuple

from jtorch.api.printing import get_printoptions

_PREFIXES = (
    (r"^.+build/\.\./", "build/../"),
    (r"^.+/build/aten/", "build/aten/"),
    (r"^.+/Python/", "Python/"),
    (r"^.+/Objects/", "Objects/"),
    (r"\s\[.+\]$", ""),
)


class FunctionCount(NamedTuple):
    """Instructions of one function."""

    count: int  # type: ignore[assignment]
    function: str


@dataclasses.dataclass(repr=False, eq=False, frozen=True)
class FunctionCounts:
    """Counts of many functions: they can be indexed, added, subtracted, filtered and renamed.

    inclusive: whether a function's count has those that it calls in it. truncate_rows: whether the text shows 18 alone.
    """

    _data: tuple[FunctionCount, ...]
    inclusive: bool
    truncate_rows: bool = True
    _linewidth: int | None = None

    def __iter__(self):
        yield from self._data

    def __len__(self):
        return len(self._data)

    def __getitem__(self, item):
        found = self._data[item]
        return FunctionCounts(found, self.inclusive, False) if type(found) is tuple else found

    def __repr__(self):
        width = max((len(str(c)) + int(c < 0) for c, _ in self), default=0)
        room = max((self._linewidth or get_printoptions()["linewidth"]) - width - 4, 40)
        lines = [f"  {count:>{width}}  {_shortened(name, room)}" for count, name in self]
        if self.truncate_rows and len(lines) > 18:
            lines = [*lines[:9], "...".rjust(width + 2), *lines[-9:]]
        if not self.inclusive:
            lines += ["", f"Total: {self.sum()}"]
        return "\n".join([object.__repr__(self), *lines])

    def __add__(self, other):
        return self._merge(other, 1)

    def __sub__(self, other):
        return self._merge(other, -1)

    def __mul__(self, other):
        return self._of({name: int(count * other) for count, name in self._data}, self.inclusive)

    def transform(self, map_fn):
        """Functions under other names; those that come to bear one name are added."""
        counts = defaultdict(int)
        for count, name in self._data:
            counts[map_fn(name)] += count
        return self._of(counts, self.inclusive)

    def filter(self, filter_fn):
        """The functions whose names a function holds to be true."""
        return FunctionCounts(tuple(one for one in self if filter_fn(one.function)), self.inclusive)

    def sum(self):
        """All instructions."""
        return sum(count for count, _ in self)

    def denoise(self):
        """Without the look-ups of names in the interpreter, which vary from run to run."""
        return self.filter(lambda name: "dictobject.c:lookdict_unicode" not in name)

    def _merge(self, other, sign):
        if self.inclusive != other.inclusive:
            raise AssertionError("Cannot merge inclusive and exclusive counts.")
        counts = defaultdict(int)
        for one, factor in ((self, 1), (other, sign)):
            for count, name in one:
                counts[name] += factor * count
        return self._of(counts, self.inclusive)

    @staticmethod
    def _of(counts, inclusive):
        found = (FunctionCount(count, name) for name, count in counts.items() if count)
        return FunctionCounts(tuple(sorted(found, reverse=True)), inclusive)


def _shortened(name, room):
    if len(name) <= room:
        return name
    left = (room - 5) // 2
    return f"{name[:left]} ... {name[-(room - left - 5) :]}"


@dataclasses.dataclass(repr=False, eq=False, frozen=True)
class CallgrindStats:
    """What one statement took, and what the loop around it took without it."""

    task_spec: Any
    number_per_run: int
    built_with_debug_symbols: bool
    baseline_inclusive_stats: FunctionCounts
    baseline_exclusive_stats: FunctionCounts
    stmt_inclusive_stats: FunctionCounts
    stmt_exclusive_stats: FunctionCounts
    stmt_callgrind_out: str | None

    def __repr__(self):
        base, threads = self.baseline_exclusive_stats, self.task_spec.num_threads
        lines = [
            object.__repr__(self),
            self.task_spec.summarize(),
            f"  {'':>25}All{'':>10}Noisy symbols removed",
            f"    Instructions: {self.counts():>12}{'':>15}{self.counts(denoise=True):>12}",
            f"    Baseline:     {base.sum():>12}{'':>15}{base.denoise().sum():>12}",
            f"{self.number_per_run} runs per measurement, {threads} thread{'s' if threads > 1 else ''}",
        ]
        if not self.built_with_debug_symbols:
            lines += [
                "Warning: PyTorch was not built with debug symbols.",
                "         Source information may be limited. Rebuild with",
                "         REL_WITH_DEB_INFO=1 for more detailed results.",
            ]
        return "\n".join(lines)

    def stats(self, inclusive=False):
        """The counts of the statement."""
        return self.stmt_inclusive_stats if inclusive else self.stmt_exclusive_stats

    def counts(self, *, denoise=False):
        """All instructions of the statement."""
        stats = self.stmt_exclusive_stats
        return (stats.denoise() if denoise else stats).sum()

    def delta(self, other, inclusive=False):
        """These counts less others."""
        return self.stats(inclusive) - other.stats(inclusive)

    def as_standardized(self):
        """Without the folders and libraries in which functions were built, so that two builds can be compared."""
        kinds = ("baseline_inclusive_stats", "baseline_exclusive_stats", "stmt_inclusive_stats", "stmt_exclusive_stats")
        plain = {kind: _without_places(getattr(self, kind)) for kind in kinds}
        return dataclasses.replace(self, stmt_callgrind_out=None, **plain)


def _without_places(stats):
    for before, after in _PREFIXES:
        stats = stats.transform(lambda name, b=before, a=after: re.sub(b, a, name))
    return stats
