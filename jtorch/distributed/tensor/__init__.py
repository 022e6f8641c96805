"""torch.distributed.tensor: tensors on a device mesh."""

from jtorch.distributed.tensor import parallel, placement_types
from jtorch.distributed.tensor.creation import empty, full, ones, rand, randn, zeros
from jtorch.distributed.tensor.modules import distribute_module
from jtorch.groups.device_mesh import DeviceMesh, init_device_mesh
from jtorch.shards import handlers as _handlers
from jtorch.shards import rules as _rules
from jtorch.shards.dtensor import DTensor, distribute_tensor
from jtorch.shards.placements import Partial, Placement, Replicate, Shard

__all__ = [
    "DTensor", "DeviceMesh", "Partial", "Placement", "Replicate", "Shard", "distribute_module", "distribute_tensor",
    "empty", "full", "init_device_mesh", "ones", "parallel", "placement_types", "rand", "randn", "zeros",
]  # fmt: skip
