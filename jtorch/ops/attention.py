"""Scaled dot-product attention: softmax(q kᵀ / √d) v."""

import functools
import math

import jax
import jax.numpy as jnp
from jax import lax

from jtorch import devices, dtypes, shapes
from jtorch.ops.op import Array, op, widened

_BLOCK = (
    64  # queries per block on the CPU: scores of one block stay in the cache, and causal ones see their prefix only
)
_BLOCKS = 8


def _check(q, k, v, mask, causal):
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{q.ndim} key.dim: {k.ndim} and value.dim: {v.ndim} instead."
        )
    if not q.dtype == k.dtype == v.dtype:
        names = [dtypes.cpp_name(dtypes.from_numpy(x.dtype)) for x in (q, k, v)]
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{names[0]} key.dtype: {names[1]} and value.dtype: {names[2]} instead."
        )
    if mask is not None:
        if causal:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
            )
        if mask.dtype not in (bool, jnp.float32, q.dtype):
            found, wanted = (dtypes.cpp_name(dtypes.from_numpy(x.dtype)) for x in (mask, q))
            raise RuntimeError(
                "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                f"{found} and  query.dtype: {wanted} instead."
            )
    if q.shape[-1] != k.shape[-1]:
        wanted = [math.prod(q.shape[:-2]), q.shape[-1]]
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {wanted} but got: "
            f"{[math.prod(k.shape[:-2]), k.shape[-1]]}."
        )
    if k.shape[-2] != v.shape[-2]:
        wanted, found = [math.prod(k.shape[:-2]), k.shape[-2]], [math.prod(v.shape[:-2]), v.shape[-2]]
        raise RuntimeError(f"Expected size for first two dimensions of batch2 tensor to be: {wanted} but got: {found}.")
    if mask is not None:
        shapes.broadcast_shapes((*q.shape[:-1], k.shape[-2]), mask.shape)


