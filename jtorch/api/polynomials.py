"""Powers of a vector, and slopes of sampled functions: vander, gradient."""

from jtorch import dtypes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.put import function
from jtorch.autograd.apply import call, create
from jtorch.ops.op import TABLE


@function
def vander(x, N=None, increasing=False):
    """The matrix of the first N powers of each element, the highest first. Shape: (n,) -> (n, N)."""
    if aval(x).ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    (length,) = aval(x).shape
    count = length if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    kind = dtypes.promote_types(aval(x).dtype, dtypes.int64)
    ones = create(TABLE["full_kernel"], ((length, min(count, 1)), kind), aval(x).device, (1,))
    if count < 2:
        return ones
    column = x.to(kind).unsqueeze(1)
    powers = call("cat", [ones, column.expand(length, count - 1).cumprod(1)], 1)
    return powers if increasing else powers.flip(1)


@function
def gradient(input, *, spacing=1, dim=None, edge_order=1):
    """The slopes along each dim of samples of a function, by central differences. As torch.gradient.

    spacing: the distance between samples, one for all dims, one per dim, or the samples' places as vectors.
    """
    rank = aval(input).ndim
    dims = range(rank) if dim is None else (dim,) if isinstance(dim, int) else dim
    dims = [shapes.normalize_dim(d, rank) for d in dims]
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    spacing = 1 if spacing is None else spacing
    given = spacing if isinstance(spacing, (list, tuple)) else [spacing] * len(dims)
    if len(given) != len(dims) and dim is None:
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = "
            f"{rank}', since dim argument was not given, but got a list of length {len(given)}"
        )
    if len(given) != len(dims):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have "
            f"the same length, but got a spacing argument of length {len(given)} and a dim argument of length "
            f"{len(dims)}."
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    for d in dims:
        if aval(input).shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return tuple(_slope(input, d, step, edge_order) for d, step in zip(dims, given, strict=True))


def _slope(f, dim, step, order):
    """Slopes along one dim."""
    last = aval(f).shape[dim] - 1
    apart = _steps(step, f, dim, last)

    def at(start, length):
        return f.narrow(dim, start, length)

    if order == 1:
        first = (at(1, 1) - at(0, 1)) / apart(0, 1)
        end = (at(last, 1) - at(last - 1, 1)) / apart(last - 1, 1)
    else:
        first = _parabola(at(0, 1), at(1, 1), at(2, 1), apart(0, 1), apart(1, 1))
        end = -_parabola(at(last, 1), at(last - 1, 1), at(last - 2, 1), apart(last - 1, 1), apart(last - 2, 1))
    if last < 2:
        return call("cat", [first, end], dim)
    if not isinstance(step, Tensor):
        inner = (at(2, last - 1) - at(0, last - 1)) / (2 * step)
    else:
        one, two = apart(0, last - 1), apart(1, last - 1)
        inner = (
            at(0, last - 1) * (-two / (one * (one + two)))
            + at(1, last - 1) * ((two - one) / (one * two))
            + at(2, last - 1) * (one / (two * (one + two)))
        )
    return call("cat", [first, inner, end], dim)


def _parabola(a, b, c, one, two):
    """The slope at a of the parabola through three samples that lie `one` and `two` apart."""
    return (
        a * (-(2 * one + two) / (one * (one + two))) + b * ((one + two) / (one * two)) - c * (one / (two * (one + two)))
    )


def _steps(step, f, dim, last):
    """A function of (start, length): the distances from samples to the next, shaped to go with the samples."""
    if not isinstance(step, Tensor):
        return lambda start, length: step
    between = step.diff().reshape([last if d == dim else 1 for d in range(aval(f).ndim)])
    return lambda start, length: between.narrow(dim, start, length)
