"""Attention of several heads and the Transformer as layers, beside torch: weights, values, gradients, masks, words."""

import copy
import pickle
import warnings

import numpy as np
import pytest

from tests.nn.paths import raises
from tests.oracle import same, same_print, same_warnings

draw = np.random.default_rng(0)
E, L, S, N = 8, 4, 5, 3
PADDING = np.arange(S) >= np.array([[5], [3], [2]])
HOLES = np.array([[0, 0, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0]], bool)


def real(*shape):
    """Normal draws. Shape: () -> shape."""
    return draw.normal(size=shape)


Q, K, V, KD, VD = real(L, N, E), real(S, N, E), real(S, N, E), real(S, N, 3), real(S, N, 6)
SRC, TGT = real(S, N, E), real(L, N, E)
MASK = np.triu(np.ones((L, S), bool), 2)
ATTENTION = {
    "plain": ({}, (Q, K, V), {}),
    "no bias": ({"bias": False}, (Q, K, V), {"need_weights": False}),
    "unbatched": ({}, (Q[:, 0], K[:, 0], V[:, 0]), {"average_attn_weights": False}),
    "batch first": ({"batch_first": True}, (TGT.swapaxes(0, 1), SRC.swapaxes(0, 1), SRC.swapaxes(0, 1)), {}),
    "widths": ({"kdim": 3, "vdim": 6}, (Q, KD, VD), {"attn_mask": MASK}),
    "more keys": ({"add_bias_kv": True, "add_zero_attn": True}, (Q, K, V), {"attn_mask": MASK}),
    "padding": ({}, (Q, K, V), {"key_padding_mask": PADDING, "need_weights": False}),
    "both masks": ({}, (Q, K, V), {"key_padding_mask": PADDING, "attn_mask": MASK}),
    "mask per head": ({}, (Q, K, V), {"attn_mask": real(N * 2, L, S), "need_weights": False}),
    "causal": (
        {},
        (Q, Q, Q),
        {"attn_mask": np.triu(np.full((L, L), -np.inf), 1), "is_causal": True, "need_weights": False},
    ),
}


def built(torch, make):
    """What `make` makes from seed 3, in double; and whether its draws were as many as torch's."""
    torch.manual_seed(3)
    module = make(torch.nn)
    return module.double(), torch.rand(1)


def outcome(torch, module, args, kwargs):
    """Outputs, all gradients, and outputs in evaluation without gradients."""
    leaves = [torch.tensor(a, requires_grad=True) for a in args]
    named = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
    out = module(*leaves, **named)
    parts = out if isinstance(out, tuple) else (out,)
    sum((part * part).sum() for part in parts if part is not None).backward()
    with torch.no_grad():
        after = module.eval()(*leaves, **named)
    grads = [p.grad for p in module.parameters()]
    return out, [x.grad for x in leaves], grads, after, {k: list(v.shape) for k, v in module.state_dict().items()}


def test_attention():
    def run(torch):
        found = {}
        for name, (options, args, kwargs) in ATTENTION.items():
            module, drawn = built(torch, lambda nn, options=options: nn.MultiheadAttention(E, 2, **options))
            found[name] = drawn, list(module.parameters()), outcome(torch, module, args, kwargs)
        return found

    same(run, grad_fn=False)


