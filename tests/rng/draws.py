"""A torch generator and a jtorch generator kept in step: every draw is made by both and compared to the last bit."""

import inspect

import ml_dtypes
import numpy as np
import pytest
import torch

import jtorch
from jtorch import dtypes
from jtorch.rng import samplers
from jtorch.rng.generator import Generator
from tests.sides import to_numpy

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
        assert_same_bits(samplers.bernoulli(self.mine, shape, dtypes.by_name(dtype), p), theirs)

    def perm(self, n, dtype="int64"):
        """randperm."""
        theirs = torch.randperm(n, generator=self.torch, dtype=getattr(torch, dtype))
        assert_same_bits(samplers.randperm(self.mine, (n,), dtypes.by_name(dtype)), theirs)

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


def drawn_alike(*calls, close=False):
    """Each call, of a module and a generator of it, gives the same on both sides: results (in all bits unless close),
    or errors. And it leaves the default generator and the given one in the same states.
    """
    __tracebackhide__ = True
    for call in calls:
        theirs, mine = (_side(module, call) for module in (torch, jtorch))
        where = f"line {call.__code__.co_firstlineno}: {inspect.getsource(call).strip()}"
        if isinstance(theirs[0], tuple) and theirs[0][:1] == ("raised",):
            assert mine[0] == theirs[0], where
            continue
        _assert_alike(theirs[0], mine[0], where, close)
        for one, other in zip(theirs[1:], mine[1:], strict=True):
            assert np.array_equal(one, other), f"{where}: the states of the generators differ"


def _side(module, call):
    module.manual_seed(1234)
    generator = module.Generator().manual_seed(5)
    try:
        result = call(module, generator)
    except Exception as error:
        result = "raised", type(error).__name__, str(error)
    return result, module.get_rng_state().numpy(), generator.get_state().numpy()


def _assert_alike(theirs, mine, where, close):
    __tracebackhide__ = True
    if isinstance(theirs, (tuple, list)):
        assert len(theirs) == len(mine), where
        for one, other in zip(theirs, mine, strict=True):
            _assert_alike(one, other, where, close)
    elif isinstance(theirs, torch.Tensor):
        facts = [
            (str(t.dtype), tuple(t.shape), t.stride(), t.requires_grad, str(t.device), type(t.grad_fn).__name__)
            for t in (theirs, mine)
        ]
        assert facts[1] == facts[0], where
        if theirs.device.type == "meta":
            return
        one, other = (to_numpy(module, t.detach()) for module, t in ((torch, theirs), (jtorch, mine)))
        if close:
            tolerance = {2: 1e-2, 4: 1e-6, 8: 1e-12}[min(one.dtype.itemsize, 8)]
            one, other = (x.astype(np.float64) for x in (one, other))
            np.testing.assert_allclose(other, one, rtol=tolerance, atol=tolerance, err_msg=where)
        else:
            assert one.tobytes() == other.tobytes(), f"{where}\n{one}\n{other}"
    else:
        assert str(mine) == str(theirs), where
