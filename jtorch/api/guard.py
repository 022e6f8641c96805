"""A function that fails is asked whether torch would have taken its arguments; if not, it raises torch's TypeError.

Nothing is checked before: a generated function hands what it was given to `better` when an exception passes through it.
"""

import dis
import inspect
import itertools
import sys

from jtorch import dtypes
from jtorch.api.arguments import Overload, Parameter, overloads, refusal
from jtorch.api.kinds import accepts
from jtorch.autograd.apply import hashable
from jtorch.errors import type_name, warn_once
from jtorch.ops.op import Kind


class Refused(TypeError):
    """An argument is not what torch takes at its place; what to say is worked out where it is caught."""


Refused.__name__ = Refused.__qualname__ = "TypeError"


class _Missing:
    def __hash__(self):
        raise Refused  # so that no call with it is found among the recorded ones

    def __repr__(self):
        return "..."


MISSING = _Missing()


class Spec:
    """What a generated function is called and what it may be given, for torch's words when it fails."""

    def __init__(self, section, name, params, method, fallback=None):
        self.section = section
        self.method = method
        self.owner = "self"  # what the function calls it
        self.name = name
        self.params = params[1:] if method else params  # inspect.Parameter, in order
        self.fallback = fallback

    @property
    def several(self):
        """Whether torch has several overloads, and so its own words for a keyword that none of them knows."""
        return len(overloads(self.section, self.name)) > 1


class refused:
    """What is done where a class among the arguments may take the call over: set by api/overriding.py."""

    retry = None
    operator = None
    handing = None  # the code that hands `args` and `kwargs` on to a function it looks out for


def failed(error, spec, fn, seen):
    """What to do for a call that raised `error`: raise torch's TypeError for it, or None to raise the error again.

    seen: the locals of the function; `_was_<name>` is an argument as it came, where the function has converted it.
    Returns (result,) where a class among the arguments took the call over, or a Python type stood for a dtype.
    """
    caller = sys._getframe(2)
    if caller.f_code is refused.handing:
        return failed_with(error, spec, fn, caller.f_locals["args"], caller.f_locals["kwargs"])
    args, kwargs = _given(spec, seen, caller)
    return failed_with(error, spec, fn, (seen[spec.owner], *args) if spec.method else args, kwargs)


def failed_with(error, spec, fn, args, kwargs):
    """As `failed`, where the arguments are known."""
    done = refused.retry(fn, args, kwargs) or _in_new_order(fn, spec, args, kwargs)
    if done is None:
        other = better(error, spec, args[spec.method :], kwargs)
        if other is not None:
            raise other from None
        done = _with_dtypes(fn, args, kwargs)
    return done


def _in_new_order(fn, spec, args, kwargs):
    """(result,) of a call in an old order of arguments, as x.add_(0.5, y), by names; None where it is in none."""
    known, given = overloads(spec.section, spec.name), args[spec.method :]
    if not any(overload.hidden for overload in known):
        return None
    fit = [overload for overload in known if overload.fault(given, kwargs) is None]
    if not fit or not all(overload.hidden for overload in fit):
        return None
    _warn_of_old_order(spec, fit[0])
    names = (p.name for p in fit[0].params)
    return (fn(*args[: spec.method], **dict(zip(names, given, strict=False)), **kwargs),)


def _warn_of_old_order(spec, old):
    known = overloads(spec.section, spec.name)
    instead = "".join(f"\n\t{spec.name}{k}" for k in known if not k.hidden)
    warn_once(
        f"This overload of {spec.name} is deprecated:\n\t{spec.name}{old}\nConsider using one of the following "
        f"signatures instead:{instead}"
    )


def _with_dtypes(fn, args, kwargs):
    """(result,) of the call with Python's types in the place of dtypes, or None where no argument is one."""
    known = [isinstance(x, type) and x in _PYTHON_DTYPES for x in (*args, *kwargs.values())]
    if not any(known):
        return None
    taken = [_PYTHON_DTYPES[x] if k else x for x, k in zip((*args, *kwargs.values()), known, strict=True)]
    try:
        return (fn(*taken[: len(args)], **dict(zip(kwargs, taken[len(args) :], strict=True))),)
    except Exception:
        return None  # what the user gave has failed, and the words are to be about that


