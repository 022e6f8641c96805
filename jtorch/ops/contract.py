"""Products that contract chosen dims: einsum, tensordot, kron, cross, bilinear, cdist."""

import math

from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import from_numpy, promote_types
from jtorch.lowering import largest
from jtorch.ops.op import EXACT, Array, Arrays, op, widened
from jtorch.shapes import broadcast_shapes, normalize_dim


def _label(x):
    return from_numpy(x.dtype).label


def _sizes(x, dims):
    return [x.shape[d] for d in dims]


# Pairs.


def _contracted(a, b, batch, inner, left, right):
    """One matrix product over dims given per side. Shape: (*batch, *left, *right).

    batch, inner: pairs of dims (of a, of b). left, right: dims that only a, only b has.
    """
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {_label(a)} but found {_label(b)}")
    rows = lax.transpose(a, [i for i, _ in batch] + left + [i for i, _ in inner])
    columns = lax.transpose(b, [j for _, j in batch] + [j for _, j in inner] + right)
    many, depth = _sizes(a, [i for i, _ in batch]), math.prod(_sizes(a, [i for i, _ in inner]))
    tall, wide = _sizes(a, left), _sizes(b, right)
    rows = rows.reshape(*many, math.prod(tall), depth)
    columns = columns.reshape(*many, depth, math.prod(wide))
    dims = tuple(range(len(many)))
    out = lax.dot_general(rows, columns, (((len(many) + 1,), (len(many),)), (dims, dims)))
    return out.reshape(*many, *tall, *wide)


# Einsum.


def _parsed(equation, ndims):
    """(labels of each operand, labels of the output) of an equation; dims under `...` are labelled by numbers."""
    terms, arrow, result = equation.partition("->")
    if len(terms.split(",")) != len(ndims):
        few = "fewer" if len(ndims) < len(terms.split(",")) else "more"
        raise RuntimeError(f"einsum(): {few} operands were provided than specified in the equation")
    inputs, hidden, start = [], 0, 0
    for number, (term, ndim) in enumerate(zip(terms.split(","), ndims, strict=True)):
        labels = _term(term, f"for operand {number}", start)
        start += len(term) + 1
        named = len([x for x in labels if x != "..."])
        if "..." not in labels and named != ndim or named > ndim:
            wrong, hint = "does not match", " and no ellipsis was given"
            if "..." in labels:
                wrong, hint = "is more than", ""
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) {wrong} the number of dimensions "
                f"({ndim}) for operand {number}{hint}"
            )
        hidden = max(hidden, ndim - named if "..." in labels else 0)
        inputs.append((labels, ndim - named))
    inputs = [_spelled(labels, count) for labels, count in inputs]
    if not arrow:
        every = [x for labels in inputs for x in labels]
        shown = sorted(x for x in set(every) if isinstance(x, str) and every.count(x) == 1)
        return inputs, [*range(-hidden, 0), *shown]
    output = _spelled(_term(result, "for the output", len(terms) + len(arrow)), hidden)
    for label in output:
        if output.count(label) > 1:
            raise RuntimeError(f"einsum(): output subscript {label} appears more than once in the output")
        if not any(label in labels for labels in inputs) and isinstance(label, str):
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input operand"
            )
    return inputs, output


def _term(term, where, start):
    """The labels of one term, `...` as one of them. Raises RuntimeError for anything else than letters."""
    head, dots, tail = term.partition("...")
    for part, offset in ((head, 0), (tail, len(head) + 3)):
        for i, label in enumerate(part):
            if label == ".":
                raise RuntimeError(f"einsum(): found '.' {where} that is not part of any ellipsis")
            if not (label.isascii() and label.isalpha()):
                raise RuntimeError(
                    f"einsum(): invalid subscript given at index {start + offset + i} in the equation string, "
                    "subscripts must be in [a-zA-Z]"
                )
    return [*head, *([dots] if dots else []), *tail]


def _spelled(labels, count):
    """Labels with `...` replaced by the numbers -count to -1."""
    spelled = []
    for label in labels:
        spelled.extend(range(-count, 0) if label == "..." else [label])
    return spelled


def _checked_sizes(operands, inputs):
    """{label: size}. Raises RuntimeError where sizes under one label differ and none is 1."""
    sizes = {}
    for number, (x, labels) in enumerate(zip(operands, inputs, strict=True)):
        own = {}
        for label, size in zip(labels, x.shape, strict=True):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {number} but the sizes don't match, "
                    f"{size} != {own[label]}"
                )
            seen = sizes.get(label, 1)
            if seen != 1 and size not in (1, seen):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {size} for operand {number} which does not broadcast with "
                    f"previously seen size {seen}"
                )
            sizes[label] = max(seen, size) if size else 0
    return sizes


def _without_repeats(x, labels):
    """Diagonals taken where a label stands twice."""
    for label in [name for i, name in enumerate(labels) if name in labels[:i]]:
        i, j = labels.index(label), len(labels) - 1 - labels[::-1].index(label)
        x = jnp.diagonal(x, axis1=i, axis2=j)
        labels = [name for k, name in enumerate(labels) if k not in (i, j)] + [label]
    return x, labels


