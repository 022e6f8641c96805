"""The tape: a Call per recorded differentiable call, with what its gradient needs and where the gradients go on."""

import itertools
import weakref

import jax

from jtorch import dtypes
from jtorch._tensor import Tensor, read, wrap
from jtorch.autograd.node import Node, named, next_sequence, public
from jtorch.autograd.tangents import Level, carry
from jtorch.engine import kept
from jtorch.engine.ref import Aval, Ref
from jtorch.engine.trie import placeless
from jtorch.ops.op import Kind, Op
from jtorch.ops.saved import read_by_gradient
from jtorch.recordable import SAVED

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


# torch: a number that these are given is a tensor to the graph.
_WRAP_NUMBERS = ("add", "sub", "mul", "div")


class Tape:
    """What the tape keeps of a call, for one choice of operands that need a gradient. Worked out once per Signature."""

    __slots__ = (
        "op", "vjp", "node", "needs", "slots", "graph", "places", "shown", "saved", "tensors", "results", "layout",
        "fixed", "floating", "outs", "by_present", "single", "frees", "device", "defined",
    )  # fmt: skip

    def __init__(self, sig, needs):
        op = sig.op
        self.op = op
        self.vjp = op.vjp
        name, *self.graph = _graph(sig)
        inner = any(type(entry) is tuple for entry in self.graph)
        unlinked, undefined = op.unlinked(sig.attrs), op.undefined(sig.avals, sig.attrs)
        self.node = named(Composite if inner else Undefined if undefined else getattr(op, "node", Call), name)
        linked = [
            bool(needs >> i & 1) and type(a) is Aval and a.dtype.category >= dtypes.FLOAT and i not in unlinked
            for i, a in enumerate(sig.avals)
        ]
        self.slots = tuple(i for i, here in enumerate(linked) if here)
        self.defined = tuple(i not in undefined for i in self.slots)
        self.needs = tuple(here and i not in undefined for i, here in enumerate(linked))
        self.places = {i: place for place, i in enumerate(self.slots)}
        sent = {i: place for place, i in enumerate(i for i, need in enumerate(self.needs) if need)}
        self.shown = tuple(sent.get(self.operand(entry)) for entry in self.graph)
        self.outs = sig.outs
        self.device = sig.outs[0].device
        self.floating = tuple(a.dtype.category >= dtypes.FLOAT and i not in op.constant for i, a in enumerate(sig.outs))
        self.results = op.saves is not None and "result" in op.saves
        reads = self._reads(sig)
        self.saved = tuple(i for i, a in enumerate(sig.avals) if a is not None and (type(a) is not Aval or reads[i]))
        self.tensors = tuple(i for i in self.saved if type(sig.avals[i]) is Aval)
        self.layout = tuple(None if a is None else SAVED if i in self.saved else a for i, a in enumerate(sig.avals))
        self.fixed = (sig.attrs, sig.compute, self.layout, self.needs)
        self.by_present = {}
        self.single = self.attrs((True,)) if len(self.outs) == 1 else None
        self.frees = self.results or any(reads) or self._reads_number(sig)

    def operands(self, entry):
        """The operands that need a gradient in an entry of the graph."""
        if type(entry) is tuple:
            return [i for part in entry[1:] for i in self.operands(part)]
        return [entry] if entry in self.places else []

    def operand(self, entry):
        """The one operand that needs a gradient in an entry of the graph, or None."""
        found = self.operands(entry)
        return found[0] if len(found) == 1 else None

    def _reads(self, sig):
        """Per operand: whether the gradient reads its value."""
        if self.op.saves is not None:
            return [name in self.op.saves for name in _operand_names(self.op, sig.attrs)]
        name, known = kept.recall("reads", self.op, sig.attrs, placeless(sig.avals), sig.compute, self.needs, sig.outs)
        if known is None:
            avals = [_struct(a) if type(a) is Aval else None if a is None else a.stand_in() for a in sig.avals]
            outs = [_struct(a) for a in sig.outs]
            known = list(map(bool, read_by_gradient(self.op, sig.attrs, sig.compute, avals, self.needs, outs)))
            kept.remember(name, known)
        return known

    def _reads_number(self, sig):
        """Whether the gradient reads a number that stands for a tensor: torch frees that as well."""
        if not isinstance(self.op, Op) or self.op.rule is None:
            return False
        kinds = self.op.operand_kinds(sig.attrs)
        numbers = [i for i, k in enumerate(kinds) if k is Kind.OPERAND and type(sig.avals[i]) not in (Aval, type(None))]
        if not numbers:
            return False
        avals = [_struct(a) if type(a) is Aval else None if a is None else a.stand_in() for a in sig.avals]
        for i in numbers:
            avals[i] = jax.ShapeDtypeStruct((), sig.compute)
        outs = [_struct(a) for a in sig.outs]
        reads = read_by_gradient(self.op, sig.attrs, sig.compute, avals, self.needs, outs)
        return any(reads[i] for i in numbers)

    def operand_names(self):
        """The parameter that each operand is for; nothing where the op has none."""
        return _operand_names(self.op, self.fixed[0]) if isinstance(self.op, Op) else []

    def attrs(self, present):
        """The attributes of the recorded vjp, when these cotangents are there."""
        found = self.by_present.get(present)
        if found is None:
            found = self.by_present[present] = (*self.fixed, present, self.results)
        return found


