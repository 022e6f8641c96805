"""Whole Jacobians and Hessians: unit vectors pulled back, or pushed forward, as one batch."""

import functools

from jtorch._tensor import aval
from jtorch.autograd.apply import call
from jtorch.autograd.jacobians import basis
from jtorch.func.arguments import need_real, picked
from jtorch.func.transforms import jvp_for, vjp_for
from jtorch.func.vmap import vmap
from jtorch.shapes import numel
from jtorch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten


def jacrev(func, argnums: int | tuple[int, ...] = 0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """A function that returns the Jacobian of func for these arguments, by reverse mode: rows are pulled back.

    chunk_size: how many rows at once, None for all. Per output and input a Tensor of shape (*output, *input).
    """
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args):
        need_real(args, "jacrev", "inputs")
        output, pull, *aux = vjp_for(func, args, argnums, has_aux)
        outputs, out_spec = tree_flatten(output)
        need_real(outputs, "jacrev", "outputs")
        wanted = picked(args, argnums)
        inputs, in_spec = tree_flatten(wanted if isinstance(argnums, tuple) else (wanted,))
        rows = _rows(pull, outputs, out_spec, chunk_size)
        sizes = [numel(aval(x).shape) for x in outputs]
        found = []
        for i, out in enumerate(outputs):
            parts = [
                call("narrow", row, 0, sum(sizes[:i]), sizes[i]).reshape((*aval(out).shape, *aval(x).shape))
                for row, x in zip(rows, inputs, strict=True)
            ]
            tree = tree_unflatten(parts, in_spec)
            found.append(tree if isinstance(argnums, tuple) else tree[0])
        jacobian = tree_unflatten(found, out_spec)
        return (jacobian, aux[0]) if has_aux else jacobian

    return wrapper


def _rows(pull, outputs, spec, chunk_size):
    """Per input what all unit vectors of the outputs pull back to, stacked."""
    total = sum(numel(aval(x).shape) for x in outputs)
    step = total if chunk_size is None else chunk_size
    pieces = []
    for start in range(0, total, step) if total else (0,):
        unit = basis(outputs, start, min(step, total - start))
        if chunk_size == 1:
            found = [g.unsqueeze(0) for g in tree_leaves(pull(tree_unflatten([u.squeeze(0) for u in unit], spec)))]
        else:
            found = tree_leaves(vmap(pull)(tree_unflatten(unit, spec)))
        pieces.append(found)
    return pieces[0] if len(pieces) == 1 else [call("cat", list(column), 0) for column in zip(*pieces, strict=True)]


def jacfwd(func, argnums: int | tuple[int, ...] = 0, has_aux=False, *, randomness="error"):
    """A function that returns the Jacobian of func for these arguments, by forward mode: columns are pushed on.

    Per output and input a Tensor of shape (*output, *input).
    """

    @functools.wraps(func)
    def wrapper(*args):
        need_real(args, "jacfwd", "inputs")
        wanted = picked(args, argnums)
        inputs, in_spec = tree_flatten((wanted,) if isinstance(argnums, int) else wanted)

        def push(*units):
            output, pushed, *aux = jvp_for(func, args, tree_unflatten(units, in_spec), argnums, has_aux=has_aux)
            need_real(output, "jacfwd", "outputs")
            return (pushed, aux[0]) if has_aux else pushed

        columns, aux = vmap(push, randomness=randomness)(*basis(inputs)), None
        if has_aux:
            columns, aux = columns
            flat, aux_spec = tree_flatten(aux)
            aux = tree_unflatten([x[0] for x in flat], aux_spec)
        columns, out_spec = tree_flatten(columns)
        jacobian = tree_unflatten([_by_input(c, inputs, in_spec, argnums) for c in columns], out_spec)
        return (jacobian, aux) if has_aux else jacobian

    return wrapper


def _by_input(columns, inputs, spec, argnums):
    """The Jacobian of one output, in the form of the inputs, from its columns along the first dim."""
    last = columns.movedim(0, -1)
    parts, first = [], 0
    for x in inputs:
        size = numel(aval(x).shape)
        part = call("narrow", last, -1, first, size)
        parts.append(part.reshape((*aval(last).shape[:-1], *aval(x).shape)))
        first += size
    tree = tree_unflatten(parts, spec)
    return tree[0] if isinstance(argnums, int) else tree


def hessian(func, argnums: int | tuple[int, ...] = 0):
    """A function that returns the Hessian of func for these arguments: forward mode over reverse mode."""
    return jacfwd(jacrev(func, argnums), argnums)
