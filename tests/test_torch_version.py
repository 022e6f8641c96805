"""`torch.__version__` compares as torch's does."""

import pytest
import torch
from packaging.version import Version

import jtorch

OTHERS = ["1.10", "2.13", "2.13.0+cpu", "10.0", "parrot", (2, 8), (2, 13), (10,), (2, 13, 1)]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_comparisons(other):
    def act(module):
        mine = module.torch_version.TorchVersion("2.13.0+local")
        return [mine < other, mine <= other, mine > other, mine >= other, mine == other, mine != other]

    assert act(jtorch) == act(torch)


def test_it_is_a_string_and_at_least_the_torch_that_it_follows():
    assert isinstance(jtorch.__version__, str) and jtorch.__version__ >= (2, 13)
    assert jtorch.__version__.split("+")[0] == torch.__version__.split("+")[0]
    assert jtorch.__version__ > Version("2.12") and jtorch.__version__ < Version("3")
    assert hash(jtorch.torch_version.TorchVersion("2.0")) == hash("2.0")
