"""torch.functional: the functions of torch that are written by hand there."""

from jtorch.api import everything, put

_NAMES = (
    "atleast_1d atleast_2d atleast_3d block_diag broadcast_shapes broadcast_tensors cartesian_prod chain_matmul einsum "
    "meshgrid norm split tensordot unique unique_consecutive unravel_index"
).split()
globals().update({name: put.FUNCTIONS[name] for name in _NAMES})
del everything, put
