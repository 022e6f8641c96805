"""How the elements of a new tensor lie in memory: torch's rules for results that follow their operands' strides."""

import functools

import jax

from jtorch._tensor import Tensor, View, aval, strides
from jtorch.autograd.apply import above
from jtorch.shapes import contiguous_strides


def is_dense(shape, steps):
    """Whether the elements fill a stretch of memory without gaps or overlaps."""
    wanted = 1
    for step, n in sorted((s, n) for n, s in zip(shape, steps, strict=True) if n != 1):
        if step != wanted:
            return False
        wanted *= n
    return True


def lay_out(tensor, steps):
    """Let a tensor that has its memory to itself lie in these strides, which are dense. Returns it."""
    shape, storage = aval(tensor).shape, tensor._storage
    if steps == contiguous_strides(shape):
        tensor._view = storage.order = None
    else:
        # torch: dims of size 1 have any stride; they count as the innermost.
        storage.order = tuple(sorted(range(len(shape)), key=lambda d: -steps[d] if shape[d] != 1 else 0))
        tensor._view = View((), tuple(steps), 0, None, storage.ref, storage.ref, 0)
    return tensor


def follow(how, result, operands):
    """Lay the fresh results of an op out as torch does, by the strides of its operands. Returns them.

    how: the op's field `follows`: True for all operands, FIRST for the first, or a memory format's rule.
    """
    layouts = tuple([(aval(x).shape, strides(x)) for x in operands if isinstance(x, Tensor)])
    for out in result if type(result) is tuple else (result,):
        shape = aval(out).shape
        try:
            if type(how) is tuple:
                steps = _in_format(how, shape, layouts)
            else:
                steps = followed(shape, layouts if how is True else layouts[:1])
            if steps is not None:
                lay_out(out, steps)
        except jax.errors.InconclusiveDimensionOperation:
            pass  # what jax.export does not know the sizes of is row-major
    return result


def _in_format(how, shape, layouts):
    """The strides of a result in the memory format of the operands that say it, or None. how: any or all of them."""
    quantifier, count = how
    for name, (ndim, _) in _FORMATS.items():
        if len(shape) == ndim and quantifier(suggested(*layout) == name for layout in layouts[:count]):
            return format_strides(shape, name)
    return None


above.follow = staticmethod(follow)


@functools.lru_cache(1 << 14)
def followed(shape, layouts):
    """The strides of a result of this shape, or None for row-major. layouts: (shape, strides) per tensor operand."""
    first = layouts[0]
    if all(layout == first for layout in layouts) and first[0] == shape and is_dense(*first):
        return None if is_row_major(*first) else first[1]
    if len(shape) < max(2, *(len(own) for own, _ in layouts)) or all(is_row_major(*layout) for layout in layouts):
        return None
    order = _order(shape, [_spread(shape, *layout) for layout in layouts])
    found, step = [0] * len(shape), 1
    for dim in order:
        found[dim] = step
        step *= shape[dim]
    return None if order == list(range(len(shape)))[::-1] else tuple(found)


def is_row_major(shape, steps):
    """Whether these are the strides of a row-major tensor; dims of size 1 do not count."""
    return 0 in shape or all(n == 1 or s == w for n, s, w in zip(shape, steps, contiguous_strides(shape), strict=True))


def _spread(shape, own, steps):
    """An operand's strides along the dims of the result: 0 where it is repeated."""
    new = len(shape) - len(own)
    return (0,) * new + tuple(0 if m == 1 != n else s for m, n, s in zip(own, shape[new:], steps, strict=True))


def _order(shape, spread):
    """The dims from the innermost outwards, as torch's iterator sorts them by the operands' strides."""
    order = list(range(len(shape)))[::-1]
    for i in range(1, len(order)):
        at = i
        for before in range(i - 1, -1, -1):
            way = _compare(shape, spread, order[before], order[at])
            if way > 0:
                order[before], order[at] = order[at], order[before]
                at = before
            elif way < 0:
                break
    return order


def _compare(shape, spread, one, other):
    for steps in spread:
        a, b = steps[one], steps[other]
        if a and b:
            if a != b:
                return 1 if a > b else -1
            if shape[one] > shape[other]:
                return 1
    return 0


_FORMATS = {"channels_last": (4, (0, 2, 3, 1)), "channels_last_3d": (5, (0, 2, 3, 4, 1))}


def format_strides(shape, name):
    """The strides of a dense tensor in a memory format. Raises RuntimeError where the format wants other dims."""
    if name not in _FORMATS:
        return contiguous_strides(shape)
    ndim, order = _FORMATS[name]
    if len(shape) != ndim:
        raise RuntimeError(f"required rank {ndim} tensor to use {name} format")
    found, step = [0] * ndim, 1
    for dim in reversed(order):
        found[dim] = step
        step *= max(shape[dim], 1)
    return tuple(found)


def has_format(shape, steps, name):
    """Whether these strides are a memory format's; dims of size 1 do not count."""
    if name not in _FORMATS:
        return is_row_major(shape, steps)
    if len(shape) != _FORMATS[name][0]:
        return False
    wanted = format_strides(shape, name)
    return all(n == 1 or s == w for n, s, w in zip(shape, steps, wanted, strict=True))


def suggested(shape, steps):
    """The name of the format that torch takes a tensor for: channels_last where the strides are in that order."""
    for name, (ndim, order) in _FORMATS.items():
        if len(shape) == ndim and steps[1] and 0 not in shape:
            least = 0
            for dim in reversed(order):
                if steps[dim] < least or (dim == 0 and least == steps[1]):
                    break
                least = steps[dim] * shape[dim]
            else:
                return name
    return "contiguous_format"


def preserved(shape, steps):
    """The strides of a copy in preserve_format: the same where they are dense, else dense in the same order."""
    if is_dense(shape, steps):
        return tuple(steps)
    return followed(shape, ((shape, tuple(steps)),)) or contiguous_strides(shape)
