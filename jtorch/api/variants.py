"""From each op of the table: its function, Tensor method, in-place form, out= form and operators."""

import builtins

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor
from jtorch.api.returns import named
from jtorch.autograd.apply import NotAnOperand, apply, hashable, view
from jtorch.autograd.inplace import inplace, write_out
from jtorch.ops import catalog  # noqa: F401
from jtorch.ops.op import TABLE, Kind, Lift

_PLAIN = frozenset({int, bool, float, str, type(None), dtypes.dtype})
_NUMPY_NAMES = {"dim": "axis", "keepdim": "keepdims"}


class _Missing:
    def __repr__(self):
        return "..."


MISSING = _Missing()


class refused:
    """What a function does when an argument is refused: set by api/overriding.py."""

    retry = None
    operator = None


def _source(op, name, *, method, form):
    """Python source of one variant. form: plain, inplace, operator or reflected."""
    params = op.params
    names = [p.name for p in params]
    scope = {"_op": op, "_apply": apply, "_view": view, "_inplace": inplace, "_plain": _PLAIN, "_h": hashable,
             "Lift": Lift, "MISSING": MISSING, "NotAnOperand": NotAnOperand, "_refused": refused}  # fmt: skip
    heads, starred = [], False
    for i, p in enumerate(params):
        head = "self" if method and i == 0 else p.name
        if p.keyword_only and not starred:
            heads.append("*")
            starred = True
        if p.default is not p.missing:
            scope[f"_d_{p.name}"] = p.default
            head += f"=_d_{p.name}"
        heads.append(head)
    extra = [(k, v) for k, v in _NUMPY_NAMES.items() if k in names and form == "plain"]
    if (extra or (op.out and form == "plain")) and not starred:
        heads.append("*")
    heads += [f"{v}=MISSING" for _, v in extra]
    if op.out and form == "plain":
        heads.append("out=None")
    body = [f"    if {v} is not MISSING: {k} = {v}" for k, v in extra]
    operands, attrs = [], []
    for i, p in enumerate(params):
        value = "self" if method and i == 0 else p.name
        if p.kind in (Kind.ARRAYS, Kind.INPUTS):
            operands.append(f"*{value}" if p.kind is Kind.ARRAYS else f"*map(Lift, {value})")
            attrs.append(f"len({value})")
        elif p.recorded:
            operands.append(f"Lift({value})" if p.kind is Kind.INPUT else value)
        else:
            body.append(f"    if type({value}) not in _plain: {value} = _h({value})")
            attrs.append(value)
    if form == "reflected":
        operands[0], operands[1] = operands[1], operands[0]
    body += _watched(_ending(op, operands, attrs, form, scope), form)
    return f"def {name}({', '.join(heads)}):\n" + "\n".join(body) + "\n", scope


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
        foreign = ["    if other is None: return NotImplemented"] if "other" in operands else []
        return [
            *foreign, "    try:", f"        return {made}", "    except NotAnOperand:",
            "        return _refused.operator(_this, locals())",
        ]  # fmt: skip
    if op.returns:
        scope["_named"] = named(op.name.removesuffix("_dim"), op.returns)
        made = f"_named({made})"
    if op.out:
        return [f"    if out is None: return {made}", f"    return _write({made}, out, {op.name!r})"]
    return [f"    return {made}"]


def _watched(ending, form):
    """The last lines under a `try`, which costs nothing as long as no argument is refused."""
    if form not in ("plain", "inplace"):
        return ending
    inner = [f"    {line}" for line in ending]
    return ["    try:", *inner, "    except TypeError:", "        return _refused.retry(_this, locals())"]


def _write(result, out, name):
    if isinstance(out, (tuple, list)):
        builtins.tuple(write_out(o, r, name) for o, r in zip(out, result, strict=True))
        return type(result)(out) if isinstance(result, tuple) else out
    return write_out(out, result, name)


def build(op, name, *, method=False, form="plain"):
    """The Python function of one variant of an op."""
    source, scope = _source(op, name, method=method, form=form)
    scope["_write"] = _write
    exec(compile(source, f"<jtorch op {op.name}>", "exec"), scope)
    made = scope["_this"] = scope[name]
    made.__doc__ = op.fn.__doc__
    made.__qualname__ = f"Tensor.{name}" if method else name
    made.__module__ = "torch"
    return made


def _varargs(fn, op):
    """A method that takes one sequence, or its items one by one: x.permute(2, 0, 1)."""
    rest = [p.name for p in op.params[1:]]

    def method(self, *args, **kwargs):
        if args and (isinstance(args[0], (int, np.integer, Tensor))) and op.varargs == rest[0]:
            args = (args,)
        elif not args and not kwargs:
            args = ((),)
        return fn(self, *args, **kwargs)

    method.__name__, method.__qualname__ = fn.__name__, fn.__qualname__
    method.__doc__, method.__module__ = fn.__doc__, fn.__module__
    return method


def functions(door):
    """{name: function} of the ops that live behind a door ("torch", "nn.functional", "linalg", ...)."""
    found = {}
    for op in TABLE.values():
        if op.door == door and op.function:
            for name in (op.name, *op.aliases):
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


_UNREFLECTED = ("eq", "ne", "lt", "le", "gt", "ge")


def _put_operator(op):
    name = op.operator
    setattr(Tensor, f"__{name}__", build(op, f"__{name}__", method=True, form="operator"))
    binary = sum(p.kind in (Kind.ARRAY, Kind.OPERAND) for p in op.params) > 1
    if binary and name not in _UNREFLECTED:
        setattr(Tensor, f"__r{name}__", build(op, f"__r{name}__", method=True, form="reflected"))
        if op.inplace:
            setattr(Tensor, f"__i{name}__", build(op, f"__i{name}__", method=True, form="iop"))
