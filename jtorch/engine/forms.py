"""NumPy forms of calls: small work on the host is done call by call, without compiling what may never come again."""

import functools
import math
from typing import NamedTuple

import jax
import numpy as np

from jtorch.engine import near, program, trie

LONG = 256  # calls from which on a trace deserves a program even on the host
_LITTLE = 2**12  # elements that are copied sooner than NumPy makes a view of them
_KINDS = "biu"  # dtypes on which NumPy does what XLA does, beside float32 and float64


class Form(NamedTuple):
    """How a call is done: its operands, constants and results of steps are numbered in a row.

    A step is (function, places of its operands); outs are places. loud: whether NumPy may warn of what it meets.
    """

    constants: list
    steps: list
    outs: list
    loud: bool


class Plan:
    """A path as NumPy functions in a row. Each puts its result behind constants, inputs, numbers and results so far."""

    __slots__ = ("constants", "_steps", "_outs", "_types")

    def __init__(self, node, live, quick=False):
        """quick: compile in a hurry what NumPy does not have."""
        path = node.path()
        slots = [slot for step in path for slot, _ in step.entered]
        forms = [form(step.sig, quick) for step in path]
        self.constants = [value for found in forms for value in found.constants]
        self._types = {}
        first = len(self.constants)
        places = {slot: first + i for i, slot in enumerate(slots)}
        numbers = first + len(slots)
        end = numbers + node.numbers
        steps, used = [], 0
        for step, (constants, own, outs, _) in zip(path, forms, strict=True):
            local = []
            for at in step.ins:
                if type(at) is trie.Number and at.index is not None:
                    self._types[at.index] = np.int64 if at.type is int else np.float64
                    local.append(numbers + at.index)
                elif type(at) is int:
                    local.append(places[at])
            local += range(used, used + len(constants))
            used += len(constants)
            for function, ins in own:
                local.append(end + len(steps))
                steps.append((function, *[local[i] for i in ins]))
            places.update((step.first + i, local[place]) for i, place in enumerate(outs))
        self._keep(steps, end, [places[slot] for slot in live])

    def __len__(self):
        return len(self._steps)

    def _keep(self, steps, end, outs):
        """Leave out the steps whose results nobody reads."""
        wanted = set(outs)
        kept = []
        for i in range(len(steps) - 1, -1, -1):
            if end + i in wanted:
                wanted.update(steps[i][1:])
                kept.append(i)
        moved = {end + i: end + n for n, i in enumerate(reversed(kept))}
        self._steps = [(steps[i][0], *[moved.get(at, at) for at in steps[i][1:]]) for i in reversed(kept)]
        self._outs = [moved.get(at, at) for at in outs]

    def run(self, arrays, numbers):
        """The arrays of the live slots. arrays: the path's inputs; numbers: its lifted ones."""
        values = self.constants + arrays
        values += [np.asarray(number, self._types.get(i)) for i, number in enumerate(numbers)]
        put = values.append
        with np.errstate(all="ignore"):
            for step in self._steps:
                if len(step) == 2:
                    put(step[0](values[step[1]]))
                elif len(step) == 3:
                    put(step[0](values[step[1]], values[step[2]]))
                else:
                    put(step[0](*[values[at] for at in step[1:]]))
        return [np.asarray(values[at], order="C") for at in self._outs]


def known(sig):
    """Whether a call can be done alone without being compiled for it."""
    return sig.form is not None or bool(sig.quick)


def easy(sig):
    """Whether a call can be done alone by NumPy, if rounded otherwise."""
    if sig.form is None and sig.quick is None:
        call, structs = trie.alone(sig.op, sig.attrs, sig.avals, sig.compute)
        sig.quick = _by_numpy(jax.make_jaxpr(call)(*structs), True) or False
    return known(sig)


def form(sig, quick=False):
    """The Form of a call.

    quick: NumPy may round otherwise than XLA does, and what it does not have is compiled in a hurry.
    """
    if sig.form is None and not (quick and sig.quick):
        call, structs = trie.alone(sig.op, sig.attrs, sig.avals, sig.compute)
        jaxpr = jax.make_jaxpr(call)(*structs)
        sig.form = _by_numpy(jaxpr, False)
        if sig.form is None and quick:
            sig.quick = _by_numpy(jaxpr, True) or _by_xla(sig, len(structs), program.QUICK)
        elif sig.form is None:
            sig.form = _by_xla(sig, len(structs), program.FULL)
    return sig.quick if sig.form is None else sig.form


