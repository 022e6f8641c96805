"""One recorded call: where its program's inputs come from, what it writes, and running it again."""

import functools
import sys
from collections import Counter
from operator import attrgetter, itemgetter

import jax
import numpy as np
from jax import Array

from jtorch import devices
from jtorch._tensor import Tensor, read
from jtorch.engine import flush, log, program, stats
from jtorch.engine.ref import Ref, of_array
from jtorch.engine.storage import Storage
from jtorch.engine.trace import LOCK, local
from jtorch.replay.code import Refused
from jtorch.replay.results import Making, Results, Values
from jtorch.rng import generator as generators

_ref, _aval, _value, _grad = attrgetter("ref"), attrgetter("aval"), attrgetter("value"), attrgetter("_grad")
_facts = attrgetter("_storage", "_view", "_rg", "_grad_fn", "_hooks", "_apart")


class Before:
    """How tensors are before a call: their storages with Refs and versions, their gradients, the generators.

    Raises Refused where one of them is sparse.
    """

    def __init__(self, tensors):
        self.tensors = tensors
        self.grads = list(map(_grad, tensors))
        if any(t is not None and t.is_sparse for t in (*tensors, *self.grads)):
            raise Refused("it has sparse tensors")
        self.refs = list(map(read, tensors))
        self.grad_refs = [None if g is None else read(g) for g in self.grads]
        self.facts = list(map(_facts, tensors))
        # Whose storage: that of tensor i, or of its gradient. A watched tensor comes before an argument.
        self.cells = {}
        for kind, held in (("tensor", tensors), ("grad", self.grads)):
            for i, t in enumerate(held):
                if t is not None and id(t._storage) not in self.cells:
                    s = t._storage
                    self.cells[id(s)] = kind, i, s, s.ref, s.version, s.graph
        self.draws = _draws()


def _draws():
    """Per generator: how many keys it has given, and what tells whether it drew on the host."""
    found = {}
    for g in generators._defaults.values():
        found[g] = g._counter, g.place()
    return found


