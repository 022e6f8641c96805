"""vmap: a function of one row as a function of a batch."""

import functools
import itertools

from jtorch._tensor import Tensor, aval
from jtorch.autograd.apply import call
from jtorch.autograd.levels import VmapLevel
from jtorch.rng import generator as generators
from jtorch.utils._pytree import LeafSpec, TreeSpec, tree_flatten, tree_is_leaf, tree_map_, tree_unflatten


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """A function that runs func on each row along in_dims of its arguments, and stacks what it returns along out_dims.

    in_dims: an int, None for what is no batch, or these in the form of the arguments. randomness: "error", "same" or
    "different" numbers for each row. chunk_size: how many rows at once. Raises ValueError as torch.vmap.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapped(*args, **kwargs):
        _check_out_dims(out_dims, func)
        size, dims, flat, spec = _rows(in_dims, args, func)
        run = functools.partial(_run, func, spec, dims, out_dims, randomness, kwargs)
        return (
            run(flat, size)
            if chunk_size is None
            else _in_chunks(run, flat, dims, size, chunk_size, out_dims, randomness)
        )

    return wrapped


def name_of(func):
    """The name of a callable, as torch's errors give it."""
    if hasattr(func, "__name__"):
        return func.__name__
    if isinstance(func, functools.partial):
        return f"functools.partial({name_of(func.func)}, ...)"
    return repr(func)


def _check_out_dims(out_dims, func):
    def check(x):
        if x is not None and not isinstance(x, int):
            raise ValueError(
                f"vmap({name_of(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python "
                "collection of ints representing where in the outputs the vmapped dimension should appear."
            )

    if not isinstance(out_dims, int):
        tree_map_(check, out_dims)


def _spread(tree, spec):
    """The leaves of a tree that stands for a structure, repeated where one stands for a whole part; None if unlike."""
    if tree_is_leaf(tree):
        return [tree] * spec.num_leaves
    if spec.is_leaf():
        return None
    try:
        parts = TreeSpec(spec.type, spec.context, [LeafSpec()] * spec.num_children).flatten_up_to(tree)
    except ValueError:
        return None
    spread = [_spread(part, child) for part, child in zip(parts, spec.children(), strict=True)]
    return None if any(part is None for part in spread) else list(itertools.chain(*spread))


def _rows(in_dims, args, func):
    """(size of the batch, flat in_dims, flat arguments, their structure). Raises ValueError as torch.vmap."""
    start = f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{start}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name_of(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to "
            "vmap over a function with no inputs. The latter is unsupported."
        )
    flat, spec = tree_flatten(args)
    dims = _spread(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"{start}in_dims is not compatible with the structure of `inputs`. in_dims has structure "
            f"{tree_flatten(in_dims)[1]} but inputs has structure {spec}."
        )
    dims = [_dim(start, x, dim) for x, dim in zip(flat, dims, strict=True)]
    sizes = [aval(x).shape[dim] for x, dim in zip(flat, dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0], dims, flat, spec


def _dim(start, x, dim):
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(
            f"{start}Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
        )
    if not isinstance(x, Tensor):
        raise ValueError(
            f"{start}Got in_dim={dim} for an input but the input is of type {type(x)}. We cannot vmap over non-Tensor "
            "arguments, please use None as the respective in_dim"
        )
    ndim = aval(x).ndim
    if not -ndim <= dim < ndim:
        raise ValueError(
            f"{start}Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {ndim} so expected "
            f"in_dim to satisfy -{ndim} <= in_dim < {ndim}."
        )
    return dim % ndim


def _run(func, spec, dims, out_dims, randomness, kwargs, flat, size):
    level = VmapLevel(size, randomness)
    with level:
        rows = [x if dim is None else level.enter_dim(x, dim) for x, dim in zip(flat, dims, strict=True)]
        outputs = func(*tree_unflatten(rows, spec), **kwargs)
        flat_out, out_spec = tree_flatten(outputs)
        wanted = _flat_out_dims(outputs, out_dims, out_spec, func)
        marks = [
            (x, dim, isinstance(x, Tensor) and level.is_batched(x)) for x, dim in zip(flat_out, wanted, strict=True)
        ]
        below = [level.leave(x) if batched else x for x, _, batched in marks]
    name = name_of(func)
    found = [_stacked(name, low, dim, batched, size) for low, (_, dim, batched) in zip(below, marks, strict=True)]
    return tree_unflatten(found, out_spec)


def _flat_out_dims(outputs, out_dims, spec, func):
    if isinstance(outputs, Tensor):
        if out_dims is None or isinstance(out_dims, int):
            return [out_dims]
        found = list(out_dims) if isinstance(out_dims, tuple) and len(out_dims) == 1 else None
    else:
        found = _spread(out_dims, spec)
    if found is None:
        raise ValueError(
            f"vmap({name_of(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure "
            f"of `outputs`. out_dims has structure {tree_flatten(out_dims)[1]} but outputs has structure {spec}."
        )
    return found


def _stacked(name, x, dim, batched, size):
    """A result with its batch at a dim; one that is the same for all rows is repeated."""
    if dim is None:
        if batched:
            raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
        return x
    if not isinstance(x, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(x)}. Did you mean to set out_dims= "
            "to None for output?"
        )
    if not batched:
        x = call("expand", x.unsqueeze(0), (size, *aval(x).shape))
    ndim = aval(x).ndim
    if not -ndim <= dim < ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")
    return x if dim % ndim == 0 else call("movedim", x, 0, dim)


def _in_chunks(run, flat, dims, size, chunk_size, out_dims, randomness):
    """A batch in pieces, what they return put together."""
    state = generators.default.mark() if randomness == "same" else None
    pieces, spec = [], None
    for start in range(0, size, chunk_size):
        if state is not None:
            generators.default.rewind(state)
        count = min(chunk_size, size - start)
        piece = [x if dim is None else call("narrow", x, dim, start, count) for x, dim in zip(flat, dims, strict=True)]
        leaves, spec = tree_flatten(run(piece, count))
        pieces.append(leaves)
    wanted = _spread(out_dims, spec)
    return tree_unflatten(
        [call("cat", list(column), dim) for column, dim in zip(zip(*pieces, strict=True), wanted, strict=True)], spec
    )
