"""Recording: each call becomes one step along the trie, and its outputs become pending Refs."""

import threading
import weakref

import numpy as np
from jax.core import Tracer

from jtorch import devices, modes
from jtorch.engine import debug, trie
from jtorch.engine.ref import Box, Ref, again
from jtorch.engine.trie import LIFTED, Node, Number, number_key
from jtorch.recordable import Lift
from jtorch.shapes import is_symbolic

LOCK = threading.RLock()
_weak = weakref.ref
LIMIT = 4096  # pending calls at which a trace is cut
EXACT = 2**53  # whole numbers up to here are float64s


class _Local(threading.local):
    def __init__(self):
        self.trace = None  # the trace recorded into last
        self.traces = {}  # device -> Trace
        self.log = None  # what is noted while a call is recorded as a whole, to be replayed: see engine/log.py


local = _Local()


class Inline(Exception):
    """An operand or a size is JAX's, or one is boxed: this call is not recorded, but run at once or a level below."""


every: list = []  # weak references to all traces, those of other threads too


class Trace:
    """The calls that one thread recorded for one device since the last flush."""

    __slots__ = (
        "device",
        "root",
        "node",
        "refs",
        "inputs",
        "numbers",
        "count",
        "limit",
        "shadow",
        "fresh",
        "host",
        "varied",
        "stay",
        "__weakref__",
    )

    def __init__(self, device):
        self.device = device
        self.host = False  # whether its calls run one by one, by their NumPy forms: see engine/host.py
        self.root = self.node = trie.root(device)
        self.refs = []  # slot -> weak reference to its Ref
        self.inputs = []  # (slot, array) of every program input
        self.numbers = []  # values of lifted numbers
        self.count = 0
        self.limit = LIMIT
        self.fresh = None  # the first node of this path that no trace had been at before
        self.shadow = None  # the known path next to this one, since a number differed from it
        self.varied = 0  # how many more of its latest paths were new than known
        self.stay = None  # while its calls run at once, and the limit is below 0: see engine/direct.py
        every.append(weakref.ref(self, every.remove))

    def enter(self, ref):
        """Make a Ref from outside this trace an input of it; its Aval."""
        if ref.value is None and self.device is not devices.META:
            settle(ref)
        value = ref.value
        if isinstance(value, (Tracer, Box)):
            raise Inline
        need_device(ref, self.device)
        ref.trace = self
        ref.slot = len(self.refs)
        self.refs.append(weakref.ref(ref))
        self.inputs.append((ref.slot, value))
        return ref.aval


def need_device(ref, device):
    """Raise RuntimeError, in torch's words, for a Ref on another device."""
    if ref.aval.device is not device:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, {device} and "
            f"{ref.aval.device}!"
        )


def settle(ref):
    """Run the trace that a pending Ref waits in, so that it has a value. Raises when it could not be made."""
    trace = ref.trace
    if trace is None:
        lost = ref.lost or RuntimeError("this tensor's value was lost: the program that should have made it failed")
        raise again(lost)
    try:
        hooks.flush(trace, "read")
    except Exception:
        if ref.value is None:
            raise  # else a call failed that this value does not need: who reads what it should have made is told


class hooks:
    """What the recorder calls above itself; set by engine/flush.py, boxed by autograd/levels.py."""

    flush = None
    full = None
    pin = None
    boxed = None


def current(device):
    """This thread's trace for a device."""
    trace = local.traces.get(device)
    if trace is None:
        trace = local.traces[device] = Trace(device)
    local.trace = trace
    return trace


def record(op, attrs, ins, device):
    """Record a call: (Refs of its outputs, its Signature). ins: Refs, numbers, Lifts, None. attrs: a hashable tuple.

    Raises what the op raises for these shapes, and Inline for a tracer; the trace is then as it was.
    """
    with LOCK:
        trace = local.trace
        if trace is None or trace.device is not device:
            trace = current(device)
        if trace.count >= trace.limit and (made := hooks.full(trace, op, attrs, ins)):
            return made
        refs, plain, key = trace.refs, True, [op, attrs]
        known, put = len(refs), key.append
        try:
            for x in ins:
                if type(x) is Ref:
                    put(x.slot if x.trace is trace else trace.enter(x))
                elif x is None:
                    put(None)
                else:
                    plain = False
                    put((LIFTED, type(x.value)) if type(x) is Lift else number_key(x))
            if modes.local.token is not None:
                put(modes.local.token)
            key = tuple(key)
            node = trace.node.children.get(key)
            if node is None or trace.shadow is not None:
                node = _grow(trace, key, ins, known)
        except BaseException:
            _forget(trace, known)
            raise
        trace.node = node
        trace.count += 1
        if not plain and node.numbers > len(trace.numbers):
            _push_numbers(trace, node, ins)
        outs = []
        slot = node.first
        for aval in node.sig.outs:
            out = Ref(aval, None, trace, slot)
            refs.append(_weak(out))
            outs.append(out)
            slot += 1
    if debug.EAGER:
        hooks.flush(trace, "eager")
    return outs, node.sig