def _operand_names(op, attrs):
    """The parameter that each operand of a call is for."""
    names, static = [], iter(attrs)
    for p in op.params:
        count = 1 if p.recorded else next(static)
        if p.recorded or p.kind in (Kind.ARRAYS, Kind.INPUTS):
            names += [p.name] * count
    return names


def _graph(sig):
    """torch's grad_fn of a call: (name, *entries); without entries of its own the tensors that can have gradients."""
    op = sig.op
    if not isinstance(op, Op):
        return op.grad_name, *(i for i, a in enumerate(sig.avals) if type(a) is Aval)
    seen = tuple((a.dtype, a.ndim) if type(a) is Aval else None if a is None else (a.type, None) for a in sig.avals)
    found = op.graph(seen, sig.attrs)
    if type(found) is tuple:
        return found
    numbers = op.name in _WRAP_NUMBERS
    return found, *(
        i
        for i, (a, kind) in enumerate(zip(sig.avals, op.operand_kinds(sig.attrs), strict=True))
        if (type(a) is Aval and not _is_index(a, kind)) or (numbers and kind is Kind.OPERAND)
    )


def _is_index(a, kind):
    """Whether an operand is one that torch never differentiates by: indices, targets, masks."""
    return kind in (Kind.ARRAY, Kind.ARRAYS) and a.dtype.category < dtypes.FLOAT


def _struct(a):
    return jax.ShapeDtypeStruct(a.shape, a.dtype.numpy)


def tape(sig, needs):
    """The Tape of a Signature for a bit mask of operands that require grad; None when no output can."""
    found = sig.tapes.get(needs, 0)
    if found == 0:
        found = Tape(sig, needs) if any(a.dtype.category >= dtypes.FLOAT for a in sig.outs) else None
        if found is not None and not found.slots:
            found = None
        sig.tapes[needs] = found
    return found


_packed_so_far = itertools.count().__next__


class Packed:
    """What a saved-tensor hook made of a saved tensor. number: those of a call are unpacked in the order of packing."""

    __slots__ = ("packed", "unpack", "number")

    def __init__(self, packed, unpack):
        self.packed = packed
        self.unpack = unpack
        self.number = _packed_so_far()

    def tensor(self):
        """What the unpack hook makes of it. Raises TypeError when that is no Tensor."""
        found = self.unpack(self.packed)
        if not isinstance(found, Tensor):
            kind = type(found).__name__
            raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {kind}")
        return found

    def ref(self):
        """The Ref of its value."""
        return read(self.tensor())