def function(sig):
    """(a function of a call's arrays and lifted numbers that gives a list of its results, whether NumPy may warn).

    No result is one of the operands or constants, nor a part of them or of another result.
    """
    made = form(sig, quick=True)
    count = sum(x is not None and not (type(x) is trie.Number and x.index is None) for x in sig.avals)
    first = count + len(made.constants)
    names = [f"x{i}" for i in range(first + len(made.steps))]
    lines = [
        f"    {names[first + i]} = f{i}({', '.join(names[at] for at in ins)})" for i, (_, ins) in enumerate(made.steps)
    ]
    outs = [f"{'copy' if at < first or at in made.outs[:i] else 'own'}({names[at]})" for i, at in enumerate(made.outs)]
    lines = [f"def call({', '.join(names[:count])}):", *lines, f"    return [{', '.join(outs)}]"]
    scope = {"copy": _copy, "own": _own, **dict(zip(names[count:first], made.constants, strict=True))}
    scope |= {f"f{i}": step for i, (step, _) in enumerate(made.steps)}
    exec(compile("\n".join(lines), f"<jtorch form of {sig.op.name}>", "exec"), scope)
    return scope["call"], made.loud


def _copy(x):
    return np.array(x, order="C")


def _own(x):
    x = np.asarray(x, order="C")
    return x if x.base is None else x.copy()


def _by_numpy(jaxpr, nearly):
    try:
        return _Forming(jaxpr, nearly).form()
    except _NoForm:
        return None


def _by_xla(sig, count, options):
    compiled = program.alone(sig, options)
    steps = [(lambda *arrays: compiled(*arrays), tuple(range(count)))]
    steps += [(functools.partial(_result, i), (count,)) for i in range(len(sig.outs))]
    return Form([], steps, [count + 1 + i for i in range(len(sig.outs))], False)


def _result(i, outs):
    return np.asarray(outs[i])


class _NoForm(Exception):
    """A primitive that NumPy has not, or does otherwise."""


class _Forming:
    """A jaxpr becomes the form of a call. A value is known by what made it: ("in", n), ("constant", n), ("step", n)."""

    def __init__(self, closed, nearly):
        self._nearly = nearly  # whether results may be rounded otherwise
        self._constants, self._steps = [], []
        self._operands = len(closed.jaxpr.invars)
        self._loud = False
        known = {var: ("in", i) for i, var in enumerate(closed.jaxpr.invars)}
        known.update(zip(closed.jaxpr.constvars, map(self._constant, closed.consts), strict=True))
        self._outs = self._inside(closed.jaxpr, known)

    def form(self):
        """The Form."""
        starts = {"in": 0, "constant": self._operands, "step": self._operands + len(self._constants)}

        def places(values):
            return tuple(starts[kind] + i for kind, i in values)

        steps = [(function, places(ins)) for function, ins in self._steps]
        return Form(self._constants, steps, list(places(self._outs)), self._loud)

    def _constant(self, value):
        self._constants.append(np.asarray(value))
        return "constant", len(self._constants) - 1

    def _value(self, atom, known):
        return self._constant(np.asarray(atom.val, atom.aval.dtype)) if hasattr(atom, "val") else known[atom]

    def _inside(self, jaxpr, known):
        for eqn in _read(jaxpr):
            ins = [self._value(atom, known) for atom in eqn.invars]
            name = eqn.primitive.name
            if name in _INNER:
                inner = eqn.params[_INNER[name]]
                names = dict(zip(inner.jaxpr.invars, ins, strict=True))
                names.update(zip(inner.jaxpr.constvars, map(self._constant, inner.consts), strict=True))
                outs = self._inside(inner.jaxpr, names)
            elif name in _SAME:
                outs = ins
            elif name == "split":
                outs = [self._step(part, ins) for part in _parts(eqn)]
            else:
                outs = [self._step(_function(eqn, _stretches(eqn, jaxpr), self._nearly), ins)]
                self._loud = self._loud or name not in _QUIET
            known.update(zip(eqn.outvars, outs, strict=True))
        return [self._value(atom, known) for atom in jaxpr.outvars]

    def _step(self, function, ins):
        if function is None:
            return ins[0]
        if all(kind == "constant" for kind, _ in ins):
            return self._constant(function(*[self._constants[i] for _, i in ins]))
        self._steps.append((function, ins))
        return "step", len(self._steps) - 1


