"""Attention of several heads as a function, beside torch: masks, added keys, separate maps, weights, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

E, HEADS, L, S, N = 4, 2, 3, 5, 2
Q, K, V = (ordinary((n, N, E), "float64", seed) for seed, n in enumerate((L, S, S)))
IN, BIAS = ordinary((3 * E, E), "float64", 3), ordinary((3 * E,), "float64", 4)
OUT, OUT_BIAS = ordinary((E, E), "float64", 5), ordinary((E,), "float64", 6)


def attend(*args, bias_k=None, bias_v=None, zero=False, text=True, **kwargs):
    packed = (E, HEADS, IN, BIAS, bias_k, bias_v, zero, 0.0, OUT, OUT_BIAS)
    check("nn.functional.multi_head_attention_forward", *args, *packed, grad_fn=False, text=text, **kwargs)


def test_plain():
    attend(Q, K, V)
    attend(Q, K, V, need_weights=False)
    attend(Q, K, V, average_attn_weights=False)
    attend(Q[:, 0], K[:, 0], V[:, 0])


def test_masks():
    some = np.random.default_rng(0).random((L, S)) < 0.4
    some[:, 0] = False
    padding = np.arange(S) >= np.array([[4], [2]])
    attend(Q, K, V, attn_mask=some)
    attend(Q, K, V, attn_mask=ordinary((N * HEADS, L, S), "float64"))
    attend(Q, K, V, key_padding_mask=padding, attn_mask=some, need_weights=False)


def test_added_keys():
    attend(Q, K, V, bias_k=ordinary((1, 1, E), "float64"), bias_v=ordinary((1, 1, E), "float64", 1), zero=True)


def test_separate_maps():
    maps = {f"{name}_proj_weight": ordinary((E, n), "float64", n) for name, n in (("q", E), ("k", 3), ("v", 2))}
    k, v = ordinary((S, N, 3), "float64"), ordinary((S, N, 2), "float64")
    attend(Q, k, v, use_separate_proj_weight=True, **maps)


@pytest.mark.parametrize("mask", [(L, S + 1), (N, L, S), (S,)])
def test_refusals(mask):
    attend(Q, K, V, attn_mask=np.zeros(mask, bool), text=False)
    attend(Q[:, 0], K, V, text=False)
