"""Cold code: where paths vary from run to run, a new one runs call by call, by small programs of its calls."""

import time

import numpy as np

from jtorch import devices
from jtorch.engine import program
from jtorch.engine.forms import Plan, easy, known

recent: dict = {}  # the last paths that no program was there for, and that none of has run since
_KEPT = 8  # so many of them are known
_VARIED = 4  # so many before a new one: code whose paths seldom come again soon
_ALIKE = 0.6  # the share of a new path's calls that those paths have too, or that are known alone
_LONG = 500  # from so many calls on, a loop whose turns are all alike is not compiled as a whole at first
_TURNS = 24  # how often each kind of call is in it
_SHORT = 4  # paths up to here are compiled sooner than their calls are
_DEAR = 100  # paths from here on take seconds to compile: one alike that ran before is sign enough
_HARD = 3  # then so many kinds of their calls may have no NumPy form
_ROW = 2  # runs in a row after which a path is compiled: two come by chance where some dozens are drawn from
_CALL = 0.02  # seconds that it takes to compile one of a path's calls, more or less


class Sketch:
    """Stands for a Program of a path that nobody has compiled. Called in the same way, it makes the same slots."""

    __slots__ = ("live", "plan", "spent", "latest", "row", "__weakref__")
    donated = ()
    host = True  # works on NumPy arrays as they are
    varied = None
    quick = True  # it gives way to a program

    def __init__(self, node, live, spent):
        self.live = live
        self.plan = Plan(node, live, quick=True)
        self.spent = spent  # seconds of all its runs
        self.latest = 0.0  # seconds of its latest one
        self.row = 0  # how many of them were in a row

    def run(self, numbers, arrays):
        """The arrays of the live slots, none of them one of the inputs or a part of it."""
        start = time.perf_counter()
        arrays = list(map(np.asarray, arrays))
        taken = set(map(id, arrays + self.plan.constants))
        outs = []
        for out in self.plan.run(arrays, numbers):
            if out.base is not None or id(out) in taken:
                out = out.copy()
            taken.add(id(out))
            outs.append(out)
        self.latest = time.perf_counter() - start
        self.spent += self.latest
        return outs

    def made(self):
        """How the path is run, in words."""
        return "run call by call, as one of many alike"


def note(node, fresh):
    """Note that a path ran. fresh: no program was there for it."""
    recent.pop(node, None)
    if fresh and node.depth > _SHORT:
        recent[node] = None
        if len(recent) > _KEPT:
            del recent[next(iter(recent))]


def wanted(node, live):
    """What runs a path call by call, where that is better than to compile it; else None.

    It is compiled when it comes three times in a row, or has taken as long call by call as compiling would.
    """
    found = next((p for p in node.programs.values() if type(p) is Sketch), None)
    if found is None:
        if node.programs or node.depth <= _SHORT or program.device(node) is not devices.CPU:
            return None
        if program.is_spread(node) or not (_is_loop(node) or _one_of_many(node)):
            return None
    elif found.spent > node.depth * _CALL or (found.row >= _ROW and next(reversed(recent), None) is node):
        return None
    row = found.row + 1 if found is not None and next(reversed(recent), None) is node else 1
    if found is None or found.live != live:
        found = Sketch(node, live, found.spent if found is not None else 0.0)
    program.keep(node, found)  # as the one that ran last, too
    found.row = row
    return found


def _is_loop(node):
    return node.depth >= _LONG and len({(step.sig.op, step.sig.attrs) for step in node.path()}) * _TURNS <= node.depth


def _one_of_many(node):
    several = len(recent) >= _VARIED
    if not recent or not (several or node.depth >= _DEAR) or not _is_alike(node):
        return False
    return several or sum(not easy(sig) for sig in {step.sig for step in node.path()}) <= _HARD


def _is_alike(node):
    seen = {step.sig for other in recent for step in other.path()}
    return sum(step.sig in seen or known(step.sig) for step in node.path()) >= node.depth * _ALIKE
