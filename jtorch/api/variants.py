"""From each op of the table: its function, Tensor method, in-place form, out= form and operators."""

import inspect

import jax.export
import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor
from jtorch.api.arguments import overloads
from jtorch.api.bounds import BOUNDS, out_of_bounds
from jtorch.api.guard import MISSING, Refused, Spec, failed, failed_with, fallback, plain_types, refused, static
from jtorch.api.returns import named
from jtorch.autograd.apply import apply, hashable, view
from jtorch.autograd.casting import quietly, whole
from jtorch.autograd.inplace import inplace, write_out
from jtorch.ops import catalog  # noqa: F401
from jtorch.ops.op import TABLE, Kind
from jtorch.recordable import Lift

_PLAIN = frozenset({int, bool, float, str, type(None), dtypes.dtype})
_NUMPY_NAMES = {"dim": "axis", "keepdim": "keepdims"}


def _sequence(value):
    """Raise Refused for what is no list of operands."""
    if not isinstance(value, (tuple, list)):
        raise Refused


# What an operator does with an operand that is neither a tensor nor a number: {name: function(self, other)}.
FOREIGN: dict = {}


def _foreign(name, self, other):
    return FOREIGN[name](self, other) if name in FOREIGN else NotImplemented


_SECTIONS = {"nn.functional": "nn", None: ""}  # of torch's signatures; the others are called like their doors


def _source(op, name, *, method, form):
    """Python source of one variant. form: plain, inplace, operator or reflected."""
    section = "Tensor" if method else _SECTIONS.get(op.door, op.door)
    spec = Spec(section, name, _parameters(op, form), method, fallback(name, op, method))
    scope = {"_op": op, "_apply": apply, "_view": view, "_inplace": inplace, "_quietly": quietly, "_plain": _PLAIN,
             "_h": hashable, "Lift": Lift, "MISSING": MISSING, "_spec": spec, "_failed": failed, "Refused": Refused,
             "_sequence": _sequence}  # fmt: skip
    guard = form in ("plain", "inplace")
    heads = _heads(spec, op, method, guard, scope)
    body = [f"    if {v} is not MISSING: {k} = {v}" for k, v in _numpy_names(op, form)]
    operands, attrs = [], []
    for i, p in enumerate(op.params):
        value = "self" if method and i == 0 else p.name
        if p.kind in (Kind.ARRAYS, Kind.INPUTS):
            body.append(f"    if type({value}) is not list: _sequence({value})")
            operands.append(f"*{value}" if p.kind is Kind.ARRAYS else f"*map(Lift, {value})")
            attrs.append(f"len({value})")
        elif p.recorded:
            operands.append(f"Lift({value})" if p.kind is Kind.INPUT else value)
        else:
            body.append(_static(spec, p, value, guard, scope))
            attrs.append(value)
    if op.name in BOUNDS:
        scope["_bounds"] = out_of_bounds
        dim = ", dim" if "dim" in attrs else ""
        body.append(f"    _wrong = _bounds({op.name!r}, {operands[0]}, index{dim})")
        made = f"_apply(_op, ({', '.join(operands)},), ({''.join(f'{a}, ' for a in attrs)}))"
        body.append(f"    if _wrong is not None: {made}; raise _wrong")  # what else is wrong is told first
    if form == "reflected" and op.operator not in _COMMUTATIVE:
        operands[0], operands[1] = operands[1], operands[0]
    body += _ending(op, operands, attrs, form, scope)
    if guard:
        body = _caught(
            ["    if _rest or _extra: raise Refused" if spec.several else "    if _rest: raise Refused", *body]
        )
    return f"def {name}({', '.join(heads)}):\n" + "\n".join(body) + "\n", scope


def _numpy_names(op, form):
    names = [p.name for p in op.params]
    return [(k, v) for k, v in _NUMPY_NAMES.items() if k in names and form == "plain"]


def _parameters(op, form):
    """The parameters of a variant, as inspect.Parameter."""
    both, only = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    made = [inspect.Parameter(p.name, only if p.keyword_only else both, default=p.default) for p in op.params]
    made += [inspect.Parameter(v, only, default=MISSING) for _, v in _numpy_names(op, form)]
    if op.out and form == "plain":
        made.append(inspect.Parameter("out", only, default=None))
    return made


def _heads(spec, op, method, guard, scope):
    """What stands between the parentheses of a variant: with a guard all parameters may be left out at first."""
    heads, star = ["self"] if method else [], False
    for p in spec.params:
        if p.kind is p.KEYWORD_ONLY and not star:
            heads.append("*_rest" if guard else "*")
            star = True
        missing = p.default is p.empty
        if missing and not guard:
            heads.append(p.name)
        else:
            scope[f"_d_{p.name}"] = MISSING if missing else p.default
            heads.append(f"{p.name}=_d_{p.name}")
    if guard:
        heads += [] if star else ["*_rest"]
        heads += ["**_extra"] if spec.several else []
    return heads


def _static(spec, p, value, guard, scope):
    """The line that makes a static argument part of a key, where it is not plain already."""
    known = [q for o in overloads(spec.section, spec.name) for q in o.params if q.name == p.name]
    if not guard or not known:
        return f"    if type({value}) not in _plain: _was_{value}, {value} = {value}, _h({value})"
    scope[f"_plain_{value}"] = plain_types(known)
    scope[f"_h_{value}"] = static(known, p.default)
    return f"    if type({value}) not in _plain_{value}: _was_{value}, {value} = {value}, _h_{value}({value})"


def _caught(body):
    return [
        "    try:",
        *("    " + line for line in body),
        "    except Exception as _error:",
        "        _done = _failed(_error, _spec, _this, locals())",
        "        if _done is None: raise",
        "        return _done[0]",
    ]


