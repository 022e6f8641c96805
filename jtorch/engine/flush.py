"""Flushing: a trace is run as a program, and every Ref that somebody still holds gets its value."""

import weakref

import jax
import numpy as np

from jtorch import devices, meshes
from jtorch.engine import debug, direct, forms, program, salvage, show, sketch, stats, trace
from jtorch.engine.ref import Box, again
from jtorch.engine.trace import LOCK, local


def run(tr, reason):
    """Run a trace: make every live value. reason: read, step, full, sync or eager.

    Raises what a call raises that cannot be compiled, once all values that do not need it are made.
    """
    with LOCK:
        if tr.node is tr.root:
            return
        if tr.device is devices.META:
            _retire(tr)
            return
        if local.log is not None:
            local.log.runs += 1
        live, dead = liveness(tr)
        if tr.host and tr.count <= forms.LONG:
            _run_alone(tr, live, reason)
            return
        donated = program.donations(tr.node, live, dead)
        if live or program.is_awaited(tr.node):
            varied = meshes.varied(array for _, array in tr.inputs) if meshes.Used.crew else None
            found = program.lookup(tr.node, live, donated, varied)
            fresh = found is None
            if fresh:
                found = sketch.wanted(tr.node, live)
            if found is None:
                try:
                    found = program.compiled(tr.node, live, donated, reason in ("read", "eager"), varied)
                except Exception:
                    if varied is not None or program.is_spread(tr.node):
                        raise
            if found is None or not _has_run(tr, found):
                return _salvage(tr, live, reason)
            sketch.note(tr.node, fresh)
            if debug.ON:
                _report(tr, reason, found if fresh else None)
        new = tr.fresh is not None
        _finish(tr, reason)
        if live:
            direct.note(tr, found, new)


def run_with(tr, found, reason):
    """Run a trace by a program of its path that makes all that will be read of it."""
    with LOCK:
        _execute(tr, found)
        if debug.ON:
            _report(tr, reason, None)
        _finish(tr, reason)


def _has_run(tr, found):
    """Run a trace by a program. False, and nothing was done, where the memory of an input is gone."""
    try:
        _execute(tr, found)
    except RuntimeError:
        if not any(salvage.is_deleted(array) for _, array in tr.inputs):
            raise
        return False
    return True


def _execute(tr, found):
    arrays = [array for _, array in tr.inputs] if found.host else _arrays(tr, set(found.donated))
    outs = found.run(np.array(tr.numbers, np.float64), arrays)
    for slot, out in zip(found.live, outs, strict=True):
        ref = tr.refs[slot]()
        if ref is not None:
            ref.value = out
    ran(tr.device, outs[0])


def _salvage(tr, live, reason):
    """Run the calls of a trace that cannot run whole one by one. Raises what the first live value that fails raises."""
    made, lost = salvage.calls(tr.node, np.array(tr.numbers, np.float64), _arrays(tr, set()))
    for slot in live:
        ref = tr.refs[slot]()
        if ref is not None and slot in lost:
            ref.lost = lost[slot]
        elif ref is not None:
            ref.value = made[slot]
    if debug.ON:
        debug.say(f"{reason} at {debug.user_line()}: {tr.count} calls, run one by one as they could not be compiled")
    _finish(tr, reason)
    for slot in live:
        if slot in lost:
            raise again(lost[slot])


def ran(device, out):
    """Note that a program ran on a device. out: one of its results."""
    _latest[device] = weakref.ref(out)
    stats.programs += 1


def _finish(tr, reason):
    stats.flushes[reason] += 1
    stats.ops += tr.count
    _retire(tr)


def _run_alone(tr, live, reason):
    """Run the calls of a host trace one by one."""
    if live:
        outs = tr.plan(live).run([array for _, array in tr.inputs], tr.numbers)
        for slot, out in zip(live, outs, strict=True):
            ref = tr.refs[slot]()
            if ref is not None:
                ref.value = out
    tr.ran()
    _finish(tr, reason)


def liveness(tr):
    """(slots of outputs somebody holds, slots of inputs nobody holds any more)."""
    inputs = {slot for slot, _ in tr.inputs}
    live, dead = [], []
    seen = {id(array) for weak in list(trace.every) for array in _inputs(weak(), tr)}
    for slot, array in tr.inputs:
        ref = tr.refs[slot]()
        if ref is None and id(array) not in seen and not is_pinned(array):
            dead.append(slot)
        seen.add(id(array))
    for slot, weak in enumerate(tr.refs):
        if slot not in inputs and weak() is not None:
            live.append(slot)
    return tuple(live), tuple(dead)


