"""Matrix products: mm, bmm, matmul, linear and their relatives with an added term."""

import jax
from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import COMPLEX, INT, cpp_name, from_numpy, need_within
from jtorch.ops.op import EXACT, Array, Scalar, op, widened
from jtorch.shapes import broadcast_shapes, listed

_DOT = "result dtype {Have} does not match input dtype {Want}"
_INNER = "tensordot: Expected the output tensor to have dtype {Want}, but got an output tensor with dtype {Have}"


def _label(x):
    return from_numpy(x.dtype).label


def _cpp(x):
    return cpp_name(from_numpy(x.dtype))


def _need_kernel(kernel, x):
    need_within(from_numpy(x.dtype), kernel, INT, COMPLEX, bare=kernel.startswith("addmm"))


def _same_dtype(a, b):
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {_cpp(a)} != {_cpp(b)}")


def _check_sizes(a, b):
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"
        )


def _mm(a, b):
    _check_sizes(a, b)
    _same_dtype(a, b)
    _need_kernel("addmm_impl_cpu_", a)
    return lax.dot(a, b)


def _check_bmm(a, b):
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[2]}] "
            f"but got: [{b.shape[0]}, {b.shape[1]}]."
        )
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {_label(a)} but found {_label(b)}")
    _need_kernel("bmm", a)


def _bmm(a, b):
    _check_bmm(a, b)
    return lax.dot_general(a, b, (((2,), (1,)), ((0,), (0,))))


def _dot(a, b):
    if a.dtype != b.dtype:
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {_label(a)} and {_label(b)}")
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor {listed(a.shape)} and src {listed(b.shape)} to have the same "
            f"number of elements, but got {a.size} and {b.size} elements respectively"
        )
    _need_kernel("dot", a)
    return lax.dot(a, b)


def _mv(a, b):
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(f"size mismatch, got input ({a.shape[0]}), mat ({a.shape[0]}x{a.shape[1]}), vec ({b.size})")
    if a.dtype != b.dtype:
        both = _label(a), _label(b)
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {both[1]}, {both[0]}, and {both[1]}")
    _need_kernel("addmv_impl_cpu", a)
    return lax.dot(a, b)


@op("mm", method=True, out=EXACT)
def mm(input: Array, mat2: Array):
    """Matrix product. Shape: (n, k), (k, m) -> (n, m). Raises RuntimeError when the inner sizes differ."""
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    return _mm(input, mat2)


@op("bmm", method=True, out=EXACT)
def bmm(input: Array, mat2: Array):
    """Matrix products of a batch. Shape: (b, n, k), (b, k, m) -> (b, n, m)."""
    for x, name in ((input, "batch1"), (mat2, "batch2")):
        if x.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    return _bmm(input, mat2)


@op("mv", method=True, out="addmv input tensors must have the same dtype, but got {Have}, {Want}, and {Want}")
def mv(input: Array, vec: Array):
    """Matrix times vector. Shape: (n, k), (k,) -> (n,)."""
    if (input.ndim, vec.ndim) != (2, 1):
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    return _mv(input, vec)


@op("dot", method=True, out=_DOT)
def dot(input: Array, tensor: Array):
    """Sum of the products of two vectors. Shape: (n,), (n,) -> ()."""
    if (input.ndim, tensor.ndim) != (1, 1):
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    return _dot(input, tensor)


@op("vdot", method=True, out=_DOT)
def vdot(input: Array, other: Array):
    """dot with the first vector conjugated. Shape: (n,), (n,) -> ()."""
    if (input.ndim, other.ndim) != (1, 1):
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {other.ndim}D tensors")
    return _dot(jnp.conj(input), other)