def _summed(x, labels, wanted):
    """x summed over the labels that nobody wants any more."""
    gone = tuple(i for i, label in enumerate(labels) if label not in wanted)
    return (x.sum(gone), [label for label in labels if label in wanted]) if gone else (x, labels)


def _paired(first, second, wanted):
    """(product, labels) of two labelled operands; labels that nobody wants any more are contracted."""
    (a, la), (b, lb) = (_unstretched(*one, other) for one, other in ((first, second), (second, first)))
    (a, la), (b, lb) = _summed(a, la, {*wanted, *lb}), _summed(b, lb, {*wanted, *la})
    common = [x for x in la if x in lb]
    inner = [(la.index(x), lb.index(x)) for x in common if x not in wanted]
    batch = [(la.index(x), lb.index(x)) for x in common if x in wanted]
    left = [i for i, x in enumerate(la) if x not in lb]
    right = [j for j, x in enumerate(lb) if x not in la]
    labels = [la[i] for i, _ in batch] + [la[i] for i in left] + [lb[j] for j in right]
    if inner:
        return _contracted(a, b, batch, inner, left, right), labels
    a = lax.transpose(a, [i for i, _ in batch] + left).reshape(*_sizes(a, [i for i, _ in batch]), *_sizes(a, left),
                                                               *[1] * len(right))  # fmt: skip
    b = lax.transpose(b, [j for _, j in batch] + right).reshape(*_sizes(b, [j for _, j in batch]), *[1] * len(left),
                                                                *_sizes(b, right))  # fmt: skip
    return a * b, labels


def _unstretched(x, labels, other):
    """x without dims of size 1 that the other side has at full size: they broadcast."""
    sizes = dict(zip(other[1], other[0].shape, strict=True))
    gone = [i for i, label in enumerate(labels) if x.shape[i] == 1 and sizes.get(label, 1) != 1]
    return jnp.squeeze(x, tuple(gone)), [label for i, label in enumerate(labels) if i not in gone]


@op("einsum_kernel", door=None, grad_name="ViewBackward0")
def einsum_kernel(operands: Arrays, *, equation):
    """Sums of products by an equation of subscripts. Shape: as the equation says. Raises RuntimeError as torch does."""
    inputs, output = _parsed(equation, [x.ndim for x in operands])
    sizes = _checked_sizes(operands, inputs)
    waiting = [_without_repeats(x, labels) for x, labels in zip(operands, inputs, strict=True)]
    while len(waiting) > 1:
        i, j = _next_pair(waiting, output) if len(waiting) > 2 else (0, 1)
        second, first = waiting.pop(j), waiting.pop(i)
        wanted = {*output, *(x for _, labels in waiting for x in labels)}
        waiting.append(_paired(first, second, wanted))
    x, labels = _summed(*waiting[0], output)
    missing = [label for label in output if label not in labels]
    x = lax.transpose(x, [labels.index(label) for label in output if label in labels])
    x = jnp.expand_dims(x, tuple(output.index(label) for label in missing))
    return jnp.broadcast_to(x, [sizes.get(label, 1) for label in output])


def _next_pair(waiting, output):
    """The pair whose product is smallest next to what it replaces."""

    def growth(pair):
        i, j = pair
        sizes = {}
        for k in pair:
            sizes.update(zip(waiting[k][1], waiting[k][0].shape, strict=True))
        rest = {*output, *(x for k, (_, labels) in enumerate(waiting) if k not in pair for x in labels)}
        return math.prod(n for x, n in sizes.items() if x in rest) - waiting[i][0].size - waiting[j][0].size

    count = len(waiting)
    return min(((i, j) for i in range(count) for j in range(i + 1, count)), key=growth)


def sums_pairs(equation, shapes):
    """Whether an einsum sums over a subscript that several operands have at more than one element."""
    inputs, output = _parsed(equation, [len(shape) for shape in shapes])
    for label in {x for labels in inputs for x in labels} - set(output):
        sizes = [shape[labels.index(label)] for labels, shape in zip(inputs, shapes, strict=True) if label in labels]
        if sum(n != 1 for n in sizes) > 1:
            return True
    return False


# Relatives.


@op("tensordot_kernel", door=None, grad_name="ViewBackward0")
def tensordot_kernel(a: Array, b: Array, *, dims_a, dims_b):
    """Sums of products over pairs of dims. Shape: a's other dims, then b's."""
    if len(dims_a) != len(dims_b):
        raise RuntimeError("both dimension lists should have same length")
    pairs = [(normalize_dim(i, a.ndim), normalize_dim(j, b.ndim)) for i, j in zip(dims_a, dims_b, strict=True)]
    for (i, j), (di, dj) in zip(pairs, zip(dims_a, dims_b, strict=True), strict=True):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {di} and second has size "
                f"{b.shape[j]} in dim {dj}"
            )
    for i, j in pairs:
        if a.shape[i] != b.shape[j]:
            a = a.sum(i, keepdims=True) if b.shape[j] == 1 else a
            b = b.sum(j, keepdims=True) if a.shape[i] == 1 else b
    left = [i for i in range(a.ndim) if i not in [p for p, _ in pairs]]
    right = [j for j in range(b.ndim) if j not in [p for _, p in pairs]]
    return _contracted(a, b, [], pairs, left, right)