def better(error, spec, args, kwargs):
    """torch's TypeError for a call with these arguments that raised `error`, or None where torch takes them."""
    found = None
    if overloads(spec.section, spec.name):
        found = refusal(spec.section, spec.name, args, kwargs)
    elif spec.fallback is not None:
        fault = spec.fallback.fault(args, kwargs)
        found = fault and TypeError(f"{spec.name}(){fault if fault.startswith(':') else ' ' + fault}")
    if not found and isinstance(error, Refused):
        given = [*map(type_name, args), *(f"{name}={type_name(value)}" for name, value in kwargs.items())]
        return TypeError(f"{spec.name}(): jtorch does not take this combination of arguments: ({', '.join(given)})")
    return found


def _given(spec, seen, caller):
    """(args, kwargs) of a call, from the locals of the function and from how the caller wrote them."""
    values = {}
    for p in spec.params:
        value = seen.get(f"_was_{p.name}", seen[p.name])
        if value is not MISSING and (value is not p.default or p.default is p.empty):
            values[p.name] = value
    for ours, numpys in (("dim", "axis"), ("keepdim", "keepdims")):
        if numpys in values:
            values.pop(ours, None)
    rest, extra = seen.get("_rest", ()), seen.get("_extra", {})
    places = [p.name for p in spec.params if p.kind is not p.KEYWORD_ONLY]
    count, named = _written(caller)
    first = places if rest else places[: count or 0]
    fits = count is not None and all(n in values or n in extra or n in seen for n in named)
    if not fits or (count > len(places)) != bool(rest) or any(n not in first and n not in named for n in values):
        first = places if rest else list(itertools.takewhile(values.__contains__, places))
    elif spec.params and len(places) >= count:
        first = places[:count]
    args = [seen.get(f"_was_{n}", seen[n]) for n in first]
    return (*args, *rest), {n: v for n, v in values.items() if n not in first} | extra


def _written(frame):
    """(positional arguments, names of the others) of the call that a frame is at; (None, ()) where it can't be told."""
    known = []
    for step in dis.get_instructions(frame.f_code):
        if step.offset > frame.f_lasti:
            break
        known.append(step)
    if not known or not known[-1].opname.startswith("CALL"):
        return None, ()
    call, before = known[-1], [step for step in known[-4:-1] if step.opname not in ("PRECALL", "CACHE")]
    if call.opname == "CALL":
        names = _names_before(frame, before)
        return call.arg - len(names), names
    if call.opname == "CALL_KW" and before:
        return call.arg - len(before[-1].argval), before[-1].argval
    return None, ()


def _names_before(frame, before):
    """The names that Python 3.11 and 3.12 lay down right before a call."""
    last = before[-1] if before else None
    return frame.f_code.co_consts[last.arg] if last is not None and last.opname == "KW_NAMES" else ()


def fallback(name, op, method):
    """A signature made from an op's parameters, for functions that torch parses in Python."""
    made = Overload(name, "()")
    kinds = {Kind.ARRAY: "Tensor", Kind.ARRAYS: "Tensors", Kind.OPERAND: "object", Kind.SCALAR: "Scalar"}
    for p in op.params[1:] if method else op.params:
        one = Parameter(f"{kinds.get(p.kind, 'object')} {p.name}", p.keyword_only)
        one.optional = p.default is not p.missing
        one.none = one.optional and p.default is None
        made.params.append(one)
    made.count()
    return made


def raise_better(error, section, name, args, kwargs):
    """Raise torch's TypeError where it refuses these arguments, else the error itself."""
    raise better(error, Spec(section, name, [], False), args, kwargs) or error


def guards(fn):
    """Mark a hand-written function that calls `raise_better` itself, and so needs no wrapper."""
    fn.guards = True
    return fn


# Static arguments: what is taken without a look, and what is looked at.

_TYPES = {
    "int": {int}, "float": {float, int}, "bool": {bool}, "str": {str}, "dtype": {dtypes.dtype},
    "Scalar": {bool, int, float, complex},
}  # fmt: skip
_PYTHON_DTYPES = dtypes.OF_PYTHON


def plain_types(params):
    """The Python types that parameters of one name take as they come."""
    found = set()
    for p in params:
        found |= _TYPES.get(p.kind, {int} if p.kind == "ints" and p.size else set())
        if p.none:
            found.add(type(None))
    return frozenset(found)


def static(params, default):
    """A function that makes an argument part of a key. It raises Refused for what torch does not take there."""
    kinds = {p.kind for p in params}

    def convert(value):
        if value is MISSING or (
            value is not default
            and not (isinstance(value, (tuple, list)) and value == default)
            and not any((value is None and p.none) or accepts(p, value, 0, False) for p in params)
        ):
            raise Refused
        if "dtype" in kinds and isinstance(value, type):
            return _PYTHON_DTYPES[value]
        return hashable(value)

    return convert


