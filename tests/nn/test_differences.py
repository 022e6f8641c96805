"""What differs from torch in layers and attention: each of these has its reason in tests/gaps.toml."""

import importlib

import numpy as np
import pytest

from tests.oracle import same, same_error, same_warnings


def flex(torch):
    """flex_attention's module, and a query."""
    query = torch.tensor(np.random.default_rng(0).standard_normal((1, 1, 8, 4)), dtype=torch.float32)
    return importlib.import_module(f"{torch.__name__}.nn.attention.flex_attention"), query


@pytest.mark.parametrize("name", ["gradients", "largest scores"])
def test_what_flex_attention_refuses_on_the_cpu(name):
    def run(torch):
        home, x = flex(torch)
        if name == "gradients":
            x.requires_grad_()
            home.flex_attention(x, x, x).sum().backward()
        else:
            home.flex_attention(x, x, x, return_aux=home.AuxRequest(max_scores=True))

    same_error(run)


def test_flex_attention_warns_outside_of_compile():
    def run(torch):
        home, x = flex(torch)
        home._WARNINGS_SHOWN = set()  # torch's list of what it has said
        home.flex_attention(x, x, x)

    same_warnings(run)


def test_words_of_an_uninitialized_parameter_name_the_call():
    same_error(lambda torch: torch.nn.UninitializedParameter() + 1)


def test_a_module_lists_its_type_variables():
    same(lambda torch: "T_destination" in dir(torch.nn.Linear(1, 1)))


def test_a_sample_of_which_all_is_padding():
    def run(torch):
        layer = torch.nn.MultiheadAttention(4, 2, batch_first=True).eval()
        x, padding = torch.ones(1, 2, 4), torch.tensor([[True, True]])
        with torch.no_grad():
            return layer(x, x, x, key_padding_mask=padding, need_weights=False)[0].isnan()

    same(run)
