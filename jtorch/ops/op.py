"""What an op is: a pure JAX function with torch's signature, its fields, and the table of all ops."""

import copy
import functools
import inspect
from enum import Enum
from typing import Annotated, Any, get_args

import jax
import jax.numpy as jnp
import numpy as np

from jtorch import dtypes, errors, meshes, shapes
from jtorch.dtypes import HALVES, widen
from jtorch.dtypes import widened as widened
from jtorch.recordable import Recordable, class_name, conjugated, cotangent_of, mixed


class Kind(Enum):
    """What a parameter of an op may be given."""

    ARRAY = "a tensor"
    OPERAND = "a tensor or a number, promoted with the others"
    ARRAYS = "a sequence of tensors"
    SCALAR = "a number; becomes an input of the program once a second value is seen"
    INPUT = "a number that is always an input of the program (learning rate, step, seed)"
    INPUTS = "a sequence of such numbers"
    DTYPE = "a dtype or None; the function sees a NumPy dtype"
    STATIC = "any hashable value, part of the program"


Array = Annotated[jax.Array, Kind.ARRAY]
Operand = Annotated[Any, Kind.OPERAND]
Arrays = Annotated[Any, Kind.ARRAYS]
Scalar = Annotated[Any, Kind.SCALAR]
Input = Annotated[Any, Kind.INPUT]
Inputs = Annotated[Any, Kind.INPUTS]
DType = Annotated[Any, Kind.DTYPE]

_TENSORS = (Kind.ARRAY, Kind.OPERAND, Kind.ARRAYS)
_RECORDED = (Kind.ARRAY, Kind.OPERAND, Kind.SCALAR, Kind.INPUT)
_SEQUENCES = (Kind.ARRAYS, Kind.INPUTS)
TABLE: dict[str, "Op"] = {}

# How the results of an op lie in memory, where that is not row by row: the field `follows`. True: as torch's iterator
# over elements has it, by the strides of all operands.
FIRST = "first"  # by those of the first operand
FORMAT, EITHER_FORMAT, COMMON_FORMAT = (all, 1), (any, 2), (all, None)  # in channels_last if these operands are


# What torch says to an out= of another dtype than the result's, where it does not cast: the field `out`. In it stand
# the C++ names of the result's dtype and of out's as want and have, their labels as Want and Have.
EXACT = "Expected out tensor to have dtype {want}, but got {have} instead"
FOUND = "Found dtype {Have} but expected {Want}"


class Param:
    """One parameter of an op."""

    __slots__ = ("name", "kind", "default", "keyword_only", "recorded")
    missing = inspect.Parameter.empty

    def __init__(self, parameter):
        self.name = parameter.name
        self.kind = _kind(parameter.annotation) or Kind.STATIC
        self.recorded = self.kind in _RECORDED
        self.default = parameter.default
        self.keyword_only = parameter.kind is inspect.Parameter.KEYWORD_ONLY


def _kind(annotation):
    for part in get_args(annotation):
        if isinstance(part, Kind):
            return part
        found = _kind(part)
        if found:
            return found
    return None


