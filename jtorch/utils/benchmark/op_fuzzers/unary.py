"""Single tensors."""

from jtorch import dtypes
from jtorch.utils.benchmark.fuzzer import Fuzzer
from jtorch.utils.benchmark.op_fuzzers import _elementwise


class UnaryOpFuzzer(Fuzzer):
    """x of one to three dims."""

    def __init__(self, seed, dtype=dtypes.float32, cuda=False):
        x = _elementwise.tensor("x", ("k0", "k1", "k2"), dtype, cuda, **_elementwise.FIRST)
        super().__init__(_elementwise.parameters("x"), [x], seed=seed)
