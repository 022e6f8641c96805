"""Ops that find the largest and the smallest elements: max, min, amax, argmax, aminmax."""

import numpy as np
from jax import numpy as jnp

from jtorch.lowering import first_place, largest, smallest, to_places
from jtorch.ops.op import EXACT, Array, op
from jtorch.shapes import normalize_dim, normalize_dims


def _refuse_complex(name, input):
    if jnp.iscomplexobj(input):
        raise RuntimeError(f"{name}(): does not support complex input")


def _nonempty(name, input, dim):
    """The dims to reduce. Raises torch's errors where there is nothing to choose from."""
    dims = normalize_dims(dim, input.ndim)
    if dim is None or (isinstance(dim, tuple) and not dim):
        if not input.size:
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                "Specify the reduction dim with the 'dim' argument."
            )
    for d in dims:
        if input.shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    return dims


# Over all elements.


def _evenly(grad, result, input):
    """The gradient of an extreme of all elements, shared among all that reach it."""
    reached = (input == result) | (jnp.isnan(input) & jnp.isnan(result))
    return jnp.where(reached, grad / jnp.sum(reached).astype(grad.dtype), 0)


@op("max_all", door=None, grad_name="MaxBackward1")
def max_all(input: Array):
    """The largest of all elements, nan where there is one. Shape: any -> (). Raises for an empty tensor."""
    return largest(input, _nonempty("max", input, None))


@max_all.gradient
def _(grad, result, input):
    return (_evenly(grad, result, input),)


@op("min_all", door=None, grad_name="MinBackward1")
def min_all(input: Array):
    """The smallest of all elements, nan where there is one. Shape: any -> (). Raises for an empty tensor."""
    return smallest(input, _nonempty("min", input, None))


@min_all.gradient
def _(grad, result, input):
    return (_evenly(grad, result, input),)


# Along one dim, with places.


def _extreme(name, choose, find, input, dim, keepdim):
    _refuse_complex(name, input)
    dim = normalize_dim(dim, input.ndim)
    if input.ndim == 0:
        return input, jnp.zeros((), np.int64)
    _nonempty(name, input, dim)
    places = first_place(choose, find, input, dim)
    return choose(input, dim, keepdim), places if keepdim else places.squeeze(dim)


@op("max_dim", door=None, returns=("values", "indices"), grad_name="MaxBackward0")
def max_dim(input: Array, dim, keepdim=False):
    """(largest elements along a dim, their places), the first of equal ones. Shape: twice the input's without it."""
    return _extreme("max", largest, jnp.argmax, input, dim, keepdim)


@max_dim.gradient
def _(grad, result, input, dim, keepdim):
    return (to_places(grad[0], result[1], input, dim, keepdim),)


@op("min_dim", door=None, returns=("values", "indices"), grad_name="MinBackward0")
def min_dim(input: Array, dim, keepdim=False):
    """(smallest elements along a dim, their places), the first of equal ones. Shape: twice the input's without it."""
    return _extreme("min", smallest, jnp.argmin, input, dim, keepdim)


@min_dim.gradient
def _(grad, result, input, dim, keepdim):
    return (to_places(grad[0], result[1], input, dim, keepdim),)


# Along dims, values only.

_MATCH = "Expected the dtype for input and out to match, but got {Want} for input's dtype and {Have} for out's dtype."


@op("amax", method=True, out=_MATCH)
def amax(input: Array, dim=(), keepdim=False):
    """The largest elements along dims. Shape: the input's without these dims. Equal ones share the gradient."""
    return largest(input, _nonempty("amax", input, dim), keepdim)


@amax.gradient
def _(grad, result, input, dim, keepdim):
    return (_share_along(grad, result, input, dim, keepdim),)


def _share_along(grad, result, input, dim, keepdim):
    """The gradient of extremes along dims, shared among all that reach them; nan where none does."""
    dims = normalize_dims(dim, input.ndim)
    if not keepdim:
        grad, result = jnp.expand_dims(grad, dims), jnp.expand_dims(result, dims)
    reached = (input == result).astype(grad.dtype)
    return grad * reached / jnp.sum(reached, dims, keepdims=True)


@op("amin", method=True, out=_MATCH)
def amin(input: Array, dim=(), keepdim=False):
    """The smallest elements along dims. Shape: the input's without these dims. Equal ones share the gradient."""
    return smallest(input, _nonempty("amin", input, dim), keepdim)


@amin.gradient
def _(grad, result, input, dim, keepdim):
    return (_share_along(grad, result, input, dim, keepdim),)


@op("aminmax", method=True, out=EXACT, returns=("min", "max"))
def aminmax(input: Array, *, dim=None, keepdim=False):
    """(smallest, largest) elements along a dim, of all where none is given. Shape: twice the input's without it."""
    if dim is None and not input.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    dims = normalize_dims(dim, input.ndim)
    if dim is not None and input.ndim and input.shape[dims[0]] == 0:
        raise IndexError(f"aminmax: Expected reduction dim {dims[0]} to have non-zero size.")
    return smallest(input, dims, keepdim), largest(input, dims, keepdim)


@aminmax.gradient
def _(grad, result, input, dim, keepdim):
    return (sum(_share_along(g, r, input, dim, keepdim) for g, r in zip(grad, result, strict=True)),)


# Places only.


def _place(name, extreme, find, input, dim, keepdim):
    _refuse_complex(name, input)
    if input.dtype == bool:
        raise RuntimeError(f"{name}(): does not support bool input")
    if dim is None:
        if not input.size:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        found = first_place(extreme, find, input, None)
        return found if keepdim else found.reshape(())
    dim = normalize_dim(dim, input.ndim)
    if input.ndim == 0:
        return jnp.zeros((), np.int64)
    _nonempty(name, input, dim)
    found = first_place(extreme, find, input, dim)
    return found if keepdim else found.squeeze(dim)


@op("argmax", method=True, out=EXACT)
def argmax(input: Array, dim=None, keepdim=False):
    """The place of the largest element along a dim, or of all; the first of equal ones. Shape: without it, int64."""
    return _place("argmax", largest, jnp.argmax, input, dim, keepdim)


@op("argmin", method=True, out=EXACT)
def argmin(input: Array, dim=None, keepdim=False):
    """The place of the smallest element along a dim, or of all; the first of equal ones. Shape: without it, int64."""
    return _place("argmin", smallest, jnp.argmin, input, dim, keepdim)
