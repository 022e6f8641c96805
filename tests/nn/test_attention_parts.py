"""torch.nn.attention beside torch: causal biases, masks of blocks, flex_attention; and small names of nn."""

import dataclasses
import importlib
import warnings

import numpy as np
import torch

from tests.oracle import check, same, same_error

DRAW = np.random.default_rng(0)
Q, K, V = (DRAW.standard_normal((2, 4, n, 8)).astype("float32") for n in (6, 9, 9))
IMAGES = DRAW.standard_normal((2, 3, 8, 8)).astype("float32")


def part(torch, name):
    """A module of torch.nn.attention."""
    return importlib.import_module(f"{torch.__name__}.nn.attention.{name}")


def given(torch, *arrays):
    """Tensors of arrays."""
    return [torch.tensor(a) for a in arrays]


def test_causal_biases():
    def run(torch):
        bias, attend = part(torch, "bias"), torch.nn.functional.scaled_dot_product_attention
        made = [bias.causal_upper_left(6, 9), bias.causal_lower_right(6, 9), bias.causal_lower_right(6, 6)]
        q, k, v = given(torch, Q, K, V)
        outs = [attend(q, k, v, m) for m in made[:2]] + [attend(q, k[:, :, :6], v[:, :, :6], made[2], scale=0.3)]
        return outs, [repr(m) for m in made], [m._materialize() for m in made], [str(m.variant.name) for m in made]

    same(run)


def test_causal_biases_refuse():
    same_error(lambda torch: part(torch, "bias").causal_upper_left(6))
    same_error(lambda torch: part(torch, "bias").CausalBias(1, 2, 3))

    def twice(torch):
        q, k, v = given(torch, Q, K, V)
        bias = part(torch, "bias").causal_upper_left(6, 9)
        torch.nn.functional.scaled_dot_product_attention(q, k, v, bias, is_causal=True)

    same_error(twice)


def masks(torch):
    """Functions that say which key a query looks at."""
    flex = part(torch, "flex_attention")
    document = torch.tensor([[0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 1, 1, 1, 1, 1, 1, 1]])

    def causal(b, h, q, kv):
        return q >= kv

    def window(b, h, q, kv):
        return (q - kv).abs() <= 2

    def same_document(b, h, q, kv):
        return document[b][q] == document[b, kv]

    def first_heads(b, h, q, kv):
        return (h < 2) & (kv < 3)

    return [
        causal, window, same_document, first_heads, flex.noop_mask,
        flex.and_masks(causal, window), flex.or_masks(causal, same_document),
    ]  # fmt: skip


def test_masks_of_blocks():
    def run(torch):
        flex, found = part(torch, "flex_attention"), []
        for mod in masks(torch):
            mask = flex.create_block_mask(mod, 2, 4, 6, 9, BLOCK_SIZE=(2, 3))
            tensors = [x for x in mask.as_tuple() if isinstance(x, torch.Tensor)]
            cut = mask[0, :, :2] if mod.__name__ != "noop_mask" else mask[1]
            found.append((tensors, repr(mask), str(mask), mask.shape, mask.numel(), mask.sparsity(), mask.to_dense()))
            found.append((repr(cut), repr(mask._adjust(4, 5)), flex.create_mask(mod, 2, 4, 6, 9)))
        whole = flex.create_block_mask(masks(torch)[0], None, None, 300, 200, separate_full_blocks=False)
        return found, repr(whole), whole.to_string(grid_size=2)

    same(run)


def scored(torch):
    """Functions of a score and its place."""
    slopes = torch.tensor([0.5, 0.25, 0.125, 0.0625])
    return [
        None,
        lambda score, b, h, q, kv: score + slopes[h] * (kv - q),
        lambda score, b, h, q, kv: torch.where(q >= kv, score, -float("inf")),
        lambda score, b, h, q, kv: torch.tanh(score / 2) * 2,
    ]


def attended(torch):
    """flex_attention under each function of scores and each mask."""
    flex = part(torch, "flex_attention")
    q, k, v = given(torch, Q, K, V)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outs = [flex.flex_attention(q, k, v, score_mod=mod) for mod in scored(torch)]
        for mod in masks(torch):
            mask = flex.create_block_mask(mod, 2, 4, 6, 9, BLOCK_SIZE=4)
            outs.append(flex.flex_attention(q, k, v, block_mask=mask, scale=0.7))
        outs += flex.flex_attention(q, k[:, :2], v[:, :2], scored(torch)[3], enable_gqa=True, return_lse=True)
        out, aux = flex.flex_attention(q, k, v, return_aux=flex.AuxRequest(lse=True))
    return [*outs, out, aux.lse], aux.max_scores


