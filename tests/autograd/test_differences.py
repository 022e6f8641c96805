"""Where jtorch's graph is known to differ from torch's: each kind has its reason in gaps.toml."""

import pytest

from tests.oracle import same
from tests.snippets import compare


@pytest.mark.parametrize("line", ["x * x", "x ** 3", "x.exp()"])
def test_names_in_the_graph_of_a_gradient(line):
    compare(f"g, = torch.autograd.grad(({line}).sum(), x, create_graph=True); graph(g.grad_fn)")


def test_version_of_a_gradient():
    compare("x.sum().backward(); x.sum().backward(); x.grad._version")


def test_a_write_that_is_not_counted_does_not_reach_backward():
    def fn(torch):
        x = torch.ones(3, requires_grad=True)
        y = x * 2
        z = y * y
        with torch.autograd._unsafe_preserve_version_counter(y):
            y.add_(1)
        z.sum().backward()
        return x.grad

    same(fn)