class Recording:
    """A call that can be run again. Raises Refused where it cannot. watched: how many tensors are the world's."""

    def __init__(self, watched, before, noted, result):
        if noted.runs or noted.reads:
            raise Refused("it reads a value")
        if list(map(_facts, before.tensors)) != before.facts:
            raise Refused("it changes what a tensor is")
        self._watched = watched
        self._tensors = before.tensors[:watched]
        trace = _only_trace()
        self._check_draws(before, noted)
        self._moving = log.places(noted, trace.numbers)
        if self._moving is None or noted.bound:
            raise Refused("it steps by numbers whose source is not known")
        self._numbers = np.array(trace.numbers, np.float64)
        self._given, self._last = None, {}
        self._find_inputs(before, trace, noted.made)
        sources = {id(trace.refs[slot]()): place for place, (slot, _) in enumerate(trace.inputs)}
        values = Values(trace, sources)
        known = {id(t): i for i, t in enumerate(before.tensors)}
        results = Results(values, known, before.cells)
        self._find_writes(before, values, {id(s) for s in noted.cells})
        self._find_grads(before, results)
        self._result = results.form(result)
        self._live = tuple(values.slots)
        self._slots = [slot for slot, _ in trace.inputs]
        self._donated = tuple(self._slots[place] for place in self._given_up(before, trace))
        self._node, self._device = trace.node, trace.device
        if not self._live:
            raise Refused("it computes nothing")
        if program.is_spread(self._node):
            raise Refused("it runs on several devices")

    def _check_draws(self, before, noted):
        now = _draws()
        for g, (counter, place) in before.draws.items():
            for drawer, start, end, _, _ in noted.made:
                if drawer is g and start == place:
                    place = end
            if now[g][1] != place or now[g][0] - counter != noted.draws[g]:
                raise Refused("it draws random numbers in a way that cannot be repeated")

    def _find_inputs(self, before, trace, made):
        """Each input is the value of a tensor, of a gradient, or a constant; several tensors may share a value."""
        homes = {}
        for i, ref in enumerate(before.refs):
            homes.setdefault(id(ref), []).append(("tensor", i))
        for i, ref in enumerate(before.grad_refs):
            if ref is not None:
                homes.setdefault(id(ref), []).append(("grad", i))
        drawn = {id(ref): n for n, (_, _, _, ref, _) in enumerate(made)}
        self._drawn = [fresh for *_, fresh in made]
        self._homes, self._avals, constants, order = [], [], [], []
        for slot, array in trace.inputs:
            ref = trace.refs[slot]()
            home = homes.get(id(ref)) if ref is not None else None
            if id(ref) in drawn:
                order.append(("drawn", drawn[id(ref)]))
            elif home is None and ref is not None:
                raise Refused("it uses a tensor that no guard watches")
            elif home is None:
                flush.pin(array)
                order.append(~len(constants))
                constants.append(of_array(array, trace.device))
            else:
                order.append(len(self._homes))
                self._homes.append(home)
                self._avals.append(ref.aval)
        self._constants = constants
        count = len(self._homes)
        self._order = [
            count + len(constants) + at[1] if type(at) is tuple else at if at >= 0 else count + ~at for at in order
        ]
        firsts = [home[0] for home in self._homes]
        self._cells = [self._tensors[i]._storage for kind, i in firsts if self._is_cell(kind, i)]
        # Read one by one: arguments, gradients and watched views.
        self._others = [(kind, i) for kind, i in firsts if not self._is_cell(kind, i)]
        places = [n for n, (kind, i) in enumerate(firsts) if self._is_cell(kind, i)]
        places += [n for n, (kind, i) in enumerate(firsts) if not self._is_cell(kind, i)]
        at = {n: place for place, n in enumerate(places)}
        self._order = [at.get(n, n) for n in self._order]
        self._avals = [self._avals[n] for n in places]
        self._shared = [(at[n], home[1:]) for n, home in enumerate(self._homes) if len(home) > 1]
        self._pick = itemgetter(*self._order) if len(self._order) > 1 else None

    def _is_cell(self, kind, i):
        return kind == "tensor" and i < self._watched and self._tensors[i]._view is None

    def _find_writes(self, before, values, moved):
        """Which storages are written, with what, and by how much their versions rise."""
        self._writes = []
        for kind, i, storage, ref, version, graph in before.cells.values():
            if storage.ref is ref or id(storage) in moved:
                continue
            owner = before.tensors[i] if kind == "tensor" else before.grads[i]
            if type(storage) is not Storage or (owner._view is not None and i >= self._watched):
                raise Refused("it writes into memory that is shared")
            place = values.of(storage.ref)
            self._writes.append((kind, i, place, storage.version - version, storage.graph - graph))
        fixed = [w for w in self._writes if w[0] == "tensor" and w[1] < self._watched]
        self._targets = [(self._tensors[i]._storage, *rest) for _, i, *rest in fixed]
        self._writes = [w for w in self._writes if w not in fixed]

    def _find_grads(self, before, results):
        self._grads = []
        self._without = [g is None for g in before.grads]
        for i, (t, old) in enumerate(zip(before.tensors, before.grads, strict=True)):
            if t._grad is not old:
                self._grads.append((i, None if t._grad is None else results.tensor(t._grad)))

    def _given_up(self, before, trace):
        """Places of the inputs whose memory the program may take: nobody but written storages holds them."""
        written = {id(storage) for storage, *_ in self._targets}
        spent = {id(before.refs[i]) for i in range(self._watched) if id(before.tensors[i]._storage) in written}
        taken = []
        self._takes = []
        for place, (slot, _) in enumerate(trace.inputs):
            at = self._order[place]
            if at < len(self._cells) and id(trace.refs[slot]()) in spent:
                shares = {id(self._cells[at])}
                shares |= {id(before.tensors[i]._storage) for n, home in self._shared if n == at for _, i in home}
                if shares <= written:
                    taken.append(place)
                    self._takes.append((at, len(shares)))
        return taken

    # Running

    def start(self):
        """Run the trace that was recorded, by the program of the replays where nobody holds anything else of it."""
        trace = _only_trace()
        live, dead = flush.liveness(trace)
        if set(live) <= set(self._live) and set(self._donated) <= set(dead):
            flush.run_with(trace, self._program(fresh=trace.fresh), "step")
        else:
            flush.run(trace, "step")
        self._ready()

    def _program(self, donated=None, fresh=None):
        donated = self._donated if donated is None else donated
        found = self._node.programs.get((self._live, donated, None))
        if found is None or found.quick:
            found = flush.compiled(self._node, self._live, donated, fresh)
        return found

    def _ready(self):
        self.program = self._program()
        nodes = self._node.path()
        avals = {step.first + i: a for step in nodes for i, a in enumerate(step.sig.outs)}
        self._out_avals = [avals[slot] for slot in self._live]
        self._take_at = [at for at, _ in self._takes]
        self._sparing = None
        self._take_counts = [_ALONE - 1 + shares for _, shares in self._takes]
        self._taken = (
            itemgetter(*self._take_at) if len(self._takes) > 1 else lambda refs: [refs[i] for i in self._take_at]
        )
        for ref in self._constants:
            ref.value = self._placed(ref.value)
        self._constant_values = list(map(_value, self._constants))
        self._homes = None
        self._split_grads()

    def _split_grads(self):
        """Most gradients are plain new tensors that are nothing else, too: those are made the short way."""
        forms = [form for _, form in self._grads if form is not None]
        cells = Counter(form[2][0] for form in [*forms, *_tensors(self._result)] if form[0] == "tensor")
        plain = {
            i for i, form in self._grads
            if form and form[0] == "tensor" and form[3] is form[4] is None and form[2][1][0] == "out"
            and cells[form[2][0]] == 1
        }  # fmt: skip
        self._plain_grads = [(i, form[2][1][1], *form[2][2:]) for i, form in self._grads if i in plain]
        self._grads = [(i, form) for i, form in self._grads if i not in plain]

    def _placed(self, array):
        return devices.copied(array, self._device) if isinstance(array, np.ndarray) else array

    def run(self, arguments):
        """(True, the call's result), or (False, None) where things are not as they were and Python must run."""
        flush.boundary()
        with LOCK:
            tensors = [*self._tensors, *arguments]
            if [t._grad is None for t in tensors] != self._without:
                return False, None
            refs = self._gather(tensors)
            if refs is None:
                return False, None
            chosen = self.program if self._may_take(refs) else self._without_taking()
            values = list(map(_value, refs))
            if not _arrays().issuperset(map(type, values)) or len(set(map(id, values))) < len(values):
                values = self._settled(refs)
                if values is None:
                    return False, None
            numbers, done = self._next_numbers()
            if numbers is None:
                return False, None
            values += self._constant_values
            values += [fresh()._storage.ref.value for fresh in self._drawn]
            given = self._pick(values) if self._pick else [values[i] for i in self._order]
            outs = chosen.run(numbers, given)
            flush.ran(self._device, outs[0])
            stats.replays += 1
            news = list(map(Ref, self._out_avals, outs))
            return True, self._write(news, refs, tensors, done)

    def _gather(self, tensors):
        """The Refs of the inputs, or None where one has another shape, or two are no longer or newly one."""
        refs = list(map(_ref, self._cells))
        for kind, i in self._others:
            refs.append(read(tensors[i] if kind == "tensor" else tensors[i]._grad))
        if any(type(t[0]) is not Storage for t in self._targets):
            return None
        if list(map(_aval, refs)) != self._avals or len(set(map(id, refs))) < len(refs):
            return None
        for at, homes in self._shared:
            for kind, i in homes:
                if read(tensors[i] if kind == "tensor" else tensors[i]._grad) is not refs[at]:
                    return None
        return refs

    def _may_take(self, refs):
        """Whether nobody else holds what the program takes over."""
        taken = self._taken(refs)
        return list(map(sys.getrefcount, taken)) == self._take_counts and flush.unpinned(map(_value, taken))

    def _without_taking(self):
        """The program that leaves all inputs whole."""
        if self._sparing is None:
            self._sparing = self._program(())
        return self._sparing

    def _settled(self, refs):
        """The inputs as arrays on the device; None where one is not there, or one is there twice."""
        for ref in refs:
            if type(ref.value) is np.ndarray:
                ref.value = self._placed(ref.value)
        values = list(map(_value, refs))
        if not all(isinstance(v, Array) and not isinstance(v, jax.core.Tracer) for v in values):
            return None
        return values if len(set(map(id, values))) == len(values) else None

    def _next_numbers(self):
        """(the program's numbers, what is to be called when it ran)."""
        done = []
        if self._moving:
            numbers, last = self._numbers, self._last
            for at, count, again in self._moving:
                found = again()
                if found is None:
                    return None, done
                if found[0] is not last.get(at):
                    if numbers is self._numbers:
                        numbers = numbers.copy()
                    numbers[at : at + count] = last[at] = found[0]
                if found[1] is not None:
                    done.append(found[1])
            if numbers is not self._numbers:
                # Numbers that stay are put on the device once; those of this call go with it, which is cheaper.
                self._numbers, self._given = numbers, None
                return numbers, done
        if self._given is None:
            self._given = jax.device_put(self._numbers, devices.sharding(self._device))
        return self._given, done

    def _write(self, news, refs, tensors, done):
        refs += [*self._constants, *[None] * len(self._drawn)]
        ins = [refs[at] for at in self._order]
        for storage, (kind, place), version, graph in self._targets:
            storage.ref = news[place] if kind == "out" else ins[place]
            storage.version += version
            storage.graph += graph
        for kind, i, (source, place), version, graph in self._writes:
            storage = (tensors[i] if kind == "tensor" else tensors[i]._grad)._storage
            storage.ref = news[place] if source == "out" else ins[place]
            storage.version += version
            storage.graph += graph
        for call in done:
            call()
        for i, place, version, graph in self._plain_grads:
            tensors[i]._grad = grad = _new(Tensor)
            grad._storage = storage = Storage(news[place])
            storage.version, storage.graph = version, graph
        making = Making(news, ins, tensors.__getitem__)
        for i, form in self._grads:
            tensors[i]._grad = None if form is None else making.make(form)
        return making.make(self._result)


def _only_trace():
    traces = [trace for trace in local.traces.values() if trace.count]
    if len(traces) != 1 or traces[0].host or traces[0].device is devices.META:
        raise Refused("it runs on no device or on several")
    return traces[0]


def _tensors(form):
    """The forms of tensors in a form."""
    if form[0] in ("list", "tuple", "dict"):
        return [x for inner in form[-1] for x in _tensors(inner)]
    return [form] if form[0] == "tensor" else []


_new = object.__new__


@functools.cache
def _arrays():
    """The class of arrays. Asked when needed: it starts JAX, which must know of other processes before."""
    return frozenset({type(jax.device_put(np.float32(0)))})


def _alone():
    storage = Storage(Ref(None))
    refs = list(map(_ref, [storage]))
    taken = [refs[0]]
    return next(map(sys.getrefcount, taken))


_ALONE = _alone()