def _read(jaxpr):
    """The equations of a jaxpr whose results are read."""
    wanted = {id(atom) for atom in jaxpr.outvars}
    kept = []
    for eqn in reversed(jaxpr.eqns):
        if any(id(var) in wanted for var in eqn.outvars):
            wanted.update(map(id, eqn.invars))
            kept.append(eqn)
    return kept[::-1]


def _parts(eqn):
    """The functions that take the parts that a split makes."""
    if np.dtype(eqn.invars[0].aval.dtype).kind not in _KINDS + "f":
        raise _NoForm
    lead, start = (slice(None),) * eqn.params["axis"], 0
    for size in eqn.params["sizes"]:
        yield _cut((*lead, slice(start, start + size)))
        start += size


def _cut(where):
    return lambda x: x[where]


def _stretches(eqn, jaxpr):
    """Whether a result is read only by functions that stretch it themselves, to the shape of their other operand."""
    if eqn.primitive.name != "broadcast_in_dim":
        return False
    var = eqn.outvars[0]
    readers = [e for e in jaxpr.eqns if any(x is var for x in e.invars)]
    return not any(x is var for x in jaxpr.outvars) and all(
        (e.primitive.name in _PAIRS or e.primitive.name == "div")
        and any(x is not var and x.aval.shape == var.aval.shape and not _stretched(x, jaxpr) for x in e.invars)
        for e in readers
    )


def _stretched(atom, jaxpr):
    made = [e for e in jaxpr.eqns if any(x is atom for x in e.outvars)]
    return bool(made) and made[0].primitive.name == "broadcast_in_dim"


def _function(eqn, stretched, nearly):
    dtypes = [np.dtype(atom.aval.dtype) for atom in (*eqn.invars, *eqn.outvars)]
    if any(d.kind not in _KINDS and d not in (np.float32, np.float64) for d in dtypes) or len(eqn.outvars) != 1:
        raise _NoForm
    name = eqn.primitive.name
    if name in _PAIRS or name in _ONES:
        return _PAIRS.get(name) or _ONES[name]
    if name not in _MAKERS:
        return _near(eqn, name, nearly)
    seen, out = eqn.invars[0].aval if eqn.invars else None, eqn.outvars[0].aval
    if stretched:
        return _shaped({}, seen, _stretchable(eqn.params, seen, out))
    return _MAKERS[name](eqn.params, seen, out)


def _near(eqn, name, nearly):
    found = near.ONES.get(name) if nearly else None
    ins, out = [atom.aval for atom in eqn.invars], eqn.outvars[0].aval
    if nearly and name == "dot_general":
        found = near.product(eqn.params, *ins, out)
    elif nearly and name in near.MAKERS:
        found = near.MAKERS[name](eqn.params, ins[0], out)
    if found is None:
        raise _NoForm
    return found


# Only what NumPy does to the last bit as XLA does.
_INNER = {"jit": "jaxpr", "pjit": "jaxpr", "custom_jvp_call": "call_jaxpr"}
_SAME = ("copy", "stop_gradient", "optimization_barrier")
_PAIRS = {
    "add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply, "max": np.maximum, "min": np.minimum,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
}  # fmt: skip
_ONES = {
    "neg": np.negative, "abs": np.abs, "floor": np.floor, "ceil": np.ceil, "sqrt": np.sqrt, "square": np.square,
    "not": np.invert, "is_finite": np.isfinite,
}  # fmt: skip


def _divide(params, seen, out):
    if np.dtype(seen.dtype).kind != "f":
        raise _NoForm
    return np.divide


def _convert(params, seen, out):
    have, want = np.dtype(seen.dtype), np.dtype(out.dtype)
    if have.kind == "f" and want.kind != "f":
        raise _NoForm  # where the number does not fit, each machine has its own answer
    return None if have == want else lambda x: x.astype(want)


