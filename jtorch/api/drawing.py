"""How draws become Tensors: by which generator, in which order of memory, on the host or in a recorded call."""

import functools

import jax.numpy as jnp
import numpy as np

from jtorch import _tensor, devices, dtypes, modes
from jtorch._tensor import Tensor, alias, aval
from jtorch.api.formats import is_contiguous
from jtorch.autograd.apply import apply, call, create, hashable, view
from jtorch.autograd.level import is_batched, mapping
from jtorch.autograd.overlap import check_overlap
from jtorch.engine import log
from jtorch.ops.op import TABLE
from jtorch.recordable import Lift
from jtorch.rng import generator as generators
from jtorch.rng import samplers
from jtorch.rng.generator import Generator
from jtorch.rng.integers import whole_range

_EMPTY = (
    "bernoulli",
    "exponential",
    "geometric",
    "log_normal",
)  # torch: nothing is checked where there is nothing to draw


def source(generator, place):
    """The generator to draw from. Raises TypeError when it is none, RuntimeError when it is another device's."""
    if generator is None:
        return generators.default_for(place)
    if not isinstance(generator, Generator):
        raise TypeError(f"expected a torch.Generator, not {type(generator).__name__}")
    if generator.device.type != place.type:
        raise RuntimeError(f"Expected a '{place.type}' device type for generator but found '{generator.device.type}'")
    return generator


def on_host(place):
    """Whether draws for a place are torch's CPU numbers: not inside a JAX transform."""
    return place is devices.CPU and modes.local.keys is None


def seeds(generator, place):
    """The operands of one draw inside a program: never constants, so that each step draws anew."""
    if modes.local.keys is not None:
        return [_tensor.from_array(jnp.asarray(x), place) for x in modes.local.keys.advance()]
    drawn = source(generator, place)
    numbers = drawn.advance()
    log.note_draw(place, drawn, numbers)
    return [Lift(x) for x in numbers]


def drawn_inside(name, attrs, place, generator, numbers=()):
    """A draw inside a program: the op's results for a seed and these further operands."""
    operands = [*seeds(generator, place), *numbers]
    if any(isinstance(x, Tensor) for x in operands):
        return apply(TABLE[name], operands, attrs)
    return create(TABLE[name], attrs, place, operands)


def draw(kind, generator, size, dtype, place, *params, order=None):
    """A Tensor of one distribution on a place. kind: a sampler's name; params: its numbers, or a Tensor of numbers.

    order: the dims from the slowest to the fastest in memory, in which the CPU draws; None is row-major.
    """
    if modes.rare and mapping():
        return for_rows(functools.partial(_draw_rows, kind, generator, size, dtype, place, order), *params)
    if place is devices.META:
        return create(TABLE["full_kernel"], (size, dtype), place, (0,))
    host = on_host(place)
    if 0 in size and host and (kind in _EMPTY or (kind == "random" and not params)):
        return _tensor.from_host(np.empty(size, dtype.numpy), dtype, place)
    if host:
        generator = source(generator, place)
        fresh = functools.partial(_on_host, getattr(samplers, kind), generator, size, dtype, params, order)
        return log.drawn(generator, fresh) if log.active() and order is None else fresh()
    if kind == "random":
        kind, params = "randint", params or whole_range(dtype)
    if any(isinstance(p, Tensor) for p in params):
        return drawn_inside(f"draw_{kind}_each", (size, dtype), place, generator, params)
    return drawn_inside(f"draw_{kind}", (size, dtype), place, generator, [Lift(float(p)) for p in params])


def for_rows(fn, *operands):
    """A draw inside vmap, as its randomness wants it. fn(count, *operands) draws below: for `count` rows, or for one.

    Raises RuntimeError for randomness "error", and for "same" where an operand is one of the batch.
    """
    level = mapping()
    tensors = [x for x in operands if isinstance(x, Tensor)]
    if level.randomness == "error":
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
            "randomness flags on vmap or perform the randomness operation out of vmap"
        )
    same = level.randomness == "same"
    if same and any(is_batched(x) for x in tensors):
        raise RuntimeError(
            "Vmap does not currently support same randomness with a batched tensor input. Please file an issue with "
            "functorch"
        )
    with level.outside():
        if not same:
            operands = [level.rows(x) if isinstance(x, Tensor) else x for x in operands]
        made = fn(None if same else level.size, *operands)
    made._storage.born = modes.local.level
    return made if same else level.row(made)


