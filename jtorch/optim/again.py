"""The numbers of a recorded optimizer step, worked out anew each time a call is replayed."""

from itertools import chain
from operator import attrgetter, is_

_ref = attrgetter("ref")


class Again:
    """Called, it gives (the step's numbers now, what moves the clocks on), or None where the step has another form.

    plan(): a new Plan of the step. layout: that of the recorded one. decided: whether the program decides to step.
    """

    def __init__(self, plan, groups, layout, decided, move):
        self._plan, self._groups, self._layout = plan, groups, layout
        self._decided, self._move = decided, move
        self._seen = ()
        self._last = self._cells = self._refs = None

    def __call__(self):
        seen = list(chain.from_iterable(map(dict.values, self._groups)))
        if self._last is None or len(seen) != len(self._seen) or not all(map(is_, seen, self._seen)):
            return self._anew(seen)
        plan = self._last
        if self._decided or not plan.ticks:
            return plan.numbers, None
        if not all(map(is_, map(_ref, self._cells), self._refs)):
            return self._anew(seen)
        numbers = plan.numbers.copy()
        ticks = []
        for start, (states, counts, index, refs) in zip(plan.starts, plan.ticks, strict=True):
            counts = [count + 1.0 for count in counts]
            numbers[start : start + len(counts)] = counts
            ticks.append((states, counts, index, refs))
        plan.numbers, plan.ticks = numbers, ticks
        return numbers, self._tick

    def _anew(self, seen):
        plan = self._plan()
        if tuple(plan.groups) != self._layout.groups:
            self._last = None
            return None
        self._last, self._seen = plan, seen
        return plan.numbers, None if self._decided else self._tick

    def _tick(self):
        plan = self._last
        news = self._move(plan.ticks)
        if plan.ticks:
            self._cells = (
                [state["step"]._storage for states, *_ in plan.ticks for state in states]
                if self._cells is None
                else self._cells
            )
            self._refs = [new[place] for new, (_, _, index, _) in zip(news, plan.ticks, strict=True) for place in index]
            plan.ticks = [(*tick[:3], new) for tick, new in zip(plan.ticks, news, strict=True)]
