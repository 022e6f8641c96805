"""Calls that torch refuses and jtorch does not, or in other words: each kind stands with its reason in gaps.toml."""

import pytest

from tests.errors.calls import lines, refused

VALUES = """
F.binary_cross_entropy(x+1,x)
x.quantile(torch.tensor([0.5,2.]))
x.masked_scatter(x>0,torch.ones(2))
x.gather(0,torch.full((2,3),5))
x[torch.tensor([0,1])+2]
"""

NAMED = """
x.abs(foo=1)
x.item(foo=1)
"""

ORDER = """
torch.max(foo=1,bar=2,baz=3,a=2,b=3,c=4)
"""


@pytest.mark.parametrize("line", lines(VALUES))
def test_values_that_are_not_at_hand(line):
    refused(line)


@pytest.mark.parametrize("line", lines(NAMED))
def test_names_for_methods_without_parameters(line):
    refused(line)


@pytest.mark.parametrize("line", lines(ORDER))
def test_the_order_of_many_names(line):
    refused(line)