class Op(Recordable):
    """A pure JAX function under `@op`, and all that is made from it: function, method, in-place and out= forms."""

    def __init__(self, fn, name, aliases, fields):
        self.fn = fn
        self.name = name
        self.aliases = aliases
        self.params = [Param(p) for p in inspect.signature(fn).parameters.values()]
        self.rule = fields.pop("rule", None)
        self.door = fields.pop("door", "torch")
        self.function = fields.pop("function", True)
        self.method = fields.pop("method", False)
        self.inplace = fields.pop("inplace", False)
        self.out = fields.pop("out", False)
        self.operator = fields.pop("operator", None)
        self.view = fields.pop("view", False)
        self.host = fields.pop("host", False)
        self.differentiable = fields.pop("differentiable", True)
        self.linked = fields.pop("linked", self.differentiable)
        self._graph = fields.pop("grad_name", None) or class_name(name)
        self.saves = fields.pop("saves", None)
        self.returns = fields.pop("returns", None)
        self.constant = tuple(n if isinstance(n, int) else self.returns.index(n) for n in fields.pop("constant", ()))
        self.lift = fields.pop("lift", True)
        self.wide = fields.pop("wide", None)
        self.refuse = fields.pop("refuse", None)
        self.varargs = fields.pop("varargs", None)
        self.linear = fields.pop("linear", True)
        self.follows = fields.pop("follows", self.rule is not None)
        self._unlinked = fields.pop("unlinked", None)
        self._undefined = fields.pop("undefined", None)
        if fields:
            raise TypeError(f"@op({name!r}) got fields it does not know: {sorted(fields)}")
        self._gradient = None
        self._write = None
        self._geometry = None

    @property
    def names(self):
        """The names behind its door: its own and its aliases, without the prefix that torch's ops of a door bear."""
        return [name.removeprefix(f"{self.door}_") for name in (self.name, *self.aliases)]

    def graph(self, operands, attrs):
        """torch's grad_fn of a call: its class name, or (name, *entries), see docs/ops.md. operands: as for compute."""
        return self._graph(operands, attrs) if callable(self._graph) else self._graph

    @functools.cache  # noqa: B019 (ops live as long as the program)
    def under(self, grad_name, view=True):
        """The same op whose grad_fn bears another name. view: False for one that makes a copy."""
        made = copy.copy(self)
        made._graph, made._vjp = grad_name, None
        made.view = made.view and view
        return made

    def pulled_by(self, node):
        """The same op whose calls stand on the tape as this class of nodes, under their own names."""
        made = copy.copy(self)
        made.node, made._vjp = node, None
        return made

    def gradient(self, fn):
        """Decorator: `fn(grad, result, *args)` gives a gradient (or None) per tensor parameter, instead of jax.vjp."""
        self._gradient = fn
        return fn

    def write(self, fn):
        """Decorator for a view op: `fn(base, value, *attrs)` is base with the viewed elements replaced by value."""
        self._write = fn
        return fn

    def geometry(self, fn):
        """Decorator for a view op: `fn(shape, strides, offset, *attrs)` gives its (shape, strides, offset)."""
        self._geometry = fn
        return fn

    def unlinked(self, attrs):
        return self._unlinked(attrs) if self._unlinked else ()

    def undefined(self, operands, attrs):
        return self._undefined(operands, attrs) if self._undefined else ()

    def across(self, attrs):
        return next((a for a in attrs if isinstance(a, meshes.Across)), None)

    def compute(self, operands, attrs):
        if self.rule is None:
            return None
        kinds = self.operand_kinds(attrs)
        tensors = [o for o, k in zip(operands, kinds, strict=True) if o is not None and k in _TENSORS]
        if callable(self.rule):
            return self.rule(tensors, attrs).numpy
        result = dtypes.result_type(tensors)
        return (dtypes.floating(result) if self.rule == "float" else result).numpy

    def operand_kinds(self, attrs):
        """The kind of every recorded operand; a sequence counts once per item (its length stands in attrs)."""
        static, kinds = iter(attrs), []
        for p in self.params:
            if p.kind in _RECORDED:
                kinds.append(p.kind)
            else:
                value = next(static)
                if p.kind in _SEQUENCES:
                    kinds.extend([p.kind] * value)
        return kinds

    def check(self, operands, attrs):
        """Raise TypeError where a tensor parameter was given a number, RuntimeError where sizes do not match.

        operands: Avals, numbers, None.
        """
        for position, (x, kind) in enumerate(zip(operands, self.operand_kinds(attrs), strict=True)):
            if kind in (Kind.ARRAY, Kind.ARRAYS) and x is not None and not hasattr(x, "shape"):
                name = [p.name for p in self.params if p.recorded or p.kind in _SEQUENCES]
                at = min(position, len(name) - 1)
                raise errors.bad_argument(self.name, position + 1, name[at], "Tensor", x)
        if self.rule is not None:
            shapes.broadcast_shapes(*(x.shape for x in operands if hasattr(x, "shape")))
        if self.refuse is not None:
            self.refuse(operands, attrs)

    def bind(self, ins, attrs, compute):
        """Positional and keyword arguments of the function, from recorded operands and attributes."""
        given, static = iter(ins), iter(attrs)
        args, kwargs = [], {}
        for p in self.params:
            if p.kind is Kind.ARRAYS:
                value = [_cast(next(given), compute) for _ in range(next(static))]
            elif p.kind is Kind.INPUTS:
                value = [next(given) for _ in range(next(static))]
            elif p.kind in _RECORDED:
                value = next(given)
                if p.name == self.wide and compute in HALVES and not getattr(value, "shape", ()):
                    value = _cast(value, np.dtype(np.float32))
                elif p.kind in _TENSORS:
                    value = _cast(value, compute)
                elif isinstance(value, jax.Array) and compute is not None:
                    value = value.astype(compute)
            else:
                value = next(static)
                if p.kind is Kind.DTYPE and value is not None:
                    value = value.numpy
            if p.keyword_only:
                kwargs[p.name] = value
            else:
                args.append(value)
        return args, kwargs

    def told(self):
        return f"op {self.name}" if TABLE.get(self.name) is self and self.fn.__module__.startswith("jtorch.") else None

    def call(self, ins, attrs, compute):
        args, kwargs = self.bind(ins, attrs, compute)
        outs = self.fn(*args, **kwargs)
        if self.wide is not None:
            return (outs.astype(compute),)
        return tuple(outs) if isinstance(outs, (tuple, list)) else (outs,)

    def traced(self, ins, attrs, compute):
        if self._gradient is None or not self.linear or not self.differentiable:
            return self.call(ins, attrs, compute)
        # Integer tracers are arguments, too: jax.export loses count of those that a rule closes over.
        arrays = tuple(isinstance(x, jax.Array) for x in ins)
        moves = tuple(a and jnp.issubdtype(x.dtype, jnp.inexact) for a, x in zip(arrays, ins, strict=True))
        if not any(moves):
            return self.call(ins, attrs, compute)

        @jax.custom_jvp
        def run(*given):
            return self.call(mixed(ins, arrays, given), attrs, compute)

        @run.defjvp
        def push(primals, tangents):
            outs = run(*primals)
            full = mixed((None,) * len(ins), arrays, tangents)
            moving = tuple(t for t, m in zip(full, moves, strict=True) if m)
            pushed = iter(self.pushforward(mixed(ins, arrays, primals), attrs, compute, moving, moves))
            return outs, tuple(
                next(pushed) if jnp.issubdtype(o.dtype, jnp.inexact) else np.zeros(o.shape, jax.dtypes.float0)
                for o in outs
            )

        return run(*(x for x, a in zip(ins, arrays, strict=True) if a))

    def pushforward(self, ins, attrs, compute, tangents, moves):
        if self._gradient is None or not self.linear:
            return super().pushforward(ins, attrs, compute, tangents, moves)
        # The op's own gradient is linear in the cotangents: its transpose pushes forward.
        outs = jax.eval_shape(
            lambda *given: self.call(mixed(ins, moves, given), attrs, compute),
            *(x for x, m in zip(ins, moves, strict=True) if m),
        )
        floating = [jnp.issubdtype(o.dtype, jnp.inexact) for o in outs]

        def pull(cotangents):
            given = iter(cotangents)
            full = tuple(conjugated(next(given)) if f else None for f in floating)
            return tuple(conjugated(g) for g in self.pullback(ins, attrs, compute, full, moves, None))

        zeros = tuple(jnp.zeros(o.shape, o.dtype) for o, f in zip(outs, floating, strict=True) if f)
        return jax.vjp(pull, zeros)[1](tuple(tangents))[0]

    def called(self, ins, attrs, compute):
        args, kwargs = self._bound(ins, attrs, compute)
        outs = self.fn(*args, **kwargs)
        return tuple(outs) if isinstance(outs, (tuple, list)) else (outs,)

    def _bound(self, ins, attrs, compute):
        """As bind, where an op computes in halves in float32: what was broadcast is summed up before it is rounded."""
        args, kwargs = self.bind(ins, attrs, compute)
        if compute not in HALVES:
            return args, kwargs
        args = [list(map(widen, x)) if isinstance(x, list) else widen(x) for x in args]
        return args, {name: widen(x) for name, x in kwargs.items()}

    def pullback(self, ins, attrs, compute, cotangents, needs, results):
        if self._gradient is None:
            return super().pullback(ins, attrs, compute, cotangents, needs, results)
        args, kwargs = self._bound(ins, attrs, compute)
        if results is None and self.wide is None:
            results = self.traced(ins, attrs, compute)
        elif results is None:
            results = (self.fn(*args, **kwargs),)
        if compute in HALVES:
            results = tuple(map(widen, results))
        cotangents = tuple(cotangent_of(ct, out) for ct, out in zip(cotangents, results, strict=True))
        single = len(results) == 1
        grads = self._gradient(
            cotangents[0] if single else cotangents, results[0] if single else results, *args, **kwargs
        )
        return tuple(_fit(g, x, compute) for g, x, n in zip(self._flat(grads, attrs), ins, needs, strict=True) if n)

    def _flat(self, grads, attrs):
        given = iter(grads)
        flat = []
        for p, count in zip(self.params, self._counts(attrs), strict=True):
            if p.kind is Kind.ARRAYS:
                flat.extend(next(given))
            elif p.kind in _TENSORS:
                flat.append(next(given))
            else:
                flat.extend([None] * count)
        return flat

    def _counts(self, attrs):
        static = iter(attrs)
        for p in self.params:
            if p.kind in _RECORDED:
                yield 1
            else:
                value = next(static)
                yield value if p.kind in _SEQUENCES else 0