def _inputs(other, tr):
    """The arrays that another trace, perhaps another thread's, will read."""
    return () if other is None or other is tr else [array for _, array in other.inputs]


def _arrays(tr, donated):
    """The program's input arrays. Host arrays that are donated or will be read again are put on the device first."""
    arrays = []
    for slot, array in tr.inputs:
        if type(array) is np.ndarray:
            ref = tr.refs[slot]()
            if slot in donated:
                array = devices.copied(array, tr.device)
            elif ref is not None:
                array = devices.copied(array, tr.device)
                ref.value = array
        arrays.append(array)
    return arrays


def _retire(tr):
    """Put a new, empty trace in the place of one that has run."""
    for weak in tr.refs:
        ref = weak()
        if ref is not None and ref.trace is tr:
            ref.trace = None
    tr.node = tr.root
    tr.refs = []
    tr.inputs = []
    tr.numbers = []
    tr.count = 0
    tr.limit = trace.LIMIT
    tr.shadow = tr.fresh = tr.stay = None


_pinned: dict = {}


def pin(array):
    """Mark an array as held from outside jtorch: it is never donated."""
    key = id(array)
    if key not in _pinned:
        _pinned[key] = weakref.ref(array, lambda _: _pinned.pop(key, None))


def unpinned(arrays):
    """Whether none of these arrays was handed out of jtorch."""
    return _pinned.keys().isdisjoint(map(id, arrays))


def is_pinned(array):
    """Whether an array was handed out of jtorch."""
    return id(array) in _pinned


def flush(reason="sync"):
    """Run everything that this thread has pending, on every device."""
    for tr in list(local.traces.values()):
        run(tr, reason)


_latest: dict = {}  # device -> function that gives a result of the program that ran last, or None: a weak reference


def marker(device):
    """Run what is pending on every device; an array of this one that is ready when its work is done."""
    flush("sync")
    last = _latest.get(device)
    array = last() if last is not None else None
    if array is None or type(array) is np.ndarray or array.is_deleted():
        array = jax.device_put(0, devices.jax_device(device)) + 0
        _latest[device] = lambda: array  # kept until a program runs, so that who asks again sees it become ready
    return array


_first = jax.jit(lambda array: array.ravel()[:1])


def mark(device):
    """As marker, but an array that no later program can take as its own memory: it may be asked at any time."""
    array = _first(marker(device))
    _latest[device] = lambda: array
    return array


def finish(device):
    """Run what is pending on every device and wait until this one has done all its work."""
    marker(device).block_until_ready()


def boundary():
    """A step boundary: the pending trace of each device is run. A call that is recorded as a whole has none in it."""
    if local.log is not None:
        return
    for tr in local.traces.values():
        if tr.count:
            run(tr, "step")


def discard():
    """Drop what this thread has pending without running it. Pending tensors are lost: for timing the recorder only."""
    for tr in local.traces.values():
        _retire(tr)


def value(ref):
    """The array of a Ref: a JAX or NumPy array, or a tracer. Runs its trace if it is pending."""
    if local.log is not None:
        local.log.reads += 1
    if ref.value is None:
        if ref.aval.device is devices.META:
            raise NotImplementedError("Cannot copy out of meta tensor; no data!")
        with LOCK:
            if ref.value is None:
                trace.settle(ref)
    found = ref.value
    return found.array() if isinstance(found, Box) else found


def _report(tr, reason, fresh):
    made = f", {fresh.made()}: {show.difference(tr.fresh)}" if fresh else ""
    debug.say(f"{reason} at {debug.user_line()}: {tr.count} calls{made}")


def compiled(node, live, donated, fresh=None):
    """A program of a path, compiled for more than one run. fresh: the first call on it that was new, if one was."""
    found = program.compiled(node, live, donated, False)
    if debug.ON:
        debug.say(f"replay at {debug.user_line()}: {node.depth} calls, {found.made()}: {show.difference(fresh)}")
    return found


def full(tr, op, attrs, ins):
    """Cut a trace that has reached its limit; one of loop turns goes on to a turn's end, so that cuts repeat.

    Where the limit is that nothing is recorded: what trace.record returns for this call, or None.
    """
    if tr.stay is not None:
        return direct.run(tr, op, attrs, ins)
    turn = direct.period([step.key[1:3] if step.key[0] == "any" else step.key[:2] for step in tr.node.path()])
    whole = -(-tr.count // turn) * turn if turn else tr.count
    if whole > tr.count:
        tr.limit = whole
    else:
        run(tr, "full")
    return None


trace.hooks.flush = staticmethod(run)
trace.hooks.full = staticmethod(full)
trace.hooks.pin = staticmethod(pin)