class SavedTensor:
    """One saved tensor of a node, which hooks may be put on."""

    def __init__(self, node, index):
        self.node = node
        self.index = index

    def register_hooks(self, pack_hook, unpack_hook):
        """Pack the tensor now; it is unpacked when backward needs it."""
        above.pack_one(self.node, self.index, pack_hook, unpack_hook)


class above:
    """What nodes call above themselves; set by autograd/saved_hooks.py."""

    pack_one = None


class Call(Node):
    """A recorded call on the tape. saved: Refs and numbers, or what a saved-tensor hook packed.

    versions: (storage, its version when saved, which operand or ~result, the operand) of each saved tensor; with a
    result that was written into a view goes a weak reference to the node that the view is the result of since.
    """

    __slots__ = ("tape", "saved", "versions")

    def __init__(self, tape, saved, versions, edges):
        self.tape = tape
        self.saved = saved
        self.versions = versions
        self.edges = edges
        self.sequence = next_sequence()
        self.hooks = None

    @property
    def shown(self):
        return self.tape.shown

    @property
    def outs(self):
        return self.tape.outs

    def known(self):
        """The edges of all operands that require grad."""
        return self.edges

    def pull(self, cotangents, mode):
        return mode.pull(self, cotangents)

    def saved_tensors(self):
        """The saved operands and results as Tensors that stand where they stood in the graph (for double backward)."""
        whole = {at: tensor for _, _, at, tensor in self.versions if at >= 0}
        places = [*self.tape.saved, *(~n for n in range(len(self.outs)))]
        edges = dict(zip(self.tape.slots, self.known(), strict=True))
        tangents = Level.saved.get(self, {})
        return [
            _placed(x, (self, ~at) if at < 0 else edges.get(at), whole.get(at), tangents.get(at))
            if type(x) is Ref
            else x
            for x, at in zip(self.unpacked(), places, strict=False)
        ]

    def unpacked(self):
        """What was saved, as Refs and numbers."""
        if self.hooks is None:
            return self.saved
        found = list(self.saved)
        packed = [(x.number, i) for i, x in enumerate(found) if type(x) is Packed]
        for _, i in sorted(packed):
            found[i] = found[i].ref()
        return found

    def __getattr__(self, name):
        if name.startswith(("_saved_", "_raw_saved_")):
            return self._saved(name.removeprefix("_raw").removeprefix("_saved_"), name.startswith("_raw"))
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _saved(self, name, raw):
        """A saved operand under torch's name for it, or the result; raw: as a SavedTensor."""
        if self.saved is None:
            raise RuntimeError(FREED)
        names = ["self" if n == "input" else n for n in self.tape.operand_names()]
        places = [*self.tape.saved, *(~n for n in range(len(self.outs)))]
        for i, (at, saved) in enumerate(zip(places, self.saved, strict=False)):
            if name == ("result" if at < 0 else names[at]):
                if raw:
                    return SavedTensor(self, i)
                return self.saved_tensors()[i] if type(saved) in (Ref, Packed) else saved
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '_saved_{name}'")

    def check(self):
        if self.saved is None:
            raise RuntimeError(FREED)
        for storage, version, at, operand in self.versions:
            if storage.version != version:
                aval = self.outs[~at] if at < 0 else self.saved[self.tape.saved.index(at)].aval
                raise RuntimeError(modified(aval, _origin(self, at, operand), storage.version, version))

    def release(self):
        if self.tape.frees:
            self.saved = None
        self.versions = ()


class Undefined(Call):
    """A call with operands to which torch sends None: their edges are there to be looked at."""

    __slots__ = ("every",)

    @property
    def edges(self):
        return [edge for edge, sent in zip(self.every, self.tape.defined, strict=True) if sent]

    @edges.setter
    def edges(self, every):
        self.every = every

    def known(self):
        return self.every

    @property
    def next_functions(self):
        places = [self.tape.places.get(self.tape.operand(entry)) for entry in self.tape.graph]
        return tuple(public(None if place is None else self.every[place]) for place in places)


