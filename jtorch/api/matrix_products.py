"""Products, powers and rearrangements of matrices, composed as torch composes them."""

import math

from jtorch import shapes
from jtorch._tensor import aval
from jtorch.api.creation import eye
from jtorch.api.factoring import linalg_inv, linalg_solve
from jtorch.api.infos import single
from jtorch.api.put import behind, both, function
from jtorch.autograd.apply import call, hashable
from jtorch.dtypes import FLOAT, cpp_name, int64
from jtorch.errors import bad_argument, warn
from jtorch.matrices import need_square


@behind("linalg")
def linalg_matmul(input, other, *, out=None):
    """The product of two tensors: torch.matmul."""
    return single("linalg_matmul", input.matmul(other), out)


@behind("linalg")
def linalg_diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """A view of the diagonals of matrices: torch.diagonal of the last two dims."""
    return A.diagonal(offset, dim1, dim2)


@both
def matrix_exp(input):
    """The exponential of square matrices: torch.linalg.matrix_exp."""
    return call("linalg_matrix_exp", input)


def _power(A, n):
    if n < 0:
        A, n = linalg_inv(A), -n
    if n == 1:
        return A.clone()
    if n == 3:
        return A.matmul(A).matmul(A)
    result, square = None, None
    while n:
        square = A if square is None else square.matmul(square)
        n, odd = divmod(n, 2)
        if odd:
            result = square if result is None else result.matmul(square)
    return result


@behind("linalg")
def linalg_matrix_power(A, n, *, out=None):
    """The n-th power of square matrices, of their inverses where n is below 0. Shape: (*, m, m) -> the same."""
    a = aval(A)
    need_square(a, "linalg.matrix_power")
    if n == 0:
        result = A.clone().copy_(eye(a.shape[-1], dtype=a.dtype, device=a.device))
    elif n == -1:
        result = linalg_inv(A)
    else:
        result = _power(A, n)
    return single("linalg_matrix_power", result, out)


@both
def matrix_power(input, n, *, out=None):
    """The n-th power of square matrices: torch.linalg.matrix_power."""
    return linalg_matrix_power(input, n, out=out)


# Chains of products.


def _check_chain(tensors):
    count = len(tensors)
    if count < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {count}")
    for i, x in enumerate(tensors):
        ndim, end = aval(x).ndim, i in (0, count - 1)
        if end and ndim not in (1, 2):
            raise RuntimeError(
                f"multi_dot(): the {'first' if i == 0 else 'last'} tensor must be 1D or 2D but got {ndim}D"
            )
        if not end and ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {ndim}D")
        if aval(x).dtype is not aval(tensors[0]).dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{cpp_name(aval(tensors[0]).dtype)} and tensor {i} {cpp_name(aval(x).dtype)}"
            )


def _order(sizes):
    """Where to split each part of a chain, for the fewest multiplications. sizes: rows of each, columns of the last."""
    count = len(sizes) - 1
    cost, split = {(i, i): 0 for i in range(count)}, {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


def _product(chain, split, i, j):
    if i == j:
        return chain[i]
    k = split[i, j]
    return _product(chain, split, i, k).mm(_product(chain, split, k + 1, j))


@behind("linalg")
def linalg_multi_dot(tensors, *, out=None):
    """The product of several matrices, in the order that multiplies least; the first and the last may be vectors.

    Shape: (n, k), (k, m), ..., (l, p) -> (n, p). Raises RuntimeError for other dims.
    """
    if not isinstance(tensors, (tuple, list)):
        raise bad_argument("linalg_multi_dot", 1, "tensors", "tuple of Tensors", tensors)
    _check_chain(tensors)
    chain = list(tensors)
    first, last = aval(chain[0]).ndim == 1, aval(chain[-1]).ndim == 1
    chain[0] = chain[0].unsqueeze(0) if first else chain[0]
    chain[-1] = chain[-1].unsqueeze(-1) if last else chain[-1]
    sizes = [aval(x).shape[0] for x in chain] + [aval(chain[-1]).shape[1]]
    for i in range(len(chain) - 1):
        if aval(chain[i]).shape[1] != sizes[i + 1]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {shapes.listed(aval(chain[i]).shape)} and "
                f"{shapes.listed(aval(chain[i + 1]).shape)} cannot be multiplied"
            )
    result = _product(chain, _order(sizes), 0, len(chain) - 1)
    kept = ((sizes[0],) if not first else ()) + ((sizes[-1],) if not last else ())
    return single("linalg_multi_dot", result.view(kept), out)


@function
def chain_matmul(*matrices, out=None):
    """The product of several matrices: what torch.linalg.multi_dot replaces."""
    warn(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters."
    )
    for x in matrices:
        if aval(x).ndim != 2:
            raise RuntimeError(f"Tensor dimension is {aval(x).ndim}, expected 2 instead.")
    if len(matrices) == 1:
        return single("chain_matmul", matrices[0], out)
    return linalg_multi_dot(matrices, out=out)


@behind("linalg")
def linalg_vecdot(x, y, *, dim=-1, out=None):
    """Sums of the products of x's conjugate and y along a dim. Shape: broadcast, without this dim."""
    kinds = aval(x).dtype, aval(y).dtype
    if kinds[0].category < FLOAT:
        raise RuntimeError(f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {kinds[0].label}")
    if kinds[0] is not kinds[1]:
        raise RuntimeError(
            f"linalg.vecdot: Expected x and y to have the same dtype, but found x of type {kinds[0].label} and y of "
            f"type {kinds[1].label} instead"
        )
    if aval(x).ndim == aval(y).ndim == 1:
        result = x.vdot(y)
    else:
        result = x.conj().mul(y).sum(dim)
    return single("linalg_vecdot", result, out)


@behind("linalg")
def linalg_vander(x, *, N=None):
    """Powers of each element, from 0 to N - 1. Shape: (*, n) -> (*, n, N), N = n unless given."""
    a = aval(x)
    if not a.ndim:
        return linalg_vander(x.unsqueeze(0), N=N)
    count = a.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    x = x if a.dtype.category >= FLOAT else x.to(int64)
    powers = x.unsqueeze(-1).expand(*a.shape, count - 1).cumprod(-1)
    return call("cat", [x.new_ones((*a.shape, 1)), powers], -1)


# Tensors as matrices.


@behind("linalg")
def linalg_tensorinv(A, ind=2, *, out=None):
    """The inverse of the linear map that tensordot with A is. Shape: A's dims from ind on, then those before."""
    shape = aval(A).shape
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    result = linalg_inv(A.reshape(columns, rows)).reshape(*shape[ind:], *shape[:ind])
    return single("linalg_tensorinv", result, out)


@behind("linalg")
def linalg_tensorsolve(A, B, dims=None, *, out=None):
    """The X whose tensordot with A is B. Shape: A's dims after those of B. dims: A's dims to be moved to the end."""
    ndim = aval(A).ndim
    dims = hashable(dims)
    if dims is not None:
        moved = shapes.normalize_dims(dims, ndim)
        A = A.permute(*[d for d in range(ndim) if d not in moved], *moved)
    rest = aval(A).shape[aval(B).ndim :]
    columns, rows = math.prod(rest), math.prod(aval(A).shape[: aval(B).ndim])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {columns} != {rows}"
        )
    result = linalg_solve(A.reshape(columns, columns), B.reshape(-1)).reshape(rest)
    return single("linalg_tensorsolve", result, out)
