"""Work on the host beside a program's steps: what is recorded there runs call by call, in traces of its own."""

import threading
from contextlib import contextmanager

from jtorch import devices
from jtorch.engine import flush
from jtorch.engine.forms import Plan
from jtorch.engine.trace import Trace, local
from jtorch.engine.trie import Node

_MANY = 10_000


class HostTrace(Trace):
    """A trace of host work. Its trie is its own, so that it takes no part in the paths of the program's steps."""

    __slots__ = ("_plans",)

    def __init__(self, device=devices.CPU):
        super().__init__(device)
        self.host = True
        self._plant()

    def _plant(self):
        self.root = self.node = Node(None, None, None, (), (), 0)
        self._plans = {}

    def plan(self, live):
        """How what is pending is done, for these live slots."""
        found = self._plans.get((self.node, live))
        if found is None:
            found = self._plans[self.node, live] = Plan(self.node, live)
        return found

    def ran(self):
        """Forget all paths when there are too many, as where sizes are drawn at random."""
        if len(self._plans) > _MANY:
            self._plant()


class _Own(threading.local):
    def __init__(self):
        self.traces = None


_own = _Own()


@contextmanager
def work():
    """Within it this thread does host work: nothing is compiled for a row of calls that may never come again."""
    if _own.traces is None:
        _own.traces = {devices.CPU: HostTrace()}
    flush.boundary()
    before = local.trace, local.traces
    local.trace, local.traces = None, _own.traces
    try:
        yield
    finally:
        try:
            flush.boundary()
        finally:
            local.trace, local.traces = before