class Composite(Call):
    """A call that torch makes of several: the nodes between are made when somebody looks at the graph."""

    __slots__ = ("inner",)

    @property
    def next_functions(self):
        return tuple(self.follow(entry) for entry in self.tape.graph)

    def follow(self, entry):
        """Where an entry of the graph leads: an edge of this call, or the node inside it that the entry stands for."""
        if type(entry) is not tuple:
            place = self.tape.places.get(entry)
            return public(None if place is None else self.edges[place])
        if not self.tape.operands(entry):
            return None, 0
        try:
            inner = self.inner
        except AttributeError:
            inner = self.inner = weakref.WeakValueDictionary()
        found = inner.get(entry)
        if found is None:
            found = inner[entry] = named(Inner, entry[0])(self, entry)
        return found, 0


class Inner(Node):
    """A node that torch has inside a Composite. It is there to be looked at: gradients pass it by."""

    __slots__ = ("owner", "entry")

    edges = shown = outs = ()

    def __init__(self, owner, entry):
        self.owner = owner
        self.entry = entry
        self.sequence = owner.sequence
        self.hooks = None

    @property
    def next_functions(self):
        return tuple(self.owner.follow(entry) for entry in self.entry[1:])

    def _own_hooks(self):
        raise RuntimeError(
            f"{self.name()} is a part of {self.owner.name()}, which jtorch computes as one call: no gradient comes by "
            f"here. Register the hook on {self.owner.name()}, or on a tensor."
        )


class Slices(Call):
    """The call that writes an in-place op's result on a view back into the base. torch shows the op's own operands.

    constants: the edges that torch shows of a value without history.
    """

    __slots__ = ("constants",)

    @property
    def next_functions(self):
        base, value = (public(edge) for edge in self.spread(self.edges)[:2])
        inner = value[0]
        if inner is None:
            return base, *self.constants
        first = isinstance(inner, Call) and inner.tape.graph[0] == 0
        return base, *inner.next_functions[first:]


def _placed(ref, edge, operand, tangent):
    """A saved value as a Tensor behind an edge, with its tangent: the operand itself where it still stands there."""
    if operand is not None and (operand._grad_fn is edge[0] or operand is edge[0] if edge else not operand._rg):
        return operand
    if edge is not None and isinstance(edge[0], Tensor):
        return edge[0]
    t = wrap(ref)
    if edge is not None:
        t._grad_fn, t._out_nr = edge
        t._rg = True
    if tangent is not None:
        carry(t, tangent)
    return t


def _origin(node, at, operand):
    """(name of the call, output number) that a saved tensor is the result of by now, or None for a leaf."""
    if at < 0:
        return ((operand and operand()) or node).brief_name(), ~at
    view = operand._view
    if view is not None and view.base is not None and view.base._rg and view.graph != operand._storage.graph:
        return "AsStrided", 0
    made = operand._grad_fn
    return made and (made.brief_name(), operand._out_nr)


class Hint:
    """What an error about a tensor modified in place advises; anomaly_mode.py sets it."""

    plain = (
        "enable anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )
    traced = (
        "the backtrace further above shows the operation that failed to compute its gradient. The variable in question "
        "was changed in there or anywhere later. Good luck!"
    )
    text = plain


def modified(aval, origin, now, then):
    """torch's words for a saved tensor that was written to. origin: (name, output number) of the call it came from."""
    place = aval.device.type
    if aval.dtype.is_complex or aval.dtype.name in ("bool", "bfloat16"):
        kind = f"{place.upper()}{aval.dtype.label}Type"
    else:
        kind = f"torch.{'cuda.' if place == 'cuda' else ''}{aval.dtype.label}Tensor"
    came = f", which is output {origin[1]} of {origin[0]}," if origin else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{kind} [{', '.join(map(str, aval.shape))}]]{came} is at version {now}; expected version {then} instead. "
        f"Hint: {Hint.text}"
    )
