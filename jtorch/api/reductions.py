"""torch functions whose overloads one table row cannot bind: max, min, std, var, median, norm and their kin."""

import math
import numbers
import operator

from jtorch import shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.guard import MISSING, Refused, guards, raise_better
from jtorch.api.matrix_norms import nuclear_norm
from jtorch.api.put import both, function, method
from jtorch.api.returns import named
from jtorch.autograd.apply import apply, hashable
from jtorch.autograd.inplace import write_out
from jtorch.errors import bad_argument, warn
from jtorch.ops.op import EXACT, TABLE


def _taken(kwargs, *names):
    """The value given under one of several names (`dim`, NumPy's `axis`), taken out of kwargs; else None."""
    for name in names:
        if name in kwargs:
            return kwargs.pop(name)
    return None


def _flag(keepdim):
    if keepdim is None:
        return False
    if type(keepdim) is not bool:
        raise Refused
    return keepdim


def _pair(name, results, out):
    """(values, indices) as torch.return_types.<name>, written into out where it is given."""
    if out is None:
        return _RESULTS[name](results)
    if not isinstance(out, (tuple, list)):
        raise Refused
    if len(out) != len(results):
        raise TypeError(f"expected tuple of {len(results)} elements but got {len(out)}")
    words = EXACT if name in ("max", "min") else True
    return _WRITTEN[name](write_out(o, r, words=words) for o, r in zip(out, results, strict=True))


def _single(result, out):
    return result if out is None else write_out(out, result)


# max, min, median: of all elements, along a dim, of two tensors.


def _chosen(name, input, args, kwargs):
    """The overloads f(), f(dim, keepdim) and, for max and min, f(other)."""
    if not kwargs and len(args) == 1 and type(args[0]) is int:  # what loops call, without the search for names
        return _RESULTS[name](apply(TABLE[f"{name}_dim"], (input,), (args[0], False)))
    if "input" in kwargs and input is MISSING:
        rest = {key: value for key, value in kwargs.items() if key != "input"}
        return _chosen(name, kwargs["input"], args, rest)
    kwargs = dict(kwargs)
    out = kwargs.pop("out", None)
    dim, keepdim = _taken(kwargs, "dim", "axis"), _taken(kwargs, "keepdim", "keepdims")
    other = kwargs.pop("other", None)
    rest = list(args)
    if rest and isinstance(rest[0], Tensor):
        other = rest.pop(0)
    elif rest:
        dim = rest.pop(0)
        keepdim = rest.pop(0) if rest else keepdim
    if rest or kwargs or (args and dim is None and other is None):
        raise Refused
    if other is not None:
        return _single(apply(TABLE[_PAIRS[name]], (input, other), ()), out)
    if dim is None:
        return _single(apply(TABLE[f"{name}_all"], (input,), ()), out)
    if isinstance(dim, (float, str, tuple, list)):
        raise Refused
    return _pair(name, apply(TABLE[f"{name}_dim"], (input,), (operator.index(dim), _flag(keepdim))), out)


_PAIRS = {"max": "maximum", "min": "minimum"}
_FIELDS = ("values", "indices")
_RESULTS = {name: named(name, _FIELDS) for name in ("max", "min", "median", "nanmedian")}
_WRITTEN = {name: named(f"{name}_out", _FIELDS) for name in _RESULTS}


def _choosing(name, doc):
    """The function and the method of one name. What they are given is looked at when they fail."""

    @guards
    def choose(input=MISSING, *args, **kwargs):
        try:
            return _chosen(name, input, args, kwargs)
        except Exception as error:
            raise_better(error, "torch", name, args if input is MISSING else (input, *args), kwargs)

    @guards
    def choose_from(self, *args, **kwargs):
        try:
            return _chosen(name, self, args, kwargs)
        except Exception as error:
            raise_better(error, "Tensor", name, args, kwargs)

    for made, put in ((choose, function), (choose_from, method)):
        made.__name__ = made.__qualname__ = name
        made.__doc__ = doc
        put(made)


