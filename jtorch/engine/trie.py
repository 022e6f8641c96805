"""The trie of all traces seen: a node per recorded call, found by what the call is and where its inputs come from."""

import jax
import jax.numpy as jnp
import numpy as np

from jtorch import dtypes
from jtorch.engine import kept
from jtorch.engine.ref import aval


class Signature:
    """What is known of a call from its op, attributes and input avals alone: computing dtype, outputs, gradients."""

    __slots__ = ("op", "attrs", "avals", "compute", "outs", "tapes", "form", "quick")

    def __init__(self, op, attrs, avals, compute, outs):
        self.op = op
        self.attrs = attrs
        self.avals = avals  # per operand: Aval, Number, or None
        self.compute = compute
        self.outs = outs
        self.tapes: dict = {}  # which operands need a gradient -> what the tape keeps (autograd/tape.py)
        self.form = None  # how the call is done alone on the host (engine/forms.py)
        self.quick = None  # the same, where it was compiled in a hurry; False where NumPy has none


class Node:
    """A call in the trie. `ins`: a slot (int), a Number, or None per operand; `first`: the slot of its first output."""

    __slots__ = (
        "parent", "key", "sig", "ins", "entered", "first", "slots", "numbers", "depth", "children", "loose",
        "programs", "donations", "where", "__weakref__",
    )  # fmt: skip

    def __init__(self, parent, key, sig, ins, entered, numbers):
        self.parent = parent
        self.key = key
        self.sig = sig
        self.ins = ins
        self.entered = entered  # ((slot, Aval), ...) of program inputs first seen here
        self.first = (parent.slots if parent else 0) + len(entered)
        self.slots = self.first + (len(sig.outs) if sig else 0)
        self.numbers = numbers  # how many lifted numbers the path has up to here
        self.depth = parent.depth + 1 if parent else 0
        self.children: dict = {}
        self.loose: dict = {}  # key without number values -> the child last made for it
        self.programs: dict = {}
        self.donations: dict = {}
        self.where = None

    def path(self):
        """The nodes from the first call to this one."""
        nodes, node = [], self
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]


class Number:
    """A number among a call's operands: a constant of the program, or its n-th lifted input."""

    __slots__ = ("value", "type", "index")

    def __init__(self, value, index=None):
        self.value = value
        self.type = type(value)
        self.index = index

    def told(self):
        """What it is in every process."""
        return self.type.__name__, self.value if self.index is None else ("lifted", self.index)

    def read(self, numbers):
        """The operand's value inside a program whose lifted inputs are `numbers` (float64)."""
        if self.index is None:
            return self.value
        return numbers[self.index].astype(jnp.int64) if self.type is int else numbers[self.index]

    def stand_in(self):
        """What a shape rule is given for the operand: the constant, or shape and dtype of the lifted input."""
        if self.index is None:
            return self.value
        return jax.ShapeDtypeStruct((), np.int64 if self.type is int else np.float64)


def number_key(value):
    """A key that tells numbers apart where == does not: by type, by the sign of zero; nan equals itself."""
    if value == 0 or value != value:
        return (repr(value), type(value))
    return (value, type(value))


LIFTED = "lifted"
_roots: dict = {}


def root(device):
    """The node of the empty trace on a device."""
    found = _roots.get(device)
    if found is None:
        found = _roots[device] = Node(None, None, None, (), (), 0)
    return found


_signatures: dict = {}
_MAX_SIGNATURES = 100_000


def signature(op, attrs, operands, device, mode):
    """The Signature of a call. operands: Avals, Numbers, None. Runs the op's shape rule the first time.

    Raises whatever the op raises for these shapes and dtypes: torch's error, at the user's line.
    """
    key = (op, attrs, device, mode, tuple([_operand_key(x) if type(x) is Number else x for x in operands]))
    found = _signatures.get(key)
    if found is None:
        found = _infer(op, attrs, operands, device, mode)
        if len(_signatures) >= _MAX_SIGNATURES:
            _signatures.clear()
        _signatures[key] = found
    return found


def _operand_key(number):
    return (LIFTED, number.type) if number.index is not None else number_key(number.value)


def _need_int64(value):
    """Raise OverflowError, in Python's words as torch lets them through, for an int of more than 64 bits."""
    if value >= 2**64:
        raise OverflowError("int too big to convert")
    if value < -(2**63):
        raise OverflowError("can't convert negative int to unsigned")


def _infer(op, attrs, operands, device, mode):
    for x in operands:
        if type(x) is Number and x.type is int:
            _need_int64(x.value)
    op.check([x.value if type(x) is Number else x for x in operands], attrs)
    kinds = tuple(None if x is None else (x.type, None) if type(x) is Number else (x.dtype, x.ndim) for x in operands)
    compute = op.compute(kinds, attrs)
    outs = _outs(op, attrs, operands, compute, mode)
    outs = tuple(aval(tuple(shape), dtypes.from_numpy(np.dtype(dtype)), device) for shape, dtype in outs)
    return Signature(op, attrs, tuple(operands), compute, outs)


def _outs(op, attrs, operands, compute, mode):
    """The (shape, dtype) of each result. Runs the op's shape rule where they are not known from an earlier process."""
    name, outs = kept.recall("outs", op, attrs, placeless(operands), compute, mode)
    if outs is not None:
        return outs
    shape_rule, structs = alone(op, attrs, operands, compute)
    try:
        made = jax.eval_shape(shape_rule, *structs)
    except Exception as error:
        error.__notes__ = []  # JAX's, about frames of its own
        raise error.with_traceback(None) from None
    outs = [(o.shape, o.dtype) for o in made]
    kept.remember(name, name and [(shape, dtype.name) for shape, dtype in outs])
    return outs


def placeless(operands):
    """Operands as they are told to other processes: of a lifted number its type, wherever it stands in the trace."""
    return tuple((x.type.__name__, "lifted") if type(x) is Number and x.index is not None else x for x in operands)


def alone(op, attrs, operands, compute):
    """(a call as a function of its operands that are no constants, what stands for those in jax.eval_shape)."""
    structs = [
        jax.ShapeDtypeStruct((), np.int64 if x.type is int else np.float64)
        if type(x) is Number
        else jax.ShapeDtypeStruct(x.shape, x.dtype.numpy)
        for x in operands
        if x is not None and not (type(x) is Number and x.index is None)
    ]

    def call(*given):
        rest = iter(given)
        ins = tuple(
            None if x is None else x.value if type(x) is Number and x.index is None else next(rest) for x in operands
        )
        return op.call(ins, attrs, compute)

    return call, structs
