"""torch.utils.benchmark.op_fuzzers: tensors to time elementwise operators with."""

from jtorch.utils.benchmark.op_fuzzers import binary, unary
