"""Norms, ranks, condition numbers, pseudo-inverses and determinants of matrices, composed as torch composes them."""

import math
import numbers

import numpy as np

from jtorch import shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.construct import tensor
from jtorch.api.elementwise import where
from jtorch.api.factoring import DIVERGED, linalg_eigvalsh, svdvals
from jtorch.api.infos import give, need_success, single
from jtorch.api.put import behind, both, function
from jtorch.autograd.apply import apply, call, hashable
from jtorch.dtypes import COMPLEX, FLOAT, int64
from jtorch.matrices import need_matrix, need_square
from jtorch.ops.op import TABLE


def _need_inexact(A, name):
    kind = aval(A).dtype
    if kind.category < FLOAT:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {kind.label}")


def vector_norm(x, ord, dim, keepdim, dtype=None):
    """torch.linalg.vector_norm, as a part of others."""
    return apply(TABLE["linalg_vector_norm"], (x,), (ord, dim, keepdim, dtype))


def _to_end(A, dims):
    """A with two dims moved to the end."""
    ndim = aval(A).ndim
    rest = [d for d in range(ndim) if d not in dims]
    return A.permute(*rest, *dims)


def _restored(result, dims, ndim, keepdim):
    """A result without two dims, these put back with size 1 where they are kept."""
    if not keepdim:
        return result
    order = [d for d in range(ndim) if d not in dims] + list(dims)
    return result.unsqueeze(-1).unsqueeze(-1).permute(*(order.index(d) for d in range(ndim)))


def nuclear(A, dims, keepdim):
    """The sum of singular values over two dims."""
    return _restored(svdvals(_to_end(A, dims)).sum(-1), dims, aval(A).ndim, keepdim)


def _check_dims(A, dim, name):
    if len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    dims = tuple(shapes.normalize_dim(d, aval(A).ndim) for d in dim)
    if dims[0] == dims[1]:
        raise RuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    return dims


@behind("linalg")
def linalg_matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None, out=None):
    """A norm of matrices in two dims: "fro", "nuc", ±1, ±2 or ±inf. Shape: the input's without these dims.

    Raises RuntimeError for other orders.
    """
    name = "linalg.matrix_norm"
    need_matrix(aval(A), name)
    _need_inexact(A, name)
    dim = hashable(dim)
    if isinstance(dim, int):
        given = f"Tensor, {type(ord).__name__}, int"
        raise TypeError(f"linalg_matrix_norm() received an invalid combination of arguments - got ({given})")
    if isinstance(ord, str):
        result = _named_norm(A, ord, dim, keepdim, dtype)
    else:
        if abs(ord) not in (1, 2, math.inf):
            raise RuntimeError(f"{name}: Order {ord:g} not supported.")
        dims = _check_dims(A, dim, name)
        A = A if dtype is None else A.to(dtype)
        result = _ordered_norm(A, ord, dims, keepdim)
    return single("linalg_matrix_norm", result, out)


def _named_norm(A, ord, dim, keepdim, dtype):
    name = "linalg.matrix_norm"
    if ord not in ("fro", "nuc"):
        raise RuntimeError(f"{name}: Order {ord} not supported.")
    dims = _check_dims(A, dim, name)
    if ord == "fro":
        return vector_norm(A, 2, dims, keepdim, dtype)
    return nuclear(A if dtype is None else A.to(dtype), dims, keepdim)


def _ordered_norm(A, ord, dims, keepdim):
    if abs(ord) == 2:
        values = svdvals(_to_end(A, dims))
        result = values.amax(-1) if ord > 0 else values.amin(-1)
        return _restored(result, dims, aval(A).ndim, keepdim)
    first, second = dims if abs(ord) == 1 else dims[::-1]
    if second > first and not keepdim:
        second -= 1
    sums = vector_norm(A, 1, (first,), keepdim)
    return sums.amax(second, keepdim) if ord > 0 else sums.amin(second, keepdim)


@behind("linalg")
def linalg_norm(A, ord=None, dim=None, keepdim=False, *, out=None, dtype=None):
    """A vector norm along one dim, a matrix norm over two, the 2-norm of all elements where neither is given.

    Shape: the input's without these dims. Raises RuntimeError for what is no norm.
    """
    dim = hashable(dim)
    dims = (dim,) if isinstance(dim, int) else dim
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {shapes.listed(dims)}")
    if dims is None and ord is not None and aval(A).ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {aval(A).ndim}D."
        )
    if ord is not None and (len(dims) if dims is not None else aval(A).ndim) == 2:
        return linalg_matrix_norm(A, ord, dims if dims is not None else (0, 1), keepdim, dtype=dtype, out=out)
    if isinstance(ord, str):
        if dims is None or len(dims) == 1:
            raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims or (0,)))}")
    result = vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype)
    return single("linalg_norm", result, out)


@function
def nuclear_norm(input, dim=(-2, -1), keepdim=False, *, out=None):
    """The sum of the singular values of matrices in two dims. Shape: the input's without these dims."""
    if isinstance(dim, bool):
        dim, keepdim = (-2, -1), dim
    dims = tuple(shapes.normalize_dim(d, aval(input).ndim) for d in hashable(dim))
    return single("nuclear_norm", nuclear(input, dims, keepdim), out)


@function
def frobenius_norm(input, dim=(), keepdim=False, *, out=None):
    """The square root of the sum of squares along dims. Shape: the input's without these dims."""
    dims = hashable(dim)
    return single("frobenius_norm", vector_norm(input, 2, (dims,) if isinstance(dims, int) else dims, keepdim), out)


