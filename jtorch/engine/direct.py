"""Direct work: while no path comes again, calls run at once by their NumPy forms, and nothing is recorded."""

import time

import numpy as np
from jax.core import Tracer

from jtorch import devices, meshes, modes
from jtorch.engine import debug, forms, stats, trace, trie
from jtorch.engine.ref import Aval, Box, Ref
from jtorch.engine.trace import Inline
from jtorch.recordable import Lift
from jtorch.shapes import numel

_PATHS = 6  # so many more new paths than known ones: the next one is expected to be new, too
_QUICK = 60e-6  # seconds per call up to which running them one by one costs little beside recording them
_SMALL = 2**16  # elements of what a call takes and gives
_VALUES = 4  # as many values of a number are constants at one kind of call; then it is an operand
_WINDOW = 2048  # calls after which it is asked whether they were all turns of one loop
_STAY = 5.0  # seconds after which paths are recorded again: by then they may come again
_HARD = 12  # calls that may be compiled, as NumPy does not have them

_calls: dict = {}  # what a call is -> how it is done
_values: dict = {}  # the same without the values of its numbers -> those that were seen, or how it is done with any
_MOST = 50_000


class _Call:
    """How one kind of call is done: its Signature, a function of its arrays, and whether it is to be kept quiet."""

    __slots__ = ("sig", "function", "loud")

    def __init__(self, sig):
        self.sig = sig
        self.function, self.loud = forms.function(sig)


class Stay:
    """How long a trace has been left alone: the Signatures of the calls since the last look."""

    def __init__(self):
        self.calls = []
        self.until = time.perf_counter() + _STAY
        self.hard = _HARD

    def is_over(self):
        """Whether paths are to be recorded again: their time has come, or all calls were turns of one loop."""
        turn = period(self.calls)
        looped = turn and self.calls[turn:] == self.calls[:-turn]
        stats.ops += len(self.calls)
        self.calls.clear()
        return looped or time.perf_counter() > self.until


def note(tr, found, new):
    """Note that a path ran by a Program or Sketch, and run calls at once from here on if new ones come all the time."""
    if tr.host or tr.device is not devices.CPU or meshes.Used.several or meshes.Used.crew:
        return
    if not found.host:
        tr.varied = max(tr.varied - 1, 0)
    elif new and found.latest < _QUICK * len(found.plan):
        tr.varied += 1
        if tr.varied >= _PATHS:
            begin(tr)


def begin(tr):
    """Run calls at once from here on."""
    tr.stay, tr.limit = Stay(), -1
    if debug.ON:
        debug.say(f"direct from {debug.user_line()}: calls run at once, as one new path came after the other")


def end():
    """Record calls again, all of this thread."""
    for tr in trace.local.traces.values():
        leave(tr)
        tr.varied = 0


def leave(tr):
    """Record calls again."""
    if tr.stay is not None:
        stats.ops += len(tr.stay.calls)
        tr.stay, tr.limit, tr.varied = None, trace.LIMIT, 0
        if debug.ON:
            debug.say(f"direct to {debug.user_line()}")


def run(tr, op, attrs, ins):
    """Run a call: (Refs of its outputs, its Signature), or None where it is to be recorded.

    Raises what the op raises for these shapes, and Inline for a tracer.
    """
    values, key = [], [op, attrs]
    give, put = values.append, key.append
    for x in ins:
        if type(x) is Ref:
            value = x.value
            give(value if type(value) is np.ndarray else _host(tr, x))
            put(x.aval)
        elif x is None:
            put(None)
        elif type(x) is Lift:
            put((trie.LIFTED, type(x.value)))
            give(_number(x.value))
        else:
            put(trie.number_key(x))
    if modes.local.token is not None:
        put(modes.local.token)
    call = _calls.get(tuple(key))
    if call is None:
        call = _find(tr, op, attrs, ins, key)
        if call is None:
            leave(tr)
            return None
        if type(call) is tuple:  # numbers whose values vary
            (call,) = call
            values = [_given(x) for x in ins if x is not None]
    if call.loud:
        with np.errstate(all="ignore"):
            outs = call.function(*values)
    else:
        outs = call.function(*values)
    sig = call.sig
    calls = tr.stay.calls
    calls.append(sig)
    if len(calls) >= _WINDOW and tr.stay.is_over():
        leave(tr)
    return list(map(Ref, sig.outs, outs)), sig


def _host(tr, ref):
    """A NumPy array of a Ref's value, which it keeps."""
    if ref.value is None:
        trace.settle(ref)
    value = ref.value
    if isinstance(value, (Tracer, Box)):
        raise Inline
    trace.need_device(ref, tr.device)
    if type(value) is not np.ndarray:
        trace.hooks.pin(value)  # its memory is the NumPy array's, too
        value = ref.value = np.asarray(value)
    return value


def _number(value):
    return np.asarray(value, np.int64 if type(value) is int else np.float64)


def _given(x):
    return x.value if type(x) is Ref else _number(x.value if type(x) is Lift else x)


def _find(tr, op, attrs, ins, key):
    """How a call is done that was not there before; in a tuple where its numbers are operands; None for neither."""
    loose = trace.loosened(tuple(key))
    known = _values.get(loose) if loose is not None else None
    if type(known) is _Call:
        return (known,)
    lifted = known is not None and known >= _VALUES
    operands = [_operand(x, part, lifted) for x, part in zip(ins, key[2:], strict=False)]
    for x in ins:
        if type(x) is Ref:
            trace.need_device(x, tr.device)
    sig = trie.signature(op, attrs, operands, tr.device, modes.local.token)
    if op.host or op.across(attrs) is not None or not all(_is_small(a) for a in (*operands, *sig.outs)):
        return None
    if not forms.easy(sig):
        tr.stay.hard -= 1
        if tr.stay.hard < 0:
            return None
    call = _Call(sig)
    if len(_calls) > _MOST or len(_values) > _MOST:
        _calls.clear()
        _values.clear()
    if lifted:
        _values[loose] = call
        return (call,)
    if loose is not None:
        _values[loose] = (known or 0) + 1
    _calls[tuple(key)] = call
    return call


def _operand(x, part, lifted):
    """What stands for an operand in a Signature."""
    if type(x) is Ref or x is None:
        return x and x.aval
    if type(x) is Lift:
        return trie.Number(x.value, 0)
    return trie.Number(x, 0 if lifted and trace.is_number(part) else None)


def _is_small(x):
    return type(x) is not Aval or numel(x.shape) <= _SMALL


def period(calls):
    """After how many calls the end of a list repeats (three times at least), or 0."""
    last = calls[-1]
    for turn in range(1, len(calls) // 3 + 1):
        if calls[-1 - turn] == last and calls[-turn:] == calls[-2 * turn : -turn] == calls[-3 * turn : -2 * turn]:
            return turn
    return 0
