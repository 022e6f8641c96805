"""flex_attention: attention whose scores go through functions of the user's, and masks made by such functions."""

import inspect
import math
from typing import NamedTuple, TypedDict

from jtorch import dtypes
from jtorch._tensor import Tensor, aval
from jtorch.api.creation import arange, zeros
from jtorch.autograd.levels import VmapLevel
from jtorch.devices import Device, cuda_devices
from jtorch.errors import warn_once
from jtorch.nn.attention.block_mask import BLOCK, WHOLE, BlockMask, blocks_of, noop_mask, sliced_mask

__all__ = [
    "AuxOutput", "AuxRequest", "BlockMask", "FlexKernelOptions", "and_masks", "create_block_mask", "create_mask",
    "flex_attention", "noop_mask", "or_masks",
]  # fmt: skip


class FlexKernelOptions(TypedDict, total=False):
    """Options of torch's kernels; XLA has its own."""

    num_warps: int
    num_stages: int
    BLOCK_M: int
    BLOCK_N: int
    PRESCALE_QK: bool
    ROWS_GUARANTEED_SAFE: bool
    BLOCKS_ARE_CONTIGUOUS: bool
    BACKEND: str


class AuxRequest(NamedTuple):
    """What flex_attention is to return beside its result."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What flex_attention returns beside its result, None where it was not asked for."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def or_masks(*mask_mods):
    """A mask under which a query looks where any of these lets it. Raises RuntimeError for what can't be called."""
    return _joined(mask_mods, "or_mask", lambda one, other: one | other, False)


def and_masks(*mask_mods):
    """A mask under which a query looks where all of these let it. Raises RuntimeError for what can't be called."""
    return _joined(mask_mods, "and_mask", lambda one, other: one & other, True)


def _joined(mask_mods, name, join, start):
    if not all(map(callable, mask_mods)):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")

    def mask(b, h, q_idx, kv_idx):
        found = b.new_full((), start, dtype=dtypes.bool_)
        for mod in mask_mods:
            found = join(found, mod(b, h, q_idx, kv_idx))
        return found

    mask.__name__ = name
    return mask


def create_mask(mod_fn, B, H, Q_LEN, KV_LEN, device=None):
    """What a mask_mod says of every score, or where a score_mod leaves more than -inf. Shape: (B, H, Q_LEN, KV_LEN)."""
    device = device or Device("cuda" if cuda_devices() else "cpu")
    sizes = (B or 1, H or 1, Q_LEN, KV_LEN)
    places = [arange(n, device=device) for n in sizes]
    if _takes(mod_fn) == 4:
        return _over(mod_fn, places)
    return ~_over(mod_fn, places, zeros(sizes, device=device)).isneginf()


def create_block_mask(
    mask_mod, B, H, Q_LEN, KV_LEN, device=None, BLOCK_SIZE=BLOCK, _compile=False, separate_full_blocks=True,
    compute_dq_write_order=False, dq_kv_order=True,
):  # fmt: skip
    """The BlockMask of a mask_mod for so many batches, heads, queries and keys.

    Raises AssertionError for functions that take no four places.
    """
    if _takes(mask_mod) != 4:
        raise AssertionError(f"create-block_mask requires a mask_mod function! Got {mask_mod}")
    size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else tuple(BLOCK_SIZE)
    made = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    if aval(made).dtype is not dtypes.bool_:
        raise AssertionError(f"mask.dtype must be torch.bool, got {aval(made).dtype}")
    part, full = blocks_of(made, size, separate_full_blocks)
    return BlockMask.from_kv_blocks(*part, *full, BLOCK_SIZE=size, mask_mod=mask_mod, seq_lengths=(Q_LEN, KV_LEN))


def flex_attention(
    query, key, value, score_mod=None, block_mask=None, scale=None, enable_gqa=False, return_lse=False,
    kernel_options=None, *, return_aux=None,
):  # fmt: skip
    """softmax(score_mod(query keyᵀ · scale)) value. Shape: (B, H, L, E), (B, H, S, E), (B, H, S, V) -> (B, H, L, V).

    score_mod: a function of (score, batch, head, query, key). block_mask: which scores count; a query that looks at
    nothing gives zeros. enable_gqa: several heads of query share one of key and value. return_lse: also the logs of
    the sums.
    Raises: ValueError for sizes that don't fit, RuntimeError for the mask of a slice.
    """
    _check(query, key, value, block_mask, enable_gqa)
    if return_lse and return_aux is not None:
        raise ValueError(
            "Cannot specify both return_lse and return_aux. return_lse is deprecated, please use "
            "return_aux=AuxRequest(lse=True) instead."
        )
    if return_lse:
        warn_once(
            "return_lse is deprecated and will be removed in v2.10. Please use return_aux=AuxRequest(lse=True) "
            "instead.",
            FutureWarning,
        )
    q, k, v = aval(query), aval(key), aval(value)
    times = q.shape[1] // k.shape[1] if enable_gqa else 1
    key, value = (x.repeat_interleave(times, 1) if times > 1 else x for x in (key, value))
    working = dtypes.float64 if q.dtype is dtypes.float64 else dtypes.float32
    scores = (query @ key.transpose(-2, -1)).to(working) * (q.shape[-1] ** -0.5 if scale is None else scale)
    places = [arange(n, device=q.device) for n in aval(scores).shape]
    if score_mod is not None:
        scores = _over(score_mod, places, scores).to(working)
    if block_mask is not None and block_mask.mask_mod is not noop_mask:
        scores = scores.masked_fill(~_over(block_mask.mask_mod, places), -math.inf)
    if block_mask is not None and block_mask.BLOCK_SIZE[0] != WHOLE:
        scores = scores.masked_fill(~_looked_at(block_mask, aval(scores).shape[-2:]), -math.inf)
    lse = scores.logsumexp(-1)
    nothing = lse.isneginf().unsqueeze(-1)
    shares = (scores - lse.unsqueeze(-1).masked_fill(nothing, 0.0)).exp()
    out = (shares.to(v.dtype) @ value).to(q.dtype)
    if return_aux is not None:
        most = scores.amax(-1) if return_aux.max_scores else None
        return out, AuxOutput(lse if return_aux.lse else None, most)
    return (out, lse) if return_lse else out


