"""Whole Jacobians: a batch of unit vectors pulled back, or pushed forward, in one pass."""

import jax.numpy as jnp

from jtorch._tensor import Tensor, aval
from jtorch.autograd.apply import call, create, filled, refresh
from jtorch.autograd.forward_ad import batched_level, unpack_dual
from jtorch.autograd.functional_checks import as_tuple, gradients
from jtorch.autograd.tangents import carry
from jtorch.autograd.tape import Call
from jtorch.recordable import Recordable
from jtorch.shapes import numel


class UnitRows(Recordable):
    """Row i is 1 at element i - first of a tensor, 0 elsewhere. attrs: rows, first, shape and dtype of the tensor."""

    name = "unit_rows"

    def call(self, ins, attrs, compute):
        rows, first, shape, dtype = attrs
        return (jnp.eye(rows, numel(shape), -first, dtype).reshape(rows, *shape),)


UNIT_ROWS = UnitRows()


def basis(tensors, start=0, count=None):
    """Per tensor a Tensor (n, *its shape), n elements in all: row i is 1 at element i of them all, and 0 elsewhere.

    start, count: which of these rows.
    """
    avals = [aval(x) for x in tensors]
    sizes = [numel(a.shape) for a in avals]
    count = sum(sizes) if count is None else count
    return tuple(
        create(UNIT_ROWS, (count, sum(sizes[:i]) - start, a.shape, a.dtype.numpy), a.device)
        for i, a in enumerate(avals)
    )


def reverse(outputs, inputs, create_graph, strict):
    """Per output, per input the Jacobian. Raises RuntimeError in strict mode where one does not depend on the other."""
    if not strict and len(outputs) and _nobody_watches(outputs):
        return _batched(outputs, inputs, create_graph)
    return tuple(_row_by_row(i, out, inputs, create_graph, strict) for i, out in enumerate(outputs))


def _nobody_watches(outputs):
    """Whether the graph consists of recorded calls without hooks: then one batched pass is as good as many."""
    stack, seen = [], set()
    for out in outputs:
        refresh(out)
        stack.append(out if out._grad_fn is None else out._grad_fn)
    while stack:
        target = stack.pop()
        if isinstance(target, Tensor):
            if target._hooks is not None:
                return False
        elif target not in seen:
            if not isinstance(target, Call) or target.hooks is not None:
                return False
            seen.add(target)
            stack.extend(edge[0] for edge in target.edges)
    return True


def _batched(outputs, inputs, create_graph):
    found = gradients(outputs, inputs, basis(outputs), create_graph=create_graph, is_grads_batched=True)
    sizes = [numel(aval(out).shape) for out in outputs]
    rows = []
    for i, out in enumerate(outputs):
        first = sum(sizes[:i])
        rows.append(tuple(_part(g, first, sizes[i], out, x) for g, x in zip(found, inputs, strict=True)))
    return tuple(rows)


def _part(gradient, first, count, out, x):
    """The rows of one output, in the shape of a Jacobian."""
    shape = (*aval(out).shape, *aval(x).shape)
    if gradient is None:
        return filled(aval(x), 0).expand(shape).clone()
    return gradient.narrow(0, first, count).reshape(shape)


def _row_by_row(i, out, inputs, create_graph, strict):
    rows = []
    for j in range(numel(aval(out).shape)):
        found = gradients((out.reshape(-1)[j],), inputs, retain_graph=True, create_graph=create_graph)
        for k, g in enumerate(found if strict else ()):
            if g is None:
                raise RuntimeError(
                    f"Output {i} of the user-provided function is independent of input {k}. This is not allowed in "
                    "strict mode."
                )
            if create_graph and not g.requires_grad:
                raise RuntimeError(
                    f"The jacobian of the user-provided function is independent of input {i}. This is not allowed in "
                    "strict mode when create_graph=True."
                )
        rows.append([filled(aval(x), 0) if g is None else g for g, x in zip(found, inputs, strict=True)])
    return tuple(
        call("stack", [row[k] for row in rows], 0).view(*aval(out).shape, *aval(x).shape) for k, x in enumerate(inputs)
    )


def forward(func, inputs):
    """(whether func returned a tuple, per output, per input the Jacobian). torch: as lists here."""
    sizes = [numel(aval(x).shape) for x in inputs]
    with batched_level(sum(sizes)):
        duals = tuple(x.view_as(x) for x in inputs)
        for dual, tangents in zip(duals, basis(inputs), strict=True):
            carry(dual, tangents)
        several, outputs = as_tuple(func(*duals), "outputs", "jacobian")
        pushed = [unpack_dual(out).tangent for out in outputs]
    rows = []
    for out, tangents in zip(outputs, pushed, strict=True):
        rows.append([_columns(tangents, sum(sizes[:i]), sizes[i], out, x) for i, x in enumerate(inputs)])
    return several, rows


def _columns(tangents, first, count, out, x):
    shape = (*aval(out).shape, *aval(x).shape)
    if tangents is None:
        return filled(aval(out), 0).expand(*aval(x).shape, *aval(out).shape).reshape(shape)
    part = tangents.narrow(0, first, count)
    return part.permute(*range(1, aval(part).ndim), 0).reshape(shape)
