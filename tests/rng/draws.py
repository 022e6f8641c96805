"""A torch generator and a jtorch generator kept in step: every draw is made by both and compared to the last bit."""

import ml_dtypes
import numpy as np
import pytest
import torch

from jtorch import dtypes
from jtorch.rng import samplers
from jtorch.rng.generator import Generator

FLOATS = ("float32", "float64", "float16", "bfloat16")
avx2_roundings = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason="float draws round as torch's AVX2 kernels do; its kernels for other CPUs differ from them in the last bits",
)
INTS = ("int64", "int32", "int16", "int8", "uint8")


def array(tensor):
    """A torch tensor as NumPy, bfloat16 too."""
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def assert_same_bits(mine, theirs):
    """Equal dtype, shape and bits."""
    theirs = array(theirs)
    assert mine.dtype == theirs.dtype
    assert mine.shape == theirs.shape
    assert mine.tobytes() == theirs.tobytes(), f"{np.mean(mine != theirs):.2%} of the elements differ"


class Pair:
    """Both generators. `fill` is an in-place draw, `perm` and `multinomial` are torch's functions."""

    def __init__(self, seed):
        self.torch = torch.Generator().manual_seed(seed)
        self.mine = Generator().manual_seed(seed)

    def fill(self, kind, shape, dtype, *params):
        """One distribution: jtorch's sampler against torch's in-place method, on a new tensor."""
        tensor = torch.empty(shape, dtype=getattr(torch, dtype))
        theirs = getattr(tensor, f"{kind}_")(*params, generator=self.torch)
        assert_same_bits(getattr(samplers, kind)(self.mine, shape, dtypes.by_name(dtype), *params), theirs)

    def bernoulli(self, shape, dtype, p):
        """p: a number, or a torch tensor."""
        theirs = torch.empty(shape, dtype=getattr(torch, dtype)).bernoulli_(p, generator=self.torch)
        p = array(p) if isinstance(p, torch.Tensor) else p
        assert_same_bits(samplers.bernoulli(self.mine, p, shape, dtypes.by_name(dtype)), theirs)

    def perm(self, n, dtype="int64"):
        """randperm."""
        theirs = torch.randperm(n, generator=self.torch, dtype=getattr(torch, dtype))
        assert_same_bits(samplers.randperm(self.mine, n, dtypes.by_name(dtype)), theirs)

    def multinomial(self, weights, count, replacement):
        """multinomial; weights: a torch tensor."""
        theirs = torch.multinomial(weights, count, replacement, generator=self.torch)
        assert_same_bits(samplers.multinomial(self.mine, array(weights), count, replacement), theirs)

    def assert_in_step(self):
        """Both have drawn the same number of words: their states are the same bytes."""
        np.testing.assert_array_equal(self.mine.save(), self.torch.get_state().numpy())


def same_error(mine, theirs):
    """Both callables raise the same class with the same words (torch's C++ footnotes aside)."""
    with pytest.raises(Exception) as expected:
        theirs()
    with pytest.raises(type(expected.value)) as found:
        mine()
    assert type(found.value) is type(expected.value)
    assert str(found.value) == str(expected.value)