_KRON = ("UnsafeViewBackward0", ("MulBackward0", *(("UnsafeViewBackward0", i) for i in (0, 1))))


@op("kron", method=True, out=True, grad_name=_KRON)
def kron(input: Array, other: Array):
    """Blocks of other, each times one element of input (the Kronecker product). Shape: sizes multiplied, dim by dim."""
    dtype = promote_types(from_numpy(input.dtype), from_numpy(other.dtype)).numpy
    input, other = input.astype(dtype), other.astype(dtype)
    rank = max(input.ndim, other.ndim)
    ours = (1,) * (rank - input.ndim) + input.shape
    theirs = (1,) * (rank - other.ndim) + other.shape
    a = input.reshape([n for size in ours for n in (size, 1)])
    b = other.reshape([n for size in theirs for n in (1, size)])
    return widened(jnp.multiply)(a, b).reshape([m * n for m, n in zip(ours, theirs, strict=True)])


@op("linalg_cross", door="linalg", out=EXACT)
def cross(input: Array, other: Array, *, dim=-1):
    """The vector product along a dim of size 3. Shape: broadcast. Raises RuntimeError for other sizes."""
    if input.dtype != other.dtype:
        raise RuntimeError(f"expected scalar type {_label(input)} but found {_label(other)}")
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    axis = normalize_dim(dim, input.ndim)
    if not input.shape[axis] == other.shape[axis] == 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[axis]} and {other.shape[axis]}"
        )
    shape = broadcast_shapes(input.shape, other.shape)
    a, b = (jnp.broadcast_to(x, shape) for x in (input, other))
    return jnp.roll(a, -1, axis) * jnp.roll(b, 1, axis) - jnp.roll(a, 1, axis) * jnp.roll(b, -1, axis)


def _bilinear_graph(operands, attrs):
    product = ("ViewBackward0", ("TrilinearBackward0", ("ViewBackward0", 0), 2, ("ViewBackward0", 1)))
    return product if operands[3] is None else ("AddBackward0", product, 3)


@op("bilinear", grad_name=_bilinear_graph)
@widened
def bilinear(input1: Array, input2: Array, weight: Array, bias: Array | None = None):
    """input1ᵀ · weight[o] · input2 + bias[o]. Shape: (*, n), (*, m), (o, n, m), (o,) -> (*, o)."""
    for d, (m, n) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=False)):
        if m != n:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {d}: got {m} and {n}")
    for number, x in ((1, input1), (2, input2)):
        if x.shape[-1] != weight.shape[number]:
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: got {x.shape[-1]} but expected "
                f"{weight.shape[number]}"
            )
    count, n, m = weight.shape
    first, second = input1.reshape(-1, n), input2.reshape(-1, m)
    rows = lax.dot(first, jnp.moveaxis(weight, 0, 1).reshape(n, count * m)).reshape(-1, count, m)
    out = (rows * second[:, None]).sum(-1, dtype=rows.dtype).reshape(*input1.shape[:-1], count)
    return out if bias is None else out + bias


def _distance_matrix(first, second, p):
    gap = jnp.abs(first[..., :, None, :] - second[..., None, :, :])
    if p == 0:
        return jnp.minimum(jnp.ceil(gap), 1).sum(-1)  # how many differ; nan where one is
    if p == 1:
        return gap.sum(-1)
    if p == math.inf:
        return largest(gap, -1) if gap.shape[-1] else gap.sum(-1)
    if p == 2:
        return jnp.sqrt((gap * gap).sum(-1))
    return (gap**p).sum(-1) ** (1 / p)


@op("cdist")
def cdist(x1: Array, x2: Array, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """p-norm distances between all rows of two matrices. Shape: (*, n, k), (*, m, k) -> (*, n, m), `*` broadcast."""
    for number, x in ((1, x1), (2, x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, X{number} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    return _distance_matrix(x1, x2, p)


@cdist.gradient
def _(grad, result, x1, x2, p, compute_mode):
    # torch: 0 where the distance is 0; equal largest gaps each get the whole gradient.
    gap = x1[..., :, None, :] - x2[..., None, :, :]
    size, grad, result = jnp.abs(gap), grad[..., None], result[..., None]
    safe = jnp.where(result == 0, 1, result)
    if p == 0:
        slope = jnp.zeros_like(gap)
    elif p == 1:
        slope = jnp.sign(gap)
    elif p == math.inf:
        slope = jnp.sign(gap) * (size == result)
    elif p < 2:
        slope = jnp.where(size == 0, 0, jnp.sign(gap) * jnp.where(size == 0, 1, size) ** (p - 1)) / safe ** (p - 1)
    else:
        slope = gap * size ** (p - 2) / safe ** (p - 1)
    flow = jnp.where(result == 0, 0, grad * slope)
    return flow.sum(-2), -flow.sum(-3)