def _matmul_graph(operands, attrs):
    first, second = (n for _, n in operands)
    if first <= 2 and second <= 2:
        return {(1, 1): "DotBackward0", (2, 1): "MvBackward0", (1, 2): _ROW}.get((first, second), "MmBackward0")
    if second <= 2:
        return "UnsafeViewBackward0", ("MmBackward0" if second == 2 else "MvBackward0", ("ViewBackward0", 0), 1)
    if first == second:
        return "UnsafeViewBackward0", ("BmmBackward0", *(("ViewBackward0", ("ExpandBackward0", i)) for i in (0, 1)))
    return "CloneBackward0" if first == 2 else "UnsafeViewBackward0"


_ROW = ("SqueezeBackward4", ("MmBackward0", ("UnsqueezeBackward0", 0), 1))


@op("matmul", method=True, out=EXACT, operator="matmul", grad_name=_matmul_graph)
def matmul(input: Array, other: Array):
    """Product of vectors, matrices or batches of matrices. Shape: (*, n, k), (*, k, m) -> (*, n, m), `*` broadcast."""
    if not input.ndim or not other.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {input.ndim}D and {other.ndim}D"
        )
    if other.ndim == 1:
        return _dot(input, other) if input.ndim == 1 else _folded(input, other, _mv)
    if input.ndim == 1:
        return matmul.fn(input[None], other)[..., 0, :]
    if other.ndim == 2:
        return _folded(input, other, _mm)
    batch = broadcast_shapes(input.shape[:-2], other.shape[:-2])
    if batch == other.shape[:-2] == input.shape[:-2]:
        a, b = input, other
    else:
        spread = widened(jnp.broadcast_to)  # so that its gradient is summed up in float32
        a = spread(input, (*batch, *input.shape[-2:]))
        b = spread(other, (*batch, *other.shape[-2:]))
    a = a.reshape(-1, *a.shape[-2:]) if 0 not in a.shape else a.reshape(_count(batch), *a.shape[-2:])
    out = _bmm(a, b.reshape(a.shape[0], *b.shape[-2:]))
    return out.reshape(*batch, *out.shape[1:])


def _count(batch):
    total = 1
    for n in batch:
        total *= n
    return total


def _folded(input, other, product):
    """A 2-D product over all leading dims at once: XLA's CPU dot on more dims is slower."""
    flat = input.reshape(_count(input.shape[:-1]), input.shape[-1])
    return product(flat, other).reshape(*input.shape[:-1], *other.shape[1:])


def _linear_graph(operands, attrs):
    rank, weight = operands[0][1], operands[1][1]
    if weight == 1:
        return "DotBackward0" if rank == 1 else "MvBackward0"
    turned = ("TBackward0", 1)
    if operands[2] is not None:
        inside = ("AddmmBackward0", 2, 0 if rank == 2 else ("ViewBackward0", 0), turned)
        return inside if rank == 2 else ("ViewBackward0", inside)
    if rank == 2:
        return "MmBackward0", 0, turned
    outer, inner = ("SqueezeBackward4", "UnsqueezeBackward0") if rank == 1 else ("UnsafeViewBackward0", "ViewBackward0")
    return outer, ("MmBackward0", (inner, 0), turned)


@op("linear", door=None, grad_name=_linear_graph)
def linear(input: Array, weight: Array, bias: Array | None = None):
    """input · weightᵀ + bias. Shape: (*, in), (out, in), (out,) -> (*, out)."""
    if not input.ndim or not weight.ndim:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {input.ndim}D and {weight.ndim}D"
        )
    if weight.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {weight.ndim}D")
    if weight.ndim == 1:
        return matmul.fn(input, weight) if bias is None else matmul.fn(input, weight) + bias
    if bias is not None and input.dtype != weight.dtype:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {_label(input)} and {_label(weight)}")
    flat = input.reshape(_count(input.shape[:-1]), input.shape[-1])
    if flat.shape[1] != weight.shape[1]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({flat.shape[0]}x{flat.shape[1]} and "
            f"{weight.shape[1]}x{weight.shape[0]})"
        )
    _same_dtype(flat, weight)
    shape = (*input.shape[:-1], weight.shape[0])
    if bias is None:
        return _turned(flat, weight).reshape(shape)
    if bias.dtype != weight.dtype:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {_label(bias)} and {_label(weight)}")
    if bias.ndim > 1 and input.ndim > 2:
        broadcast_shapes(shape, bias.shape)
        return _turned(flat, weight).reshape(shape) + bias
    _expanded(bias, (flat.shape[0], weight.shape[0]))  # raises where it does not fit
    return _rounded_once(lambda x, w, b: _turned(x, w) + b, flat, weight, bias).reshape(shape)