def _looked_at(block_mask, lengths):
    """Which scores lie in blocks that are looked at. Shape: (B, H, L, S)."""
    dense = block_mask.to_dense().bool()
    for dim, (size, length) in enumerate(zip(block_mask.BLOCK_SIZE, lengths, strict=True)):
        dense = dense.repeat_interleave(size, dim - 2).narrow(dim - 2, 0, length)
    return dense


def _takes(mod):
    """How many arguments without defaults a function takes. Raises AssertionError for others than four or five."""
    params = inspect.signature(mod).parameters.values()
    count = sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in params)
    if count not in (4, 5):
        raise AssertionError(f"Expected 4 or 5 positional args, got {count}")
    return count


def _over(mod, places, *score):
    """A function of one place at every place. Shape: (B, H, Q, KV)."""
    for dim in (3, 2, 1, 0):
        mod = _mapped(mod, {dim + len(score), *range(len(score))}, aval(places[dim]).shape[0])
    return mod(*score, *places)


def _mapped(fn, batched, size):
    def rows(*args):
        level = VmapLevel(size, "error")
        with level:
            given = [level.enter_dim(x, 0) if number in batched else x for number, x in enumerate(args)]
            out = fn(*given)
            inside = level.is_batched(out)
            out = level.leave(out) if inside else out
        return out if inside else out.unsqueeze(0).expand(size, *aval(out).shape)

    return rows


def _check(query, key, value, block_mask, enable_gqa):
    q, k, v = map(aval, (query, key, value))
    if q.ndim != 4 or k.ndim != 4 or v.ndim != 4:
        raise NotImplementedError("NYI: query, key, and value must be 4D tensors")
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(
            f"Expect query and key/value to have the same embedding dimension but got E={q.shape[-1]} and "
            f"E={k.shape[-1]}."
        )
    heads, shared = q.shape[1], k.shape[1]
    if not enable_gqa and heads != shared:
        raise ValueError(
            f"Expect query and key/value to have the same number of heads but got Hq={heads} and Hkv={shared}. Try "
            "setting enable_gqa=True for GQA."
        )
    if enable_gqa and heads % shared:
        raise ValueError(
            f"Expect number of query heads to be a multiple of kv heads for GQA but got Hq={heads} and Hkv={shared}."
        )
    if block_mask is None:
        if q.shape[0] != k.shape[0]:
            raise ValueError(
                "Expect query and key/value to have the same batch size, or non-none block_mask, but got "
                f"block_mask=None, Bq={q.shape[0]}, and Bkv={k.shape[0]}."
            )
    else:
        _check_mask(block_mask, q, k)


def _check_mask(block_mask, q, k):
    found = aval(block_mask.kv_num_blocks).shape[0]
    if q.shape[0] not in (k.shape[0], found):
        raise ValueError(
            "Expect query and key/value to have the same batch size, or block_mask and query to have the same batch "
            f"size, but got Bq={q.shape[0]}, Bkv={k.shape[0]}, B_block_mask={found}."
        )
    if block_mask.mask_mod is sliced_mask:
        raise RuntimeError("Cannot use mask_mod from a sliced BlockMask")
    given, made = (q.shape[-2], k.shape[-2]), tuple(block_mask.shape[-2:])
    if block_mask.BLOCK_SIZE[0] == WHOLE or given == made:
        return
    start = (
        f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={given[0]} and "
        f"kv_len={given[1]}. As the block mask was created for a "
    )
    if given[0] > made[0] or given[1] > made[1]:
        raise ValueError(f"{start}smaller length than you're using it for, you likely need to create a new block mask.")
    raise ValueError(
        f"{start}larger length than you're using it for, you can either 1. create a new block mask with the correct "
        "length, or 2. 'adjust' the existing block mask to the correct length by calling block_mask._adjust(q_len, "
        "kv_len). This essentially 'crops' the block mask to the upper left corner, which does not work for all "
        "mask_mods!"
    )
