"""Work on the host beside a program's steps: what is recorded there runs call by call, in traces of its own."""

import threading
from contextlib import contextmanager

from jtorch import devices, modes
from jtorch.engine import flush
from jtorch.engine.forms import Plan
from jtorch.engine.ref import Aval, Ref
from jtorch.engine.trace import Trace, local, record
from jtorch.engine.trie import Node
from jtorch.recordable import Lift
from jtorch.shapes import numel

_MANY = 10_000
_FEW = 8  # calls that may be made twice, to spare a program
_NEAR = 64  # how far back in a trace they are looked for
_SMALL = 2**16  # elements of what such a call takes and gives


class SideTrace(Trace):
    """A trace beside one that goes on: what both take as an input is given back to that one."""

    __slots__ = ("_taken",)

    def __init__(self, device):
        super().__init__(device)
        self._taken = []

    def enter(self, ref):
        """As a trace's, but a Ref that is an input of another trace stays known to it."""
        if ref.value is not None and ref.trace is not None:
            self._taken.append((ref, ref.trace, ref.slot))
        return super().enter(ref)

    def give_back(self):
        """Give the inputs back, where the other trace has not run since."""
        for ref, trace, slot in self._taken:
            if slot < len(trace.refs) and trace.refs[slot]() is ref:
                ref.trace, ref.slot = trace, slot
        self._taken = []


class HostTrace(SideTrace):
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
        self.beside = None
        self.led = []


_own = _Own()


class _SideTraces(dict):
    """A thread's traces beside others, made as they are asked for."""

    def get(self, device):
        found = super().get(device)
        if found is None:
            found = self[device] = HostTrace() if device is devices.CPU else SideTrace(device)
        return found


@contextmanager
def aside():
    """Within it this thread works on values at hand, and the calls pending outside of it stay pending.

    On the CPU as in `work`; on other devices as programs of their own. A value that is pending outside is run for,
    unless `lead` finds it ahead of its trace.
    """
    if _own.beside is None:
        _own.beside = _SideTraces()
    before, led = (local.trace, local.traces), _own.led
    local.trace, local.traces, _own.led = None, _own.beside, []
    try:
        yield
    finally:
        try:
            flush.flush()
        finally:
            for trace in _own.beside.values():
                trace.give_back()
            for ref, trace in _own.led:
                if ref.trace is trace:
                    ref.value = None
            (local.trace, local.traces), _own.led = before, led


def lead(ref):
    """Within `aside`: find a pending value ahead of its trace, if a few small calls on values at hand lead to it.

    Whether it was found. It is forgotten at the end of `aside`: the trace makes it anew.
    """
    trace = ref.trace
    steps = None if ref.value is not None or trace is None or modes.local.token else _steps(trace, ref.slot)
    if steps is None:
        return ref.value is not None
    inputs = dict(trace.inputs)
    made = {slot: Ref(aval, inputs[slot]) for node in trace.node.path() for slot, aval in node.entered}
    for node in steps:
        ins = [made[at] if type(at) is int else _number(at, trace) for at in node.ins]
        outs, _ = record(node.sig.op, node.sig.attrs, ins, trace.device)
        made.update(enumerate(outs, node.first))
    flush.flush()
    ref.value = made[ref.slot].value
    _own.led.append((ref, trace))
    return True


def _number(at, trace):
    return at if at is None else at.value if at.index is None else Lift(trace.numbers[at.index])


def _steps(trace, slot):
    """The calls of a trace that lead to a slot, first to last; None where they are many, large or far back."""
    wanted, steps, node = {slot}, [], trace.node
    for _ in range(_NEAR):
        outs = range(node.first, node.slots)
        if not wanted.isdisjoint(outs):
            tensors = [x for x in (*node.sig.avals, *node.sig.outs) if type(x) is Aval]
            if len(steps) == _FEW or any(numel(x.shape) > _SMALL for x in tensors):
                return None
            steps.append(node)
            wanted.update(at for at in node.ins if type(at) is int)
            wanted.difference_update(outs)
        wanted.difference_update(slot for slot, _ in node.entered)
        if not wanted:
            return steps[::-1]
        node = node.parent
        if node.parent is None:
            return None
    return None


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