def _turned(flat, weight):
    return lax.dot_general(flat, weight, (((1,), (1,)), ((), ())))


def _rounded_once(fn, *operands):
    """fn of operands of one dtype; on a CPU, halves are rounded at the end alone, not once more before a term is added.

    Elsewhere products of halves are left to the device, which has units for them.
    """
    if operands[0].dtype.itemsize > 2 or not jnp.issubdtype(operands[0].dtype, jnp.floating):
        return fn(*operands)
    return lax.platform_dependent(*operands, cpu=widened(fn), default=fn)


def _expanded(term, shape):
    """term broadcast to shape. Raises RuntimeError in torch's words where it can't be."""
    if term.ndim > len(shape):
        raise RuntimeError(
            f"expand(torch.{_label(term)}Tensor{{{listed(term.shape)}}}, size={listed(shape)}): the number of sizes "
            f"provided ({len(shape)}) must be greater or equal to the number of dimensions in the tensor ({term.ndim})"
        )
    for i in range(1, term.ndim + 1):
        if term.shape[-i] not in (1, shape[-i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[-i]}) must match the existing size ({term.shape[-i]}) at "
                f"non-singleton dimension {len(shape) - i}.  Target sizes: {listed(shape)}.  "
                f"Tensor sizes: {listed(term.shape)}"
            )
    return jnp.broadcast_to(term, shape)


@widened
def _added(term, product, beta, alpha):
    """beta · term + alpha · product; torch leaves a term of factor 0 out, nan and all."""
    term = _expanded(term, product.shape)
    scaled = product if _is_one(alpha) else product * jnp.asarray(alpha).astype(product.dtype)
    if isinstance(beta, (int, float)) and beta == 0:
        return scaled
    return scaled + (term if _is_one(beta) else term * jnp.asarray(beta).astype(term.dtype))


def _addends_match(term, a, b):
    for name, x in (("self", term), ("mat1", a)):
        if x.dtype != b.dtype:
            raise RuntimeError(f"{name} and mat2 must have the same dtype, but got {_label(x)} and {_label(b)}")


def _is_one(factor):
    return isinstance(factor, (int, float)) and factor == 1


@op("addmm", method=True, inplace=True, out=EXACT)
def addmm(input: Array, mat1: Array, mat2: Array, *, beta: Scalar = 1, alpha: Scalar = 1):
    """beta · input + alpha · mat1 mat2. Shape: broadcast to (n, m), (n, k), (k, m) -> (n, m)."""
    for x, name in ((mat1, "mat1"), (mat2, "mat2")):
        if x.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {x.ndim}-D tensor")
    _check_sizes(mat1, mat2)
    _addends_match(input, mat1, mat2)
    _expanded(input, (mat1.shape[0], mat2.shape[1]))  # raises where it does not fit
    return _rounded_once(lambda term, a, b: _added(term, _mm(a, b), beta, alpha), input, mat1, mat2)


