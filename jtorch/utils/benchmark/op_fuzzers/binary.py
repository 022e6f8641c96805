"""Pairs of tensors that fit each other."""

from jtorch import dtypes
from jtorch.utils.benchmark.fuzzer import Fuzzer
from jtorch.utils.benchmark.op_fuzzers import _elementwise


class BinaryOpFuzzer(Fuzzer):
    """x and y of one to three dims; y is broadcast now and then."""

    def __init__(self, seed, dtype=dtypes.float32, cuda=False):
        x = _elementwise.tensor("x", ("k0", "k1", "k2"), dtype, cuda, **_elementwise.FIRST)
        y = _elementwise.tensor("y", ("y_k0", "y_k1", "y_k2"), dtype, cuda)
        super().__init__(_elementwise.parameters("x", "y", broadcast="y"), [x, y], seed=seed)