def guarded(section, fn, name=None, method=False):
    """A hand-written function that raises torch's TypeError where it fails on arguments that torch refuses.

    The function itself where torch has no native one of that name.
    """
    name = name or fn.__name__
    if getattr(fn, "guards", False) or not overloads(section, name):
        return fn
    params = list(inspect.signature(fn).parameters.values())
    spec = Spec(section, name, params, method)
    scope = {"_fn": fn, "_spec": spec, "_failed": failed, "_failed_with": failed_with}
    scope |= {"MISSING": MISSING, "Refused": Refused}
    spec.owner = params[0].name if params else ""
    loose = [p for p in params if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return _made(fn, name, _loose_source(name, method) if loose else _named_source(name, params, spec, scope), scope)


def planned(fn, plan):
    """A function that torch writes in Python, with the words of what torch would fail in.

    plan: the native calls and attributes in it that look at arguments first, in order:
    "target.size; nn.mse_loss(input, target)" for a function with parameters input and target.
    """
    steps = [step.strip() for step in plan.split(";")]
    params = list(inspect.signature(fn).parameters.values())
    scope = {"_fn": fn, "_planned": _planned_words, "_steps": steps}
    return _made(fn, fn.__name__, _plain_source(fn.__name__, params, scope), scope)


def _made(fn, name, source, scope):
    exec(compile(source, f"<jtorch function {name}>", "exec"), scope)
    made = scope[name]
    made.__doc__, made.__module__ = fn.__doc__, fn.__module__
    made.__qualname__, made.__wrapped__ = name, fn
    return made


def _planned_words(steps, seen):
    """The error of the first step that torch would fail in, or None."""
    for step in steps:
        if " < " in step or " > " in step:
            found = _compared(step, seen)
        elif "(" in step:
            called, given = step.rstrip(")").split("(")
            section, name = called.split(".")
            found = refusal(section, name, tuple(seen[key] for key in given.split(", ")), {})
        else:
            name, attribute = step.split(".")
            missing = f"'{type_name(seen[name])}' object has no attribute '{attribute}'"
            found = None if hasattr(seen[name], attribute) else AttributeError(missing)
        if found:
            return found
    return None


def _compared(step, seen):
    """What Python says of a comparison "p < 1.0", or None."""
    a, sign, b = step.split(" ")
    a, b = (seen[x] if x in seen else float(x) for x in (a, b))
    try:
        bool(a < b) if sign == "<" else bool(a > b)
    except TypeError as error:
        return error
    return None


def _plain_source(name, params, scope):
    heads = []
    for p in params:
        scope[f"_d_{p.name}"] = p.default
        heads.append(p.name if p.default is p.empty else f"{p.name}=_d_{p.name}")
    return (
        f"def {name}({', '.join(heads)}):\n"
        f"    try:\n        return _fn({', '.join(p.name for p in params)})\n"
        "    except Exception:\n"
        "        _other = _planned(_steps, locals())\n"
        "        if _other is None: raise\n"
        "        raise _other from None\n"
    )


def _loose_source(name, method):
    head, args = ("self, *args", "(self, *args)") if method else ("*args", "args")
    return (
        f"def {name}({head}, **kwargs):\n"
        f"    try:\n        return _fn({head}, **kwargs)\n"
        "    except Exception as error:\n"
        f"        done = _failed_with(error, _spec, {name}, {args}, kwargs)\n"
        "        if done is None: raise\n"
        "        return done[0]\n"
    )


def _named_source(name, params, spec, scope):
    heads, passed, star = [], [], False
    for i, p in enumerate(params):
        if p.kind is p.KEYWORD_ONLY and not star:
            heads.append("*_rest")
            star = True
        scope[f"_d_{p.name}"] = MISSING if p.default is p.empty else p.default
        bare = p.name == "self" and i == 0
        heads.append(p.name if bare else f"{p.name}=_d_{p.name}")
        passed.append(f"{p.name}={p.name}" if p.kind is p.KEYWORD_ONLY else p.name)
    heads += [] if star else ["*_rest"]
    heads += ["**_extra"] if spec.several else []
    wrong = " or ".join(
        [
            "_rest",
            *(["_extra"] if spec.several else []),
            *(f"{p.name} is MISSING" for p in params if p.default is p.empty),
        ]
    )
    return (
        f"def {name}({', '.join(heads)}):\n"
        f"    try:\n        if {wrong}: raise Refused\n        return _fn({', '.join(passed)})\n"
        "    except Exception as _error:\n"
        f"        _done = _failed(_error, _spec, {name}, locals())\n"
        "        if _done is None: raise\n"
        "        return _done[0]\n"
    )
