"""The op that splits a batch over devices."""

import jax

from jtorch.ops.op import Array, op


@op("split_batch", door=None)
def split_batch(input: Array, *, devices, dim):
    """The input, whose dim the devices share among them; XLA splits what is computed from it. Shape: any -> the same.

    devices: a meshes.Split.
    """
    return jax.lax.with_sharding_constraint(input, devices.along(dim))