def _grouped(q, x):
    """Heads of x repeated so that they are as many as q's (grouped-query attention)."""
    if q.ndim < 3 or q.shape[-3] == x.shape[-3]:
        return x
    return jnp.repeat(x, q.shape[-3] // x.shape[-3], axis=-3)


def _flat(x, batch):
    """x with its batch dims broadcast and made one. Shape: (*, a, b) -> (n, a, b)."""
    x = jnp.broadcast_to(x, (*batch, *x.shape[-2:])) if x.shape[:-2] != batch else x
    return x.reshape(math.prod(batch), *x.shape[-2:])


def _flat_mask(mask, batch):
    """A mask that broadcasts against scores (n, t, s)."""
    if mask is None:
        return None
    if mask.ndim < 3 or math.prod(mask.shape[:-2]) == 1:
        return mask.reshape(mask.shape[-2:] if mask.ndim >= 2 else (1, -1))
    return _flat(mask, batch)


def _dot(a, b, contract):
    return lax.dot_general(a, b, (contract, ((0,), (0,))))


def _probabilities(q, k, mask, first):
    """softmax of masked scores; 0 where a query may look at nothing. first: the place of the first query, if causal.

    Shape: (n, t, d), (n, s, d) -> (n, t, s).
    """
    scores = _dot(q, k, ((2,), (2,)))
    if first is not None:
        seen = lax.broadcasted_iota(jnp.int32, scores.shape[1:], 0) + first
        scores = jnp.where(seen >= lax.broadcasted_iota(jnp.int32, scores.shape[1:], 1), scores, -jnp.inf)
    if mask is not None:
        scores = jnp.where(mask, scores, -jnp.inf) if mask.dtype == bool else scores + mask.astype(scores.dtype)
    top = lax.stop_gradient(scores.max(-1, keepdims=True))
    up = jnp.exp(scores - jnp.where(jnp.isneginf(top), 0, top))
    total = up.sum(-1, keepdims=True)
    return up / jnp.where(total == 0, 1, total)


def _blocks(q, k, mask, causal):
    """(queries of a block, how many keys it sees, its mask, its first place or None), block after block."""
    t, s = q.shape[1], k.shape[1]
    count = 1 if shapes.is_symbolic(t) else max(min(t // _BLOCK, _BLOCKS), 1)
    for i in range(count):
        a, b = i * t // count, (i + 1) * t // count
        part = mask if mask is None or mask.shape[-2] == 1 else mask[..., a:b, :]
        yield slice(a, b), min(b, s) if causal else s, part, a if causal else None


def _attend(q, k, v, mask, causal):
    outs = []
    for rows, seen, part, first in _blocks(q, k, mask, causal):
        p = _probabilities(q[:, rows], k[:, :seen], part, first)
        outs.append(_dot(p, v[:, :seen], ((2,), (1,))))
    return jnp.concatenate(outs, 1)


def _pull(grad, q, k, v, mask, causal):
    """Gradients of q, k, v and the scores' mask (None where there is none to want)."""
    of_q, of_mask = [], []
    of_k, of_v = jnp.zeros_like(k), jnp.zeros_like(v)
    for rows, seen, part, first in _blocks(q, k, mask, causal):
        g, query, keys, values = grad[:, rows], q[:, rows], k[:, :seen], v[:, :seen]
        p = _probabilities(query, keys, part, first)
        of_v = _add_first(of_v, _dot(p, g, ((1,), (1,))))
        of_p = _dot(g, values, ((2,), (2,)))
        of_scores = p * (of_p - (of_p * p).sum(-1, keepdims=True))
        of_q.append(_dot(of_scores, keys, ((2,), (1,))))
        of_k = _add_first(of_k, _dot(of_scores, query, ((1,), (1,))))
        of_mask.append(of_scores)
    wanted = mask is not None and mask.dtype != bool
    return jnp.concatenate(of_q, 1), of_k, of_v, jnp.concatenate(of_mask, 1) if wanted else None


def _add_first(total, part):
    """total plus part in its first places along dim 1."""
    rest = total.shape[1] - part.shape[1]
    return total + (jnp.pad(part, ((0, 0), (0, rest), (0, 0))) if rest else part)


def _prepared(q, k, v, mask, scale):
    """(q scaled, k, v, mask, batch dims), batch dims made one."""
    k, v = _grouped(q, k), _grouped(q, v)
    batch = shapes.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    return _flat(q, batch) * scale, _flat(k, batch), _flat(v, batch), _flat_mask(mask, batch), batch


@widened
def _on_cpu(q, k, v, *mask, causal, scale):
    mask = mask[0] if mask else None
    q, k, v, mask, batch = _prepared(q, k, v, mask, scale)
    out = _attend(q, k, v, mask, causal)
    return out.reshape(*batch, *out.shape[1:])


@widened
def _pull_on_cpu(grad, q, k, v, *mask, causal, scale):
    given = mask[0] if mask else None
    prepare = functools.partial(_prepared, scale=scale)
    flat, back = jax.vjp(lambda *x: prepare(*x, None)[:3], q, k, v)
    batch = shapes.broadcast_shapes(q.shape[:-2], grad.shape[:-2])
    flat_mask = _flat_mask(given, batch)
    *inner, of_mask = _pull(_flat(grad, batch), *flat, flat_mask, causal)
    grads = back(tuple(inner))
    if of_mask is None:
        return grads
    whole = jnp.broadcast_to(given, (*batch, *of_mask.shape[1:])).shape
    return (*grads, _summed(of_mask.reshape(whole), given.shape))


def _summed(x, shape):
    """x summed over the dims in which a tensor of this shape was broadcast to it."""
    extra = x.ndim - len(shape)
    dims = [i + extra for i, n in enumerate(shape) if n == 1 and x.shape[i + extra] != 1]
    return x.sum((*range(extra), *dims)).reshape(shape)


def _on_gpu(q, k, v, *mask, causal, scale):
    """cuDNN's attention where it takes the dtype and the shapes, else XLA's."""
    if q.ndim != 4:
        return _on_cpu(q, k, v, *mask, causal=causal, scale=scale)
    q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))
    half = q.dtype in (jnp.float16, jnp.bfloat16)
    fits = half and q.shape[-1] % 8 == 0 and q.shape[-1] <= 128 and q.shape[-1] == v.shape[-1]
    named = {}
    if mask:
        named["mask" if mask[0].dtype == bool else "bias"] = mask[0][(None,) * (4 - mask[0].ndim)]
    attend = functools.partial(jax.nn.dot_product_attention, scale=scale, is_causal=causal)
    if fits and devices.cuda_devices() and not devices.SIMULATED:
        out = attend(q, k, v, implementation="cudnn", **named)
    else:
        out = attend(q, k, v, implementation="xla", **named)
    return out.swapaxes(1, 2)


def _pull_on_gpu(grad, q, k, v, *mask, causal, scale):
    wanted = (q, k, v, *(m for m in mask if m.dtype != bool))
    fixed = [m for m in mask if m.dtype == bool]
    return jax.vjp(lambda *x: _on_gpu(*x, *fixed, causal=causal, scale=scale), *wanted)[1](grad)


def _name(operands, attrs):
    return "ScaledDotProductFlashAttentionForCpuBackward0" if operands[0][1] == 4 else "UnsafeViewBackward0"


@op("attention", door=None, grad_name=_name)
def attention(query: Array, key: Array, value: Array, attn_mask: Array | None = None, is_causal=False, scale=None):
    """softmax(q kᵀ · scale) v (Vaswani et al. 2017). Shape: (*, t, d), (*, s, d), (*, s, e) -> (*, t, e).

    attn_mask: True where a query may look, or numbers added to the scores. Heads of key and value may be fewer.
    """
    _check(query, key, value, attn_mask, is_causal)
    operands = (query, key, value) if attn_mask is None else (query, key, value, attn_mask)
    fixed = {"causal": is_causal, "scale": scale}
    return lax.platform_dependent(
        *operands, cpu=functools.partial(_on_cpu, **fixed), default=functools.partial(_on_gpu, **fixed)
    )


@attention.gradient
def _(grad, result, query, key, value, attn_mask, is_causal, scale):
    operands = (query, key, value) if attn_mask is None else (query, key, value, attn_mask)
    fixed = {"causal": is_causal, "scale": scale}
    grads = lax.platform_dependent(
        grad, *operands, cpu=functools.partial(_pull_on_cpu, **fixed), default=functools.partial(_pull_on_gpu, **fixed)
    )
    return (*grads, None) if len(grads) == 3 else grads


@op("attention_dropout", door=None, grad_name="UnsafeViewBackward0")
@widened
def attention_dropout(
    query: Array, key: Array, value: Array, attn_mask: Array | None, kept: Array, p, is_causal, scale
):
    """attention whose probabilities are scaled by 1 / (1 - p) where they are kept, else zeroed.

    Shape: as attention, and kept (*, t, s).
    """
    _check(query, key, value, attn_mask, is_causal)
    q, k, v, mask, batch = _prepared(query, key, value, attn_mask, scale)
    probabilities = _probabilities(q, k, mask, 0 if is_causal else None)
    noise = jnp.where(kept.reshape(probabilities.shape), 1 / (1 - p) if p < 1 else 0, 0)
    out = _dot(probabilities * noise.astype(probabilities.dtype), v, ((2,), (1,)))
    return out.reshape(*batch, *out.shape[1:])