@op("addmv", method=True, inplace=True, out=EXACT)
def addmv(input: Array, mat: Array, vec: Array, *, beta: Scalar = 1, alpha: Scalar = 1):
    """beta · input + alpha · mat vec. Shape: broadcast to (n,), (n, k), (k,) -> (n,)."""
    if (mat.ndim, vec.ndim) != (2, 1):
        raise RuntimeError(f"vector + matrix @ vector expected, got {max(input.ndim, 1)}, {mat.ndim}, {vec.ndim}")
    size = input.shape[0] if input.ndim else mat.shape[0]
    if mat.shape[1] != vec.shape[0] or size not in (1, mat.shape[0]):
        raise RuntimeError(f"size mismatch, got input ({size}), mat ({mat.shape[0]}x{mat.shape[1]}), vec ({vec.size})")
    if not input.dtype == mat.dtype == vec.dtype:
        kinds = f"{_label(input)}, {_label(mat)}, and {_label(vec)}"
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {kinds}")
    return _rounded_once(lambda term, a, b: _added(term, _mv(a, b), beta, alpha), input, mat, vec)


@op("addr", method=True, inplace=True, out=True)
@widened
def addr(input: Array, vec1: Array, vec2: Array, *, beta: Scalar = 1, alpha: Scalar = 1):
    """beta · input + alpha · vec1 ⊗ vec2. Shape: broadcast to (n, m), (n,), (m,) -> (n, m)."""
    for x, name in ((vec1, "vec1"), (vec2, "vec2")):
        if x.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {x.ndim}-D")
    return _added(input, vec1[:, None] * vec2[None], beta, alpha)


@op("baddbmm", method=True, inplace=True, out=EXACT)
def baddbmm(input: Array, batch1: Array, batch2: Array, *, beta: Scalar = 1, alpha: Scalar = 1):
    """beta · input + alpha · batch1 batch2. Shape: broadcast to (b, n, m), (b, n, k), (b, k, m) -> (b, n, m)."""
    if not batch1.dtype == batch2.dtype == input.dtype:
        kinds = f"input {_cpp(input)}, batch1: {_cpp(batch1)}, batch2: {_cpp(batch2)}"
        raise RuntimeError(f"Input dtypes must be the same, got: {kinds}")
    _expanded(input, jax.eval_shape(bmm.fn, batch1, batch2).shape)  # raises where it does not fit
    return _rounded_once(lambda term, a, b: _added(term, _bmm(a, b), beta, alpha), input, batch1, batch2)


@op("addbmm", method=True, inplace=True, out=True)
def addbmm(input: Array, batch1: Array, batch2: Array, *, beta: Scalar = 1, alpha: Scalar = 1):
    """beta · input + alpha · Σ batch1 batch2. Shape: broadcast to (n, m), (b, n, k), (b, k, m) -> (n, m)."""
    for x, name in ((batch1, "batch1"), (batch2, "batch2")):
        if x.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    (many, rows, depth), (others, inner, columns) = batch1.shape, batch2.shape
    if many != others:
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {many} and {others}")
    if depth != inner:
        raise RuntimeError(f"Incompatible matrix sizes for bmm ({rows}x{depth} and {inner}x{columns})")
    _addends_match(input, batch1, batch2)
    # One product over batch and inner dim at once.
    flat = jnp.moveaxis(batch1, 0, 1).reshape(rows, many * depth)
    return _added(input, _mm(flat, batch2.reshape(many * depth, columns)), beta, alpha)


@op("outer", "ger", method=True, out=True, grad_name=("MulBackward0", ("ViewBackward0", 0), 1))
def outer(input: Array, vec2: Array):
    """All products of two vectors' elements. Shape: (n,), (m,) -> (n, m)."""
    for x, name in ((input, "self"), (vec2, "vec2")):
        if x.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.ndim}-D")
    times = widened(jnp.multiply) if input.dtype == vec2.dtype else jnp.multiply
    return times(input[:, None], vec2[None])


@op("inner", method=True, out=_INNER, grad_name="ViewBackward0")
def inner(input: Array, other: Array):
    """Sums of products over the last dims. Shape: (*, k), (+, k) -> (*, +)."""
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{listed(input.shape)} and {listed(other.shape)}"
        )
    return jnp.tensordot(input, other, ((-1,), (-1,)))