# Condition numbers.


@behind("linalg")
def linalg_cond(A, p=None, *, out=None):
    """The condition number of matrices in a norm: what errors a linear system magnifies. Shape: (*, n, n) -> (*)."""
    if isinstance(p, str):
        need_square(aval(A), f"linalg.cond(ord={p})")
    elif aval(A).ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    return single("linalg_cond", _condition(A, p), out)


def _condition(A, p):
    if p is None or (isinstance(p, numbers.Number) and abs(p) == 2):
        values = svdvals(A)
        if not aval(values).shape[-1]:
            return values.new_zeros(aval(values).shape[:-1])
        least, most = values[..., -1:], values[..., :1]
        return (least / most if p == -2 else most / least).squeeze(-1)
    need_square(aval(A), f"linalg.cond(ord={p})" if isinstance(p, str) else f"linalg.cond(ord={p:g})")
    if isinstance(p, str):
        if p not in ("fro", "nuc"):
            raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
        if p == "nuc":
            values = svdvals(A)
            return values.sum(-1) * values.reciprocal().sum(-1)
    elif abs(p) not in (1, math.inf):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p:g}")
    inverse, info = apply(TABLE["linalg_inv_ex"], (A,), ("linalg.inv",))
    inverse.masked_fill_((info != 0)[..., None, None], math.inf)
    product = linalg_matrix_norm(A, p) * linalg_matrix_norm(inverse, p)
    return product.nan_to_num(math.inf, math.inf, -math.inf)


# Ranks and pseudo-inverses.


def _tolerances(A, atol, rtol, name):
    """(atol, rtol) as real tensors; where only atol is given, rtol is 0 for the matrices whose atol is above 0."""
    a = aval(A)
    real = a.dtype.to_real()
    for x, label in ((atol, "atol"), (rtol, "rtol")):
        if isinstance(x, Tensor) and aval(x).dtype.category == COMPLEX:
            raise RuntimeError(f"{name}: {label} tensor of complex type is not supported.")
    given = atol is not None
    atol = atol if isinstance(atol, Tensor) else tensor(float(atol or 0), dtype=real, device=a.device)
    if rtol is None:
        epsilon = np.finfo(real.numpy).eps * max(a.shape[-2:])
        rtol = tensor(float(epsilon), dtype=real, device=a.device)
        if given:
            rtol = where(atol > 0, tensor(0.0, dtype=real, device=a.device), rtol)
    elif not isinstance(rtol, Tensor):
        rtol = tensor(float(rtol), dtype=real, device=a.device)
    return atol, rtol


@behind("linalg")
def linalg_matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """How many singular values are above max(atol, rtol · the largest). Shape: (*, m, n) -> (*), int64."""
    a = aval(A)
    if isinstance(tol, bool):
        tol, hermitian = None, tol
    need_matrix(a, "torch.linalg.matrix_rank", "input")
    if tol is not None:
        atol, rtol = tol, 0.0
    if a.dtype.itemsize < 4 or a.dtype.category < FLOAT:
        raise RuntimeError("This function doesn't handle types other than float and double")
    atol, rtol = _tolerances(A, atol, rtol, "torch.linalg.matrix_rank")
    detached = A.detach()
    if not min(a.shape[-2:]):
        return single("linalg_matrix_rank", A.new_zeros(a.shape[:-2], dtype=int64), out)
    values = linalg_eigvalsh(detached).abs() if hermitian else svdvals(detached)
    largest = values.amax(-1, keepdim=True) if hermitian else values[..., :1]
    bound = call("maximum", atol.unsqueeze(-1), rtol.unsqueeze(-1) * largest)
    return single("linalg_matrix_rank", (values > bound).sum(-1), out)


@behind("linalg")
def linalg_pinv(A, rcond=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """The pseudo-inverses of matrices, from singular values above max(atol, rtol · the largest).

    Shape: (*, m, n) -> (*, n, m).
    """
    a = aval(A)
    if isinstance(rcond, bool):
        rcond, hermitian = None, rcond
    rtol = rcond if rcond is not None else rtol
    if a.ndim < 2 or a.dtype.category < FLOAT or a.dtype.itemsize < 4:
        raise RuntimeError(
            f"linalg.pinv({a.dtype.label}{{{shapes.listed(a.shape)}}}): expected a tensor with 2 or more dimensions of "
            "float, double, cfloat or cdouble types"
        )
    atol, rtol = _tolerances(A, atol, rtol, "torch.linalg.pinv")
    result, info = apply(TABLE["linalg_pinv_kernel"], (A, atol, rtol), (hermitian,))
    need_success(info, "linalg.svd", DIVERGED)
    return single("linalg_pinv", result, out)


@both
def pinverse(input, rcond=1e-15):
    """The pseudo-inverses of matrices: torch.linalg.pinv with another tolerance."""
    return linalg_pinv(input, rcond)


# Determinants.


@both
def det(input):
    """The determinants of matrices: torch.linalg.det."""
    return apply(TABLE["linalg_det"], (input,), ())


@both
def slogdet(input, *, out=None):
    """Sign and logarithm of the absolute value of determinants: torch.linalg.slogdet."""
    return give("slogdet", apply(TABLE["linalg_slogdet"], (input,), ()), out)


@both
def logdet(input):
    """The logarithm of determinants, nan where they are below 0. Shape: (*, n, n) -> (*)."""
    sign, size = apply(TABLE["linalg_slogdet"], (input,), ())
    if aval(input).dtype.is_complex:
        return sign.log() + size
    return where(sign == -1.0, math.nan, size)
