"""The norm of distributed tensors together."""

import math

from jtorch._tensor import Tensor
from jtorch.autograd.apply import call
from jtorch.groups.calls import made
from jtorch.shards.dtensor import dressed, plain
from jtorch.shards.layout import Layout, replicated
from jtorch.shards.placements import Partial


def norm_over_ranks(tensors, order):
    """The norm of DTensors as if they were one vector, whole on each rank. order: of the norm. Shape: -> ()."""
    alike = {}
    for x in tensors:
        if any(isinstance(p, Partial) for p in x.placements):
            x = x.redistribute()
        alike.setdefault((x.device_mesh, x.placements), []).append(plain(x))
    norms = [_over_ranks(call("whole_norm", call("each_norm", group, order), order), *key, order)
             for key, group in alike.items()]  # fmt: skip
    total = norms[0] if len(norms) == 1 else call("whole_norm", call("stack", norms, 0), order)
    mesh = tensors[0].device_mesh
    return dressed(total, Layout(mesh, replicated(mesh), ()))


def _over_ranks(norm: Tensor, mesh, placements, order):
    """The norm of all parts, from that of this rank's."""
    cut = [i for i, p in enumerate(placements) if p.is_shard()]
    endless = math.isinf(order)
    x = norm if endless or not cut else norm**order
    for i in cut:
        x = made("sum_shards", x, mesh.get_group(i), "total norm", how="max" if endless else "sum")
    return x if endless or not cut else x ** (1 / order)