def _ending(op, operands, attrs, form, scope):
    ins = "".join(f"{o}, " for o in operands)
    at = "".join(f"{a}, " for a in attrs)
    made = f"_apply(_op, ({ins}), ({at}))"
    if op.view:
        rest = "".join(f"{o}, " for o in operands[1:])
        made = f"_view(_op, {operands[0]}, ({at}), ({rest}))"
    if form == "inplace":
        return [f"    return _inplace(_op, {operands[0]}, ({ins}), ({at}))"]
    if form in ("operator", "reflected", "iop"):
        if form == "iop":
            made = f"_inplace(_op, {operands[0]}, ({ins}), ({at}))"
        other = next((p.name for p in op.params[1:] if p.kind in (Kind.ARRAY, Kind.OPERAND)), None)
        if other is None:
            return [f"    return {made}"]
        scope |= {"_strange": _strange, "_refused": refused}
        return [
            f"    if {other} is None: return NotImplemented", "    try:", f"        return {made}",
            "    except TypeError:", f"        if not _strange(_op, {other}): raise",
            f"        found = _foreign(_name, self, {other})",
            f"        return _refused.operator(_this, (self, {other})) if found is NotImplemented else found",
        ]  # fmt: skip
    written = f"_write({made.replace('_apply(', '_quietly(', 1)}, out, _op)"
    if op.returns:
        kind = op.name.removesuffix("_dim")
        scope["_named"], made = named(kind, op.returns), f"_named({made})"
        if op.out:
            scope["_written"], written = named(f"{kind}_out", op.returns), f"_written({written})"
    return [f"    if out is None: return {made}", f"    return {written}"] if op.out else [f"    return {made}"]


def _strange(op, other):
    """Whether an operator leaves what is on its other side to that side."""
    numbers = op.params[1].kind is Kind.OPERAND
    return not isinstance(other, (Tensor, int, float, complex, np.generic) if numbers else Tensor)


def _write(result, out, op):
    if isinstance(out, (tuple, list)):
        return type(result)(write_out(o, r, op.name, op.out) for o, r in zip(out, result, strict=True))
    return write_out(out, result, op.name, op.out)


def build(op, name, *, method=False, form="plain"):
    """The Python function of one variant of an op."""
    source, scope = _source(op, name, method=method, form=form)
    scope["_write"], scope["_foreign"], scope["_name"] = _write, _foreign, name
    exec(compile(source, f"<jtorch op {op.name}>", "exec"), scope)
    made = scope["_this"] = scope[name]
    made.__doc__ = op.fn.__doc__
    made.__qualname__ = name  # Python's own errors show it
    made.__module__ = "torch"
    return whole(name, made)


# What may stand first among sizes that are given one by one; the last is a size of jax.export's.
_SIZES = (int, np.integer, Tensor, type(jax.export.symbolic_shape("n")[0]))


def _varargs(fn, op):
    """A method that takes one sequence, or its items one by one: x.permute(2, 0, 1)."""
    rest = [p.name for p in op.params[1:]]
    spec = Spec("Tensor", fn.__name__, [], True)

    def method(self, *args, **kwargs):
        given = args
        if args and isinstance(args[0], _SIZES) and op.varargs == rest[0]:
            given = (args,)
        elif not args and not kwargs:
            given = ((),)
        try:
            return fn(self, *given, **kwargs)
        except Exception as error:
            done = failed_with(error, spec, method, (self, *args), kwargs)
            if done is None:
                raise
            return done[0]

    method.__name__, method.__qualname__ = fn.__name__, fn.__qualname__
    method.__doc__, method.__module__ = fn.__doc__, fn.__module__
    return method


def functions(door):
    """{name: function} of the ops that live behind a door ("torch", "nn.functional", "linalg", ...)."""
    found = {}
    for op in TABLE.values():
        if op.door == door and op.function:
            for name in op.names:
                found[name] = build(op, name)
                if op.inplace and name in _INPLACE_FUNCTIONS:
                    found[f"{name}_"] = build(op, f"{name}_", form="inplace")
    return found


# torch: only these in-place forms are functions too; the others are methods.
_INPLACE_FUNCTIONS = frozenset(
    "abs acos acosh addmv arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh ceil clamp clamp_max "
    "clamp_min clip conj_physical cos cosh deg2rad erf erfc exp exp2 expm1 fix floor frac gcd i0 index_put lcm ldexp "
    "log log10 log1p log2 logit nan_to_num neg negative rad2deg reciprocal relu round rsqrt sigmoid sin sinc sinh sqrt "
    "square tan tanh trunc xlogy".split()
)


def put_methods():
    """Put on Tensor every method, in-place method and operator that the table names."""
    for op in TABLE.values():
        for name in (op.name, *op.aliases):
            if op.method:
                made = build(op, name, method=True)
                setattr(Tensor, name, _varargs(made, op) if op.varargs else made)
            if op.inplace:
                setattr(Tensor, f"{name}_", build(op, f"{name}_", method=True, form="inplace"))
        if op.operator:
            _put_operator(op)


_COMMUTATIVE = ("add", "mul")  # torch: a number on the left goes to the right all the same
_UNREFLECTED = ("eq", "ne", "lt", "le", "gt", "ge")


def _put_operator(op):
    name = op.operator
    setattr(Tensor, f"__{name}__", build(op, f"__{name}__", method=True, form="operator"))
    binary = sum(p.kind in (Kind.ARRAY, Kind.OPERAND) for p in op.params) > 1
    if binary and name not in _UNREFLECTED:
        setattr(Tensor, f"__r{name}__", build(op, f"__r{name}__", method=True, form="reflected"))
        if op.inplace:
            setattr(Tensor, f"__i{name}__", build(op, f"__i{name}__", method=True, form="iop"))