def _stretchable(params, seen, out):
    """What stands for a value before it is stretched to a shape: of as many dims."""
    middle = [1] * len(out.shape)
    for dim, size in zip(params["broadcast_dimensions"], seen.shape, strict=True):
        middle[dim] = size
    return jax.ShapeDtypeStruct(middle, out.dtype)


def _broadcast(params, seen, out):
    middle, shape = tuple(_stretchable(params, seen, out).shape), tuple(out.shape)
    if middle == shape:
        return _shaped(params, seen, out)

    def stretch(x):
        made = np.empty(shape, x.dtype)  # at a tenth of the time of np.broadcast_to where there is little of it
        made[...] = x.reshape(middle)
        return made

    return stretch if math.prod(shape) <= _LITTLE else lambda x: np.broadcast_to(x.reshape(middle), shape)


def _reshape(params, seen, out):
    if params["dimensions"] is not None:
        raise _NoForm
    return _shaped(params, seen, out)


def _shaped(params, seen, out):
    return None if tuple(seen.shape) == tuple(out.shape) else lambda x: x.reshape(out.shape)


def _slice(params, seen, out):
    strides = params["strides"] or (1,) * len(seen.shape)
    where = tuple(slice(*ends) for ends in zip(params["start_indices"], params["limit_indices"], strides, strict=True))
    return _cut(where)


def _dynamic_slice(params, seen, out):
    room = [(size, whole - size) for size, whole in zip(params["slice_sizes"], seen.shape, strict=True)]

    def cut(x, *starts):
        firsts = [min(max(int(at), 0), last) for at, (_, last) in zip(starts, room, strict=True)]
        return x[tuple(slice(first, first + size) for first, (size, _) in zip(firsts, room, strict=True))]

    return cut


def _counted(dim, out):
    steps = np.arange(out.shape[dim], dtype=out.dtype).reshape([-1 if d == dim else 1 for d in range(len(out.shape))])
    return np.broadcast_to(steps, out.shape)


def _select(params, seen, out):
    if np.dtype(seen.dtype) != bool:
        raise _NoForm
    return lambda which, *cases: np.where(which, cases[1], cases[0])


def _power(params, seen, out):
    if params["y"] != 2:
        raise _NoForm
    return np.square


_QUIET = frozenset(
    "broadcast_in_dim reshape squeeze expand_dims slice dynamic_slice select_n transpose rev iota stack concatenate "
    "max min eq ne lt le gt ge and or xor not is_finite neg abs".split()
)  # what NumPy never warns of


def _reduce(function):
    return lambda params, seen, out: lambda x: function(x, axis=tuple(params["axes"]))


def _extreme(function, highest):
    """highest: whether nothing along the axes gives the upper end of the dtype's range, as in XLA, or the lower."""

    def maker(params, seen, out):
        axes = tuple(params["axes"])
        if all(seen.shape[axis] for axis in axes):
            return lambda x: function(x, axis=axes)
        return lambda x: np.full(out.shape, _end(np.dtype(out.dtype), highest), out.dtype)

    return maker


def _end(dtype, highest):
    if dtype.kind in "iu":
        return np.iinfo(dtype).max if highest else np.iinfo(dtype).min
    return highest if dtype.kind == "b" else np.inf if highest else -np.inf


_MAKERS = {
    "div": _divide,
    "clamp": lambda params, seen, out: lambda low, x, high: np.minimum(np.maximum(x, low), high),
    "convert_element_type": _convert,
    "broadcast_in_dim": _broadcast,
    "reshape": _reshape,
    "squeeze": _shaped,
    "expand_dims": _shaped,
    "slice": _slice,
    "dynamic_slice": _dynamic_slice,
    "select_n": _select,
    "integer_pow": _power,
    "transpose": lambda params, seen, out: lambda x: x.transpose(params["permutation"]),
    "rev": lambda params, seen, out: lambda x: np.flip(x, params["dimensions"]),
    "iota": lambda params, seen, out: lambda: _counted(params["dimension"], out),
    "stack": lambda params, seen, out: lambda *parts: np.stack(parts, params["axis"]),
    "concatenate": lambda params, seen, out: lambda *parts: np.concatenate(parts, params["dimension"]),
    "reduce_max": _extreme(np.max, False),
    "reduce_min": _extreme(np.min, True),
    "reduce_and": _reduce(np.all),
    "reduce_or": _reduce(np.any),
}