CAUSAL = np.triu(np.full((S, S), -np.inf), 1)
ROWS = SRC.swapaxes(0, 1)
ENCODER = "TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 8, 0.0, 'gelu', batch_first=True), 1, nn.LayerNorm(8))"
TRAINED = {
    "TransformerEncoderLayer(8, 2, 8, 0.0, 'gelu', norm_first=True)": ((SRC,), {"src_key_padding_mask": PADDING}),
    "TransformerDecoderLayer(8, 2, 8, 0.0, nn.functional.silu, bias=False)": (
        (TGT, SRC),
        {"tgt_mask": CAUSAL[:L, :L], "tgt_is_causal": True},
    ),
}
EVALUATED = {
    "TransformerEncoderLayer(8, 2, 8)": ((SRC,), {"src_mask": CAUSAL, "is_causal": True}),
    "TransformerDecoderLayer(8, 2, 8, norm_first=True)": ((TGT, SRC), {"memory_key_padding_mask": PADDING}),
    "Transformer(8, 2, 1, 1, 8)": ((SRC, TGT), {"src_mask": CAUSAL, "tgt_mask": CAUSAL[:L, :L]}),
    ENCODER: ((ROWS,), {"src_key_padding_mask": PADDING}),
    f"{ENCODER} ": ((ROWS,), {"src_key_padding_mask": HOLES}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_layers():
    def run(torch):
        found = {}
        for text, (args, kwargs) in (TRAINED | EVALUATED).items():
            module, drawn = built(torch, lambda nn, text=text: eval(f"nn.{text}", {"nn": nn}))
            if text in TRAINED:
                after = outcome(torch, module, args, kwargs)
            else:
                with torch.no_grad():
                    named = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
                    after = module.eval()(*map(torch.tensor, args), **named)
            found[text] = drawn, list(module.parameters()), after
        return found

    same(run, grad_fn=False)


@pytest.mark.filterwarnings("ignore")
def test_dropout_drops_what_torch_drops():
    def run(torch):
        torch.manual_seed(3)
        layer = torch.nn.TransformerDecoderLayer(8, 2, 16, 0.3)
        attention = torch.nn.MultiheadAttention(8, 2, dropout=0.4)
        src, tgt = torch.tensor(SRC).float(), torch.tensor(TGT).float()
        return layer(tgt, src), attention(tgt, src, src), attention(tgt, src, src, need_weights=False)

    same(run, grad_fn=False)


@pytest.mark.filterwarnings("ignore")
def test_printed_form_and_copies():
    def run(torch):
        torch.manual_seed(0)
        m = torch.nn.Transformer(8, 2, 2, 1, 16)
        again = pickle.loads(pickle.dumps(copy.deepcopy(m)))
        keys = [k for k, v in m.state_dict().items() if torch.equal(v, again.state_dict()[k])]
        mask = torch.nn.Transformer.generate_square_subsequent_mask(3)
        return f"{m} {again} {keys} {mask} {m.encoder.layers[0].activation_relu_or_gelu}"

    same_print(run)


@pytest.mark.parametrize(
    "text",
    [
        "MultiheadAttention(0, 1)", "MultiheadAttention(4, 3)", "TransformerEncoderLayer(8, 2, activation='tanh')",
        "Transformer(8, 2, 1, 1, 8)(torch.ones(2, 2, 8), torch.ones(2, 3, 8))",
        "Transformer(8, 2, 1, 1, 8)(torch.ones(2, 2, 7), torch.ones(2, 2, 8))",
        "MultiheadAttention(4, 2)(*[torch.ones(2, 2, 4)] * 3, is_causal=True)",
        "MultiheadAttention(4, 2)(*[torch.ones(2, 2, 4)] * 3, attn_mask=torch.ones(2, 2, dtype=int))",
        "MultiheadAttention(4, 2)(*[torch.ones(2, 2, 4)] * 3, attn_mask=torch.ones(3, 2))",
        "MultiheadAttention(4, 2)(*[torch.ones(2, 2, 4)] * 3, key_padding_mask=torch.ones(3, 2))",
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_errors(text):
    raises(lambda torch: eval(f"torch.nn.{text}", {"torch": torch, "int": torch.int64}))


@pytest.mark.parametrize(
    "options",
    [
        "norm_first=True", "", "batch_first=True, bias=False", "batch_first=True, activation=torch.tanh",
        "batch_first=True, layer_norm_eps=1e-5, nhead=1", "batch_first=True",
    ],
)  # fmt: skip
def test_warnings_of_the_encoder(options):
    options = options if "nhead" in options else f"nhead=2, {options}"

    def run(torch):
        layer = eval(f"torch.nn.TransformerEncoderLayer(8, {options})", {"torch": torch})
        encoder = torch.nn.TransformerEncoder(layer, 1)
        x = torch.ones(2, 2, 8)
        encoder(x, torch.zeros(2, 2), src_key_padding_mask=torch.zeros(2, 2, dtype=torch.bool))
        return encoder.use_nested_tensor

    same_warnings(run)


def test_padded_samples_are_packed_with_a_warning():
    def run(torch):
        layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True)
        encoder = torch.nn.TransformerEncoder(layer, 1).eval()
        torch.set_warn_always(True)
        with torch.no_grad(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            encoder(torch.ones(1, 2, 8), src_key_padding_mask=torch.tensor([[False, True]]))
        torch.set_warn_always(False)
        return sorted({str(w.message).split(" (Triggered")[0] for w in caught}), len(caught) > 0

    same(run)


def test_choice_of_a_kernel():
    def run(torch):
        kinds = torch.nn.attention.SDPBackend
        x = torch.ones(1, 2, 3, 4)
        with torch.nn.attention.sdpa_kernel([kinds.MATH, kinds.FLASH_ATTENTION], set_priority=True):
            y = torch.nn.functional.scaled_dot_product_attention(x, x, x)
        return f"{y} {kinds.MATH!r} {kinds.MATH} {int(kinds.CUDNN_ATTENTION)} {kinds.ERROR == kinds.MATH}"

    same_print(run)
    raises(lambda torch: torch.nn.attention.sdpa_kernel("math").__enter__())