def _cast(value, compute):
    if compute is None or value is None:
        return value
    if isinstance(value, (bool, int, float, complex)):
        return jnp.asarray(dtypes.array_of(value, compute))
    return value if value.dtype == compute else dtypes.convert(value, compute)


def _fit(grad, operand, compute):
    """grad summed over broadcast dims and cast, through the dtype computed in, to the operand's shape and dtype."""
    if grad is None:
        return jnp.zeros(operand.shape, operand.dtype)
    if grad.shape != operand.shape:
        extra = grad.ndim - operand.ndim
        dims = tuple(range(extra)) + tuple(
            i + extra for i, n in enumerate(operand.shape) if n == 1 and grad.shape[i + extra] != 1
        )
        grad = grad.sum(dims).reshape(operand.shape) if dims else jnp.broadcast_to(grad, operand.shape)
    if jnp.iscomplexobj(grad) and not jnp.issubdtype(operand.dtype, jnp.complexfloating):
        grad = grad.real
    return (grad.astype(compute) if compute in HALVES else grad).astype(operand.dtype)


def op(name, *aliases, **fields):
    """Decorator: put a pure JAX function into the table as the op `name`. See docs/ops.md for the fields."""

    def register(fn):
        made = Op(fn, name, aliases, fields)
        if name in TABLE:
            raise ValueError(f"the op {name!r} stands in the table twice")
        TABLE[name] = made
        return made

    return register


def overlaps(fn):
    """Decorator under `@name.write`: viewed elements may be one; `written` tells which of them a view of it wrote."""
    fn.overlaps = True
    return fn
