"""Connectionist temporal classification (Graves et al. 2006): the likelihood of a labelling over all alignments."""

import jax
import jax.numpy as jnp
from jax import lax

from jtorch import dtypes
from jtorch.ops.op import Array, op, widened


def _rows(targets, lengths, longest):
    """Labels as a row per sample, from rows or from all samples' labels in one vector. Shape: -> (N, longest)."""
    if targets.ndim == 2:
        return targets[:, :longest]
    start = jnp.cumsum(lengths) - lengths
    at = start[:, None] + jnp.arange(longest)
    return jnp.take(targets, at, mode="clip")


def _extended(labels, blank):
    """Labels with a blank before, between and after. Shape: (N, S) -> (N, 2 S + 1)."""
    n, s = labels.shape
    return jnp.full((n, 2 * s + 1), blank, labels.dtype).at[:, 1::2].set(labels)


def _loss(log_probs, labels, input_lengths, target_lengths, blank):
    """The negative log likelihood per sample. Shape: (T, N, C), (N, S), (N,), (N,) -> (N,)."""
    steps, n, _ = log_probs.shape
    path = _extended(labels, blank)  # (N, L)
    spread = jnp.take_along_axis(log_probs, jnp.broadcast_to(path, (steps, *path.shape)), 2)  # (T, N, L)
    lowest = jnp.asarray(-jnp.inf, log_probs.dtype)
    # A label may follow the one before without a blank between them where the two differ.
    skips = jnp.concatenate([jnp.zeros((n, min(2, path.shape[1])), bool), path[:, 2:] != path[:, :-2]], 1)
    at = jnp.arange(path.shape[1])

    def step(alpha, given):
        t, here = given
        one = jnp.concatenate([jnp.full((n, 1), lowest), alpha[:, :-1]], 1)
        two = jnp.concatenate([jnp.full((n, 2), lowest), alpha[:, :-2]], 1)[:, : path.shape[1]]
        moved = _logsum(jnp.stack([alpha, one, jnp.where(skips, two, lowest)])) + here
        return jnp.where((t < input_lengths)[:, None], moved, alpha), None

    first = jnp.where(at < jnp.where(target_lengths > 0, 2, 1)[:, None], spread[0], lowest)
    alpha, _ = lax.scan(step, first, (jnp.arange(1, steps), spread[1:]))
    last = 2 * target_lengths[:, None]
    ends = (at == last) | ((at == last - 1) & (last > 0))
    total = -_logsum(jnp.where(ends, alpha, lowest).T)
    return jnp.where(input_lengths > 0, total, jnp.where(target_lengths > 0, jnp.inf, 0))


def _logsum(x):
    """log Σ exp over the first dim, -inf without nan gradients where all are."""
    top = lax.stop_gradient(x.max(0))
    safe = jnp.where(jnp.isfinite(top), top, 0)
    total = jnp.exp(x - safe).sum(0)
    return jnp.where(total > 0, jnp.log(jnp.where(total > 0, total, 1)) + safe, -jnp.inf)


def _check(log_probs, targets, input_lengths, target_lengths, blank):
    n, classes = log_probs.shape[1:]
    if not jnp.issubdtype(targets.dtype, jnp.integer):
        raise RuntimeError("targets must be integral")
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, x in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if x.size != n:
            raise RuntimeError(f"{name} must be of size batch_size")
    dtypes.need_floating("ctc_loss", log_probs.dtype)


def _graph(operands, attrs):
    return ("WhereBackward0", ("CtcLossBackward0", 0)) if attrs[2] else "CtcLossBackward0"


@op("ctc_loss_kernel", door=None, grad_name=_graph)
@widened
def ctc_loss_kernel(
    log_probs: Array, targets: Array, input_lengths: Array, target_lengths: Array, longest, blank, zero_infinity
):
    """The negative log likelihood of each labelling. Shape: (T, N, C), (N, S) or (ΣS,), (N,), (N,) -> (N,).

    longest: the length of the longest labelling. zero_infinity: 0 where a labelling is longer than its input.
    """
    _check(log_probs, targets, input_lengths, target_lengths, blank)
    labels = _rows(targets, target_lengths, longest)
    loss = _loss(log_probs, labels, input_lengths, target_lengths, blank)
    return jnp.where(jnp.isinf(loss), 0, loss) if zero_infinity else loss


@ctc_loss_kernel.gradient
@widened
def _(grad, result, log_probs, targets, input_lengths, target_lengths, longest, blank, zero_infinity):
    # torch: the gradient of unnormalized scores, as if log_softmax stood inside: what is expected is taken from exp.
    labels = _rows(targets, target_lengths, longest)
    loss, pull = jax.vjp(lambda x: _loss(x, labels, input_lengths, target_lengths, blank), log_probs)
    expected = pull(jnp.ones_like(loss))[0]
    within = (jnp.arange(log_probs.shape[0])[:, None] < input_lengths)[:, :, None]
    impossible = jnp.isinf(loss)[None, :, None]
    slope = jnp.where(impossible, 0 if zero_infinity else jnp.nan, jnp.exp(log_probs) + expected)
    return jnp.where(within, slope, 0) * grad[None, :, None], None, None, None