def test_flex_attention(monkeypatch):
    monkeypatch.setattr(part(torch, "flex_attention"), "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    same(attended)


def test_flex_attention_refuses():
    def called(change):
        def run(torch):
            flex = part(torch, "flex_attention")
            q, k, v = given(torch, Q, K, V)
            mask = flex.create_block_mask(masks(torch)[0], 2, 4, 6, 9, BLOCK_SIZE=4)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                flex.flex_attention(*change(q, k, v, mask, flex))

        same_error(run)

    called(lambda q, k, v, mask, flex: (q[0], k, v))
    called(lambda q, k, v, mask, flex: (q[..., :3], k, v))
    called(lambda q, k, v, mask, flex: (q[:, :2], k, v))
    called(lambda q, k, v, mask, flex: (q[:1], k, v))
    called(lambda q, k, v, mask, flex: (q[:, :, :4], k, v, None, mask))
    called(lambda q, k, v, mask, flex: (q, k[:, :, [0] * 12], v[:, :, [0] * 12], None, mask))
    called(lambda q, k, v, mask, flex: (q, k, v, None, mask[0]))
    called(lambda q, k, v, mask, flex: (q, k, v, None, None, None, False, True, None, 1))
    called(lambda q, k, v, mask, flex: (q, k, v, None, flex.and_masks(1)))
    called(lambda q, k, v, mask, flex: (q, k, v, None, flex.create_block_mask(lambda b: b, 1, 1, 2, 2)))


def test_gradients_of_convolutions():
    x, w, g = (DRAW.standard_normal(s).astype("float32") for s in ((2, 4, 9), (6, 2, 3), (2, 6, 5)))
    geometry = {"stride": 2, "padding": 1, "groups": 2}
    check(lambda torch, w, g: torch.nn.grad.conv1d_input((2, 4, 9), w, g, **geometry), w, g, grad_fn=False)
    check(lambda torch, x, g: torch.nn.grad.conv1d_weight(x, (6, 2, 3), g, **geometry), x, g, grad_fn=False)
    x, w, g = (DRAW.standard_normal(s).astype("float32") for s in ((1, 2, 5, 5), (3, 2, 2, 2), (1, 3, 4, 4)))
    check(lambda torch, w, g: torch.nn.grad.conv2d_input((1, 2, 5, 5), w, g), w, g, grad=False)
    check(lambda torch, x, g: torch.nn.grad.conv2d_weight(x, (3, 2, 2, 2), g), x, g, grad=False)


def test_pools_with_indices():
    def run(torch):
        x, f = torch.tensor(IMAGES), torch.nn.functional
        pools = f.max_pool2d_with_indices, f.adaptive_max_pool2d_with_indices, f.adaptive_max_pool2d_with_indices
        return [pool(x, 3) for pool in pools], f.max_pool1d_with_indices(x[0], 3)

    same(run)


def test_small_names():
    def run(torch):
        nn = torch.nn
        made = nn.factory_kwargs({"dtype": torch.float64, "factory_kwargs": {"device": "cpu"}})
        state = nn.Linear(2, 2).state_dict(prefix="module.")
        nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        options = nn.LinearCrossEntropyOptions(acc_policy="balanced", batch_chunk_size=4)
        return (
            {k: str(x) for k, x in made.items()}, list(state), list(state._metadata), dataclasses.asdict(options),
            repr(nn.common_types._size_2_t), nn.factory_kwargs(None),
        )  # fmt: skip

    same(run)


def test_small_names_refuse():
    same_error(lambda torch: torch.nn.factory_kwargs({"dtype": 1, "factory_kwargs": {"dtype": 2}}))
    same_error(lambda torch: torch.nn.factory_kwargs({"size": 1}))
    same_error(lambda torch: torch.nn.LinearCrossEntropyOptions(acc_policy="x"))
    same_error(lambda torch: torch.nn.LinearCrossEntropyOptions(chunking_method="aspect_ratio:0"))
    same_error(lambda torch: torch.nn.LinearCrossEntropyOptions(batch_chunk_size=0))
    same_error(lambda torch: torch.nn.LinearCrossEntropyOptions(acc_dtype=torch.int64))