def _forget(trace, known):
    for weak in trace.refs[known:]:
        ref = weak()
        if ref is not None:
            ref.trace = None
    del trace.refs[known:]
    while trace.inputs and trace.inputs[-1][0] >= known:
        trace.inputs.pop()


def _push_numbers(trace, node, ins):
    for at, x in zip(node.ins, ins, strict=True):
        if type(at) is Number and at.index is not None:
            trace.numbers.append(x.value if type(x) is Lift else x)


def loosened(key):
    """The key with the values of its liftable numbers left out, or None when it has none."""
    if not key[0].lift:
        return None
    found = False
    parts = list(key)
    for i in range(2, len(key)):
        if is_number(key[i]):
            parts[i] = (None, key[i][1])
            found = True
    return tuple(parts) if found else None


def is_number(part):
    """Whether a part of a key is a number whose value may be lifted: as a float64, which must hold it exactly."""
    if type(part) is not tuple or part[0] is LIFTED:
        return False
    return part[1] is float or (part[1] is int and (part[0] == "0" or -EXACT <= part[0] <= EXACT))


def _grow(trace, key, ins, known):
    """The child of the trace's node for a call: the known one, one with its changed numbers lifted, or a new one."""
    parent = trace.node
    loose = loosened(key)
    shadow, trace.shadow = trace.shadow, None
    found = parent.children.get(key)
    if found is None and loose is not None:
        found = parent.children.get(("any", loose))
    if found is not None:
        trace.shadow = _beside(shadow, key, loose)
        return found
    like = parent.loose.get(loose) if loose is not None else None
    if like is None and shadow is not None:
        like = shadow.children.get(key) or (loose and (shadow.loose.get(loose) or shadow.children.get(("any", loose))))
    changed = _changed(like, key)
    node = _make(trace, ("any", loose) if changed else key, ins, known, changed)
    if loose is not None:
        parent.loose.setdefault(loose, node)
    trace.shadow = like
    if debug.ON:
        node.where = debug.user_line()
    return node


def _beside(shadow, key, loose):
    if shadow is None:
        return None
    return shadow.children.get(key) or (loose and (shadow.children.get(("any", loose)) or shadow.loose.get(loose)))


def _changed(like, key):
    """Positions of operands that are numbers whose value differs from the known path's."""
    if like is None:
        return ()
    changed = []
    for i, (at, part) in enumerate(zip(like.ins, key[2:], strict=False)):
        if type(at) is Number and is_number(part) and (at.index is not None or number_key(at.value) != part):
            changed.append(i)
    return tuple(changed)


def _make(trace, key, ins, known, changed):
    parent = trace.node
    op, attrs = (key[1] if key[0] == "any" else key)[:2]
    numbers = parent.numbers
    spots, operands = [], []
    for i, x in enumerate(ins):
        if type(x) is Ref:
            spots.append(x.slot)
            operands.append(x.aval)
        elif x is None:
            spots.append(None)
            operands.append(None)
        else:
            lifted = type(x) is Lift or i in changed
            spot = Number(x.value if type(x) is Lift else x, numbers if lifted else None)
            numbers += lifted
            spots.append(spot)
            operands.append(spot)
    sig = trie.signature(op, attrs, operands, trace.device, modes.local.token)
    if any(is_symbolic(n) for a in sig.outs for n in a.shape):
        raise Inline  # made of sizes that only JAX's trace under way knows
    entered = tuple((slot, trace.refs[slot]().aval) for slot in range(known, len(trace.refs)))
    node = Node(parent, key, sig, tuple(spots), entered, numbers)
    parent.children[key] = node
    if trace.fresh is None:
        trace.fresh = node
    return node


def run_inline(op, attrs, ins, device):
    """Run a call at once on tracers (and concrete arrays), or on boxes: (Refs of its outputs, its Signature)."""
    for x in ins:
        if type(x) is Ref and isinstance(x.value, Box):
            return hooks.boxed(op, attrs, ins, device)
    values, operands = [], []
    for x in ins:
        if type(x) is Ref:
            if x.value is None:
                settle(x)
            values.append(x.value)
            operands.append(x.aval)
        elif type(x) is Lift:  # an array, as it is in a program
            values.append(np.asarray(x.value, np.int64 if type(x.value) is int else np.float64))
            operands.append(Number(x.value, 0))
        else:
            values.append(x)
            operands.append(x if x is None else Number(x))
    sig = trie.signature(op, attrs, operands, device, modes.local.token)
    outs = op.traced(tuple(values), attrs, sig.compute)
    for out in outs:
        if not isinstance(out, Tracer):
            hooks.pin(out)  # JAX may hold the same array behind a tracer
    return [Ref(a, v) for a, v in zip(sig.outs, outs, strict=True)], sig


def device_of(ins):
    """The device a call runs on: that of its first operand with dims, or of any, or None."""
    found = None
    for x in ins:
        if type(x) is Ref:
            if x.aval.shape:
                return x.aval.device
            found = found or x.aval.device
    return found if found is not None else devices.get()
