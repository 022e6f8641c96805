"""Shape arithmetic with torch's error texts: broadcasting, dims, reductions."""

import functools

import jax.export

is_symbolic = jax.export.is_symbolic_dim  # whether a size is one that jax.export does not know yet


def listed(shape):
    """[2, 3], as torch writes a shape inside a message."""
    return "[" + ", ".join(map(str, shape)) + "]"


def broadcast_shapes(*shapes):
    """The shape that all of them broadcast to. Raises RuntimeError in torch's words, naming the dim that differs."""
    result = ()
    for shape in shapes:
        if shape == result:
            continue
        a, b = result, tuple(shape)
        rank = max(len(a), len(b))
        out = [1] * rank
        for i in range(1, rank + 1):
            m = a[-i] if i <= len(a) else 1
            n = b[-i] if i <= len(b) else 1
            if m != n and m != 1 and n != 1:
                raise RuntimeError(
                    f"The size of tensor a ({m}) must match the size of tensor b ({n}) "
                    f"at non-singleton dimension {rank - i}"
                )
            out[-i] = n if m == 1 else m
        result = tuple(out)
    return result


def normalize_dim(dim, ndim):
    """dim counted from the front. Raises IndexError when it is out of range; a 0-d tensor has dims -1 and 0."""
    bound = max(ndim, 1)
    if not -bound <= dim < bound:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim % bound


def normalize_dims(dims, ndim):
    """A tuple of dims counted from the front; None or () means all. Raises RuntimeError when one stands twice."""
    if dims is None or (isinstance(dims, tuple) and not dims):
        return tuple(range(ndim))
    if isinstance(dims, int):
        dims = (dims,)
    result = tuple(normalize_dim(d, ndim) for d in dims)
    for i, d in enumerate(result):
        if d in result[:i]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return result if ndim else ()


@functools.lru_cache(4096)
def contiguous_strides(shape):
    """Strides, in elements, of a row-major tensor of this shape."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def numel(shape):
    """How many elements a tensor of this shape has."""
    total = 1
    for size in shape:
        total *= size
    return total


def infer_size(shape, count):
    """shape with its -1 worked out from the number of elements. Raises RuntimeError in torch's words."""
    known, hole = 1, None
    for i, size in enumerate(shape):
        if size == -1:
            if hole is not None:
                raise RuntimeError("only one dimension can be inferred")
            hole = i
        elif size < 0:
            raise RuntimeError(f"invalid shape dimension {size} at index {i} of shape {listed(shape)}")
        else:
            known *= size
    if hole is None:
        if known != count:
            raise RuntimeError(f"shape '{listed(shape)}' is invalid for input of size {count}")
        return tuple(shape)
    if known == 0 and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {listed(shape)} because the unspecified "
            f"dimension size -1 can be any value and is ambiguous"
        )
    if known == 0 or count % known:
        raise RuntimeError(f"shape '{listed(shape)}' is invalid for input of size {count}")
    return tuple(shape[:hole]) + (count // known,) + tuple(shape[hole + 1 :])
