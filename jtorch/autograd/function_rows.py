"""A Function under vmap: its own vmap, or what it was written for run on every row, forward and backward."""

from typing import NamedTuple

from jtorch._tensor import Tensor, aval
from jtorch.autograd.apply import apply, call
from jtorch.autograd.function_ctx import SUM_TO, FunctionCtx
from jtorch.autograd.levels import VmapLevel

_SEE = "For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"


class VmapInfo(NamedTuple):
    """What a Function's vmap is told: the size of the batch, and the randomness that vmap was given."""

    batch_size: int
    randomness: str


def by_own_rule(cls, level, in_dims, args):
    """(outputs, the dim of the batch or None in each) as the Function's vmap gives them. Raises torch's errors."""
    found = cls.vmap(VmapInfo(level.size, level.randomness), in_dims, *args)
    words = (
        "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure compatible "
        "with the output. "
    )
    if not isinstance(found, tuple):
        raise RuntimeError(f"{words}Got a {type(found)} instead")
    if len(found) != 2:
        raise RuntimeError(f"{words}Got {len(found)} returns instead")
    outputs, dims = found
    if isinstance(outputs, tuple) and not isinstance(dims, tuple):
        dims = (dims,) * len(outputs)
    return outputs, dims


def need_rule(cls, overridden):
    """Raise RuntimeError unless a Function says, in one way, what it is under vmap."""
    start = f"You tried to vmap over {cls.__name__}, but it"
    if cls.generate_vmap_rule and overridden:
        raise RuntimeError(
            f"{start} has both generate_vmap_rule=True and an overridden vmap staticmethod. Please set "
            f"generate_vmap_rule=False or delete the overridden vmap staticmethod to avoid ambiguity. {_SEE}"
        )
    if not cls.generate_vmap_rule and not overridden:
        raise RuntimeError(
            f"{start} does not have vmap support. Please override and implement the vmap staticmethod or set "
            f"generate_vmap_rule=True. {_SEE}"
        )


class RowCtx(FunctionCtx):
    """The ctx of one row: what is saved lies, with all rows, in the ctx of the whole call."""

    def __init__(self, needs_input_grad):
        self.needs_input_grad = needs_input_grad
        self.saved_tensors = ()

    def save_for_backward(self, *tensors):
        self.to_save = tensors


class Rows:
    """One call of a Function on rows: what the user wrote, each piece under a vmap of its own."""

    def __init__(self, cls, size, randomness, batched):
        self.cls = cls
        self.size = size
        self.randomness = randomness
        self.batched = batched  # which arguments have rows
        self.out_batched = ()
        self.single = True

    def level(self):
        """A fresh level to run what the user wrote on."""
        return VmapLevel(self.size, self.randomness)

    def forward(self, *args):
        """The user's forward on every row: all outputs, their rows stacked."""
        with self.level() as level:
            result = self.cls.forward(*_entered(level, args, self.batched))
            self.single = not isinstance(result, tuple)
            outs = (result,) if self.single else result
            self.out_batched, outs = _left(level, outs)
        return outs[0] if self.single else outs

    def setup_context(self, ctx, inputs, output):
        """The user's setup_context on every row; ctx keeps what it left."""
        outs = (output,) if self.single else output
        row = RowCtx(ctx.needs_input_grad)
        with self.level() as level:
            seen = _entered(level, outs, self.out_batched)
            args = _entered(level, inputs, self.batched)
            self.cls.setup_context(row, tuple(args), seen[0] if self.single else tuple(seen))
            # An argument or an output is kept as what it is below: it has its place in the graph there.
            known = {id(t): whole for t, whole in zip((*seen, *args), (*outs, *inputs), strict=True)}
            marks = []
            for tensors, save in ((row.to_save, ctx.save_for_backward), (row.saved_for_forward, ctx.save_for_forward)):
                batched, below = _left(level, tensors)
                marks.append(batched)
                save(*(known.get(id(t), left) for t, left in zip(tensors, below, strict=True)))
            ctx.mark_non_differentiable(*(known[id(t)] for t in row.non_differentiable if id(t) in known))
            ctx.mark_dirty(*(known[id(t)] for t in row.dirty_tensors if id(t) in known))
            ctx.set_materialize_grads(row.materialize_grads)
            ctx.row, ctx.row_saved = row, marks
            ctx.row_shapes = [aval(x).shape if isinstance(x, Tensor) else None for x in args]

    def backward(self, ctx, *grads):
        """The user's backward on every row: per argument the rows' gradients, or their sum where it has no rows."""
        with self.level() as level:
            ctx.row.saved_tensors = tuple(_entered(level, ctx.saved_tensors, ctx.row_saved[0]))
            given = _entered(level, grads, self.out_batched)
            found = self.cls.pullback()(ctx.row, *given)
            found = found if isinstance(found, tuple) else (found,)
            fitted = [_fitted(g, shape) for g, shape in zip(found, ctx.row_shapes, strict=False)]
            marks, below = _left(level, fitted)
        sums = [self._of_argument(g, m, b) for g, m, b in zip(below, marks, self.batched, strict=False)]
        return (*sums, *below[len(sums) :])

    def _of_argument(self, gradient, has_rows, wants_rows):
        if gradient is None or has_rows == wants_rows:
            return gradient if gradient is None or has_rows else gradient * self.size
        if wants_rows:
            return call("expand", gradient, (self.size, *aval(gradient).shape))
        return call("sum", gradient, 0)

    def jvp(self, ctx, *tangents):
        """The user's jvp on every row."""
        with self.level() as level:
            ctx.row.saved_tensors = tuple(_entered(level, ctx.saved_tensors, ctx.row_saved[1]))
            found = self.cls.jvp(ctx.row, *_entered(level, tangents, self.batched))
            found = found if isinstance(found, tuple) else (found,)
            marks, below = _left(level, found)
        outs = [
            t if t is None or m or not b else call("expand", t, (self.size, *aval(t).shape))
            for t, m, b in zip(below, marks, self.out_batched, strict=True)
        ]
        return outs[0] if self.single else tuple(outs)


def _entered(level, values, batched):
    return [level.enter_dim(x, 0) if b and isinstance(x, Tensor) else x for x, b in zip(values, batched, strict=False)]


def _left(level, values):
    """(which have rows, the values below)."""
    marks = tuple(isinstance(x, Tensor) and level.is_batched(x) for x in values)
    return marks, tuple(level.leave(x) if isinstance(x, Tensor) else x for x in values)


def _fitted(gradient, shape):
    """A row's gradient summed to the shape of the argument."""
    if gradient is None or shape is None or aval(gradient).shape == shape:
        return gradient
    return apply(SUM_TO, (gradient,), (shape,))
