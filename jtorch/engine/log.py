"""What is noted while a call is recorded as a whole: values that were read, and where numbers that move come from."""

import functools
from collections import Counter
from contextlib import contextmanager

from jtorch.engine import direct
from jtorch.engine.trace import local


class Log:
    """runs: programs run during the call; reads: values read by Python; bound: steps whose numbers cannot come again.

    numbers: (where they may begin among the trace's numbers, the values, `again`) of the numbers that move. again()
    gives (the values of the next time, what to call once they were used), or None when the call has another form now.
    draws: how many of these were random draws, by their generator. cells: storages that who noted moves on itself.
    made: [(a generator, where it stood before and after, the Ref of what it drew on the host, how to draw the next)].
    """

    def __init__(self):
        self.runs = self.reads = self.bound = 0
        self.numbers, self.cells, self.made = [], [], []
        self.draws = Counter()


def note(device, values, again, cells=()):
    """Say where the numbers of the call that is recorded next come from."""
    log, trace = local.log, local.traces.get(device)
    if log is not None:
        log.numbers.append((0 if trace is None else len(trace.numbers), list(values), again))
        log.cells += cells


def note_draw(device, generator, values):
    """Say that the call that is recorded next draws by these numbers of a generator."""
    if local.log is not None:
        local.log.draws[generator] += 1
        note(device, values, functools.partial(_drawn, generator))


def drawn(generator, fresh):
    """A Tensor that a generator draws on the host by `fresh`, which draws the next one in a replay."""
    before = generator.place()
    made = fresh()
    local.log.made.append((generator, before, generator.place(), made._storage.ref, fresh))
    return made


def _drawn(generator):
    return generator.advance(), None


def bind():
    """Say that the call that is recorded next has numbers whose source is not known."""
    if local.log is not None:
        local.log.bound += 1


@contextmanager
def logged():
    """A Log of what this thread does inside."""
    log = local.log = Log()
    direct.end()
    try:
        yield log
    finally:
        local.log = None


def active():
    """Whether this thread is recording a call as a whole."""
    return local.log is not None


def places(log, numbers):
    """[(place among the numbers of the trace, how many, again)] of what was noted, draws last; None if one is lost."""
    found, at = [], 0
    for start, values, again in log.numbers:
        count = len(values)
        if not count:
            found.append((0, 0, again))
            continue
        at = max(at, start)
        while numbers[at : at + count] != values:
            at += 1
            if at > len(numbers):
                return None
        found.append((at, count, again))
        at += count
    return sorted(found, key=lambda entry: getattr(entry[2], "func", None) is _drawn)
