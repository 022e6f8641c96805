"""The parts of a tensor that this process holds, as NumPy arrays, and how they are written back."""

import itertools

import jax
import numpy as np

from jtorch import _tensor
from jtorch._tensor import aval, from_host, value
from jtorch.autograd.inplace import store
from jtorch.engine.ref import of_array
from jtorch.groups import world
from jtorch.groups.world import DeviceGroup
from jtorch.shards.dtensor import DTensor, plain
from jtorch.shards.placements import Shard


def boxes(tensor):
    """[(coordinate on the mesh or None, offsets, sizes)] of what this process holds: of a crew's devices, all."""
    if not isinstance(tensor, DTensor):
        return [(None, (0,) * aval(tensor).ndim, tuple(aval(tensor).shape))]
    mesh = tensor._layout.mesh
    if isinstance(mesh.get_group(0), DeviceGroup):
        places = itertools.product(*map(range, mesh.shape))
    else:
        places = [mesh.get_coordinate()]
    own = [(place, tensor._layout.at(place)) for place in places if place is not None]
    return [(place, starts, sizes) for place, (sizes, starts) in own]


def own_parts(tensor):
    """[(offsets, array)] of the parts that this process is to save: each part is saved once by all together."""
    if not isinstance(tensor, DTensor):
        first = not world.is_initialized() or world.get_rank() == 0
        return [((0,) * aval(tensor).ndim, _tensor.host(tensor))] if first else []
    layout = tensor._layout
    array = value(plain(tensor))
    found = []
    for place, starts, sizes in boxes(tensor):
        copy = any(at and not isinstance(p, Shard) for p, at in zip(layout.placements, place, strict=True))
        if copy or 0 in sizes:
            continue
        here = np.asarray(_of_place(array, layout.mesh, place))
        found.append((starts, here[tuple(map(slice, sizes))]))
    return found


def _of_place(array, mesh, place):
    """The array of the device that stands at a place."""
    if not isinstance(array, jax.Array) or len(array.sharding.device_set) == 1:
        return array
    device = mesh._crew.mesh.devices.flat[int(mesh._grid[place])]
    return next(shard.data for shard in array.addressable_shards if shard.device == device)


def write_back(tensor, arrays):
    """Write arrays, one for each of a tensor's boxes, into it in place."""
    if not isinstance(tensor, DTensor):
        store(tensor, _tensor.read(from_host(arrays[0], device=aval(tensor).device)))
        return
    part = tensor._layout.part()
    full = [np.pad(x, [(0, want - have) for have, want in zip(x.shape, part, strict=True)]) for x in arrays]
    crew = tensor._layout.mesh._crew
    if crew is None:
        made = from_host(full[0], device=aval(tensor).device)
    else:
        order = {int(tensor._layout.mesh._grid[place]): x for (place, _, _), x in zip(boxes(tensor), full, strict=True)}
        made = _tensor.wrap(
            of_array(crew.together([order.get(rank, full[0]) for rank in crew.ranks]), aval(tensor).device)
        )
    store(plain(tensor), _tensor.read(made))