_BEST = """The {} of all elements; with a dim, (values, indices) along it; with another tensor, element by element.

Raises RuntimeError or IndexError where there is nothing to choose from.
"""
_choosing("max", _BEST.format("largest"))
_choosing("min", _BEST.format("smallest"))
_choosing("median", "The middle of all elements, the lower of two; with a dim, (values, indices) along it.")
_choosing("nanmedian", "The middle of all elements that are not nan; with a dim, (values, indices) along it.")


# std, var: with the old `unbiased` or the new `correction`.


def _spread(name, input, args, kwargs):
    kwargs = dict(kwargs)
    out = kwargs.pop("out", None)
    dim, keepdim = _taken(kwargs, "dim", "axis"), _taken(kwargs, "keepdim", "keepdims")
    unbiased, correction = kwargs.pop("unbiased", None), kwargs.pop("correction", None)
    rest = list(args)
    if rest and type(rest[0]) is bool and dim is None:
        unbiased = rest.pop(0)
    elif rest:
        dim = rest.pop(0)
        unbiased = rest.pop(0) if rest else unbiased
        keepdim = rest.pop(0) if rest else keepdim
    wrong = isinstance(dim, (str, float)) or (unbiased is not None and type(unbiased) is not bool)
    if rest or kwargs or wrong or None not in (unbiased, correction):
        raise Refused
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    dim, keepdim = hashable(dim), _flag(keepdim)
    _warn_of_freedom(name, input, dim, correction)
    result = apply(TABLE[f"{name}_kernel"], (input,), (dim, correction, keepdim))
    if out is None:
        return result
    return write_out(out, result) if isinstance(result, Tensor) else tuple(map(write_out, out, result))


def _warn_of_freedom(name, input, dim, correction):
    shape = aval(input).shape
    count = math.prod(shape[d] for d in shapes.normalize_dims(dim, len(shape)))
    if count <= correction:
        warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            "(input numel divided by output numel)."
        )


@both
def std(input, *args, **kwargs):
    """The standard deviation along dims, of all elements where none is given. Shape: the input's without these dims.

    Called as std(unbiased), std(dim, unbiased, keepdim) or std(dim, correction=..., keepdim=...).
    """
    return _spread("std", input, args, kwargs)


@both
def var(input, *args, **kwargs):
    """The variance along dims, of all elements where none is given. Shape: the input's without these dims.

    Called as var(unbiased), var(dim, unbiased, keepdim) or var(dim, correction=..., keepdim=...).
    """
    return _spread("var", input, args, kwargs)


@function
def std_mean(input, *args, **kwargs):
    """(standard deviation, mean) along dims; arguments as for std."""
    return _spread("std_mean", input, args, kwargs)


@function
def var_mean(input, *args, **kwargs):
    """(variance, mean) along dims; arguments as for var."""
    return _spread("var_mean", input, args, kwargs)


# Norms.


def _vector_norm(input, p, dim, keepdim, dtype, out):
    result = apply(TABLE["linalg_vector_norm"], (input,), (p, dim, keepdim, dtype))
    return result if out is None else write_out(out, result, words=EXACT)


@both
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The p-norm of all elements or along dims; "fro" is 2, "nuc" the sum of a matrix's singular values.

    Raises RuntimeError for integers and for other strings.
    """
    dim = hashable(dim)
    dims = (dim,) if isinstance(dim, int) else dim
    if p is None or p == "fro":
        if p is not None and dims is not None and len(dims) > 2:
            raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
        return _vector_norm(input, 2, dims, keepdim, dtype, out)
    if isinstance(p, str):
        if p != "nuc":
            raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
        return nuclear_norm(input, dims or (-2, -1), keepdim, out=out)
    p = p.item() if isinstance(p, Tensor) else p
    if not isinstance(p, numbers.Number):
        raise bad_argument("norm", 2, "p", "Number", p)
    return _vector_norm(input, p, dims, keepdim, dtype, out)
