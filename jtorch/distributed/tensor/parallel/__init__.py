"""Plans by which the ranks of a mesh share the work of a module's layers: tensor parallelism."""

from jtorch.distributed.tensor.parallel.loss import loss_parallel
from jtorch.distributed.tensor.parallel.plan import parallelize_module
from jtorch.distributed.tensor.parallel.style import (
    ColwiseParallel,
    ParallelStyle,
    PrepareModuleInput,
    PrepareModuleInputOutput,
    PrepareModuleOutput,
    RowwiseParallel,
    SequenceParallel,
)

__all__ = [
    "ColwiseParallel", "ParallelStyle", "PrepareModuleInput", "PrepareModuleInputOutput", "PrepareModuleOutput",
    "RowwiseParallel", "SequenceParallel", "loss_parallel", "parallelize_module",
]  # fmt: skip
