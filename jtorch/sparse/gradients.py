"""Sparse gradients: those of rows that were looked up, on their way through a backward pass and into `.grad`."""

import numpy as np

from jtorch._tensor import Tensor, aval, from_host, read, wrap
from jtorch.autograd import carry
from jtorch.autograd.apply import call
from jtorch.autograd.node import Hooks
from jtorch.autograd.tangents import Level
from jtorch.autograd.tape import Call
from jtorch.engine.ref import Ref
from jtorch.ops.op import TABLE
from jtorch.sparse.calls import joined
from jtorch.sparse.tensor import _made, to_dense


class Lookup(Call):
    """A call that looks rows of a table up: the gradient of a table that is a leaf is sparse."""

    __slots__ = ()

    def __init__(self, *given):
        super().__init__(*given)
        self.hooks = Hooks()  # the fast walk, which knows dense gradients alone, stops here

    def pull(self, cotangents, mode):
        if 0 not in self.tape.slots or not self._can(mode):
            return super().pull(cotangents, mode)
        others = super().pull(cotangents, mode)[1:] if len(self.edges) > 1 else ()
        saved = self.saved_tensors() if mode.graph else [wrap(x) if type(x) is Ref else x for x in self.unpacked()]
        operands = dict(zip(self.tape.saved, saved, strict=False))
        # What looked nothing up reads no indices.
        rows = self.rows(mode.wrap(cotangents[0]), operands, *self.tape.fixed[0]) if 1 in operands else self._none()
        return rows, *others

    def _can(self, mode):
        # torch: a view or a cast of a table has sparse gradients in part; here those of leaves alone are.
        return mode.batch is None and Level.current < 0 and isinstance(self.edges[0][0], Tensor)

    def _none(self):
        table = aval(self.edges[0][0])
        places = from_host(np.zeros((1, 0), np.int64), device=table.device)
        values = from_host(np.zeros((0, *table.shape[1:]), table.dtype.numpy), device=table.device)
        return _made(places, values, table.shape)

    def rows(self, grad, operands, *attrs):
        """The sparse gradient of the table."""
        raise NotImplementedError


def _refuse_frequency(scaled):
    if scaled:
        raise RuntimeError("embedding_backward: scale_grad_by_freq not supported with sparse gradients")


class EmbeddingLookup(Lookup):
    """A call of embedding."""

    __slots__ = ()

    def rows(self, grad, operands, padding_idx, scale_grad_by_freq, sparse):
        _refuse_frequency(scale_grad_by_freq)
        shape = aval(self.edges[0][0]).shape
        made = call("embedding_rows", grad, operands[1], shape[0], padding_idx)
        return _made(*made, shape, loose=padding_idx >= 0)


class BagLookup(Lookup):
    """A call of embedding_bag."""

    __slots__ = ()

    def rows(self, grad, operands, mode, include_last_offset, padding_idx, scale_grad_by_freq):
        _refuse_frequency(scale_grad_by_freq)
        shape = aval(self.edges[0][0]).shape
        attrs = shape[0], mode, include_last_offset, padding_idx
        made = call("embedding_bag_rows", grad, operands[1], operands[2], operands.get(3), *attrs)
        return _made(*made, shape, loose=padding_idx >= 0)


EMBEDDING = TABLE["embedding"].pulled_by(EmbeddingLookup)
BAG = TABLE["embedding_bag_kernel"].pulled_by(BagLookup)


def _total(a, b):
    if a.is_sparse and b.is_sparse:
        return joined(b, a)  # torch: what came last stands first
    return (b + to_dense(a)) if a.is_sparse else (a + to_dense(b))


def _copied(x):
    return _made(*(wrap(read(part)) for part in x.raw), aval(x).shape, x._merged, x._loose)


def _add_to(old, gradient):
    both = joined(old, gradient)
    old.raw, old._merged, old._loose = both.raw, both._merged, both._loose


carry.above.total, carry.above.copied, carry.above.add_to = _total, _copied, _add_to