def _draw_rows(kind, generator, size, dtype, place, order, count, *params):
    if count is None:
        return draw(kind, generator, size, dtype, place, *params, order=order)
    if kind == "randperm":
        return call("stack", [draw(kind, generator, size, dtype, place) for _ in range(count)])
    order = None if order is None else (0, *(dim + 1 for dim in order))
    return draw(kind, generator, (count, *size), dtype, place, *params, order=order)


def _on_host(sampler, generator, size, dtype, params, order):
    if order is None:
        params = [_tensor.host(p) if isinstance(p, Tensor) else p for p in params]
        return _tensor.from_host(sampler(generator, size, dtype, *params), dtype, devices.CPU)
    params = [np.broadcast_to(_tensor.host(p), size).transpose(order) if isinstance(p, Tensor) else p for p in params]
    options = {"contiguous": False} if sampler is samplers.normal else {}
    drawn = sampler(generator, tuple(size[dim] for dim in order), dtype, *params, **options)
    return laid_out(_tensor.from_host(drawn, dtype, devices.CPU), order)


def laid_out(dense, order):
    """A Tensor, no view of anything, whose memory is that of `dense`, its dims in memory standing in this order."""
    return alias(view(TABLE["permute"], dense, (tuple(int(dim) for dim in np.argsort(order)),)))


def order_of(tensor):
    """The order of a tensor's dims in memory for `draw`; None for a contiguous tensor."""
    return None if is_contiguous(tensor) else _memory_order(aval(tensor).shape, tuple(_tensor.strides(tensor)))


@functools.lru_cache(4096)
def _memory_order(sizes, strides):
    """torch sorts the dims by insertion from the last on: by stride, then by size; a stride of 0 leaves them be."""
    order = list(reversed(range(len(sizes))))
    for i in range(1, len(order)):
        at = i
        for j in reversed(range(i)):
            (a, m), (b, n) = ((strides[order[k]], sizes[order[k]]) for k in (j, at))
            if not a or not b or (a == b and m <= n):
                continue
            if a < b:
                break
            order[j], order[at] = order[at], order[j]
            at = j
    return tuple(reversed(order))


def redraw(tensor, kind, generator, *params):
    """New values for a tensor, drawn in the order of its memory. Raises RuntimeError when elements share memory."""
    a = aval(tensor)
    check_overlap(tensor)
    if modes.rare and (level := mapping()) and level.randomness == "different" and not is_batched(tensor):
        raise RuntimeError(
            "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear like same "
            "randomness. If this is necessary for your usage, please file an issue with functorch."
        )
    return draw(kind, generator, a.shape, a.dtype, a.device, *params, order=order_of(tensor))


def taped(drawn, *operands, grad_name=None, refused=None):
    """drawn, with torch's node in the graph where an operand requires grad. refused: a function without a gradient."""
    operands = [x for x in operands if isinstance(x, Tensor)]
    needing = [x for x in operands if x._rg]
    if not needing or not modes.local.grad:
        return drawn
    if refused:
        return call("drawn_underived", needing, drawn, function=refused)
    return call("drawn", operands, drawn, shown=grad_name)


def as_dtype(dtype):
    """A dtype from what a user gives for one: None, a dtype, or Python's float, int, bool and complex."""
    if dtype is None or isinstance(dtype, dtypes.dtype):
        return dtype
    if dtype in (float, int, bool, complex):
        return dtypes.from_numpy(dtype)
    raise TypeError(f"expected a torch.dtype, not {type(dtype).__name__}")


def number(value):
    """A float from what a user gives for one: a number, or a tensor of one element. Raises TypeError for others."""
    value = hashable(value)
    if not isinstance(value, (int, float)):
        raise TypeError(f"expected a float, not {type(value).__name__}")
    return float(value)
