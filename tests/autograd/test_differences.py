"""Where jtorch's graph is known to differ from torch's: each kind has its reason in gaps.toml."""

import pytest

from tests.autograd.test_random_programs import _program
from tests.oracle import same
from tests.snippets import compare


@pytest.mark.parametrize("line", ["x * x", "x ** 3", "x.exp()"])
def test_names_in_the_graph_of_a_gradient(line):
    compare(f"g, = torch.autograd.grad(({line}).sum(), x, create_graph=True); graph(g.grad_fn)")


def test_version_of_a_gradient():
    compare("x.sum().backward(); x.sum().backward(); x.grad._version")


@pytest.mark.parametrize("seed", [104, 212])
def test_words_for_a_view_made_without_grad(seed):
    same(lambda torch: _program(seed, torch))


@pytest.mark.parametrize("seed", [101])
def test_name_of_a_view_that_was_written_to(seed):
    same(lambda torch: _program(seed, torch))
