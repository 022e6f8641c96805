"""Where the parts of a distributed tensor lie, and the way from one layout to another."""

from jtorch.groups.calls import made
from jtorch.shards.placements import REPLICATE, Partial, Shard


class Layout:
    """A mesh, a placement for each of its dims, and the shape of the whole."""

    __slots__ = ("mesh", "placements", "shape")

    def __init__(self, mesh, placements, shape):
        self.mesh = mesh
        self.placements = tuple(placements)
        self.shape = tuple(shape)

    def sizes(self, dim):
        """The sizes of a dim of the whole before each mesh dim cuts it, and at last of this rank's part."""
        found = [self.shape[dim]]
        for placement, count in zip(self.placements, self.mesh.shape, strict=True):
            found.append(-(-found[-1] // count) if placement.is_shard(dim) else found[-1])
        return found

    def part(self):
        """The shape of each rank's part, padding included."""
        return tuple(self.sizes(dim)[-1] for dim in range(len(self.shape)))

    def own(self):
        """(shape of this rank's part without padding, where it begins in each dim)."""
        return self.at(self.mesh.get_coordinate() or (0,) * self.mesh.ndim)

    def at(self, place):
        """As own(), of the rank at a place on the mesh."""
        sizes, starts = list(self.shape), [0] * len(self.shape)
        for placement, count, at in zip(self.placements, self.mesh.shape, place, strict=True):
            if isinstance(placement, Shard):
                size, start = Shard.local_shard_size_and_offset(sizes[placement.dim], count, at)
                sizes[placement.dim] = size
                starts[placement.dim] += start
        return tuple(sizes), tuple(starts)

    def with_placements(self, placements):
        """The same whole in other parts."""
        return Layout(self.mesh, placements, self.shape)

    def is_even(self, dim):
        """Whether no rank's part has padding along a dim."""
        return self.sizes(dim)[-1] * _times(self, dim) == self.shape[dim]


def _times(layout, dim):
    count = 1
    for placement, n in zip(layout.placements, layout.mesh.shape, strict=True):
        count *= n if placement.is_shard(dim) else 1
    return count


def normal(placements, mesh, ndim):
    """Placements with dims counted from the front. Raises as torch for dims that are not there, and for too few."""
    if placements is None:
        return replicated(mesh)
    placements = tuple(placements)
    if len(placements) != mesh.ndim:
        raise ValueError(
            f"`placements` must have the same length as `device_mesh.ndim`! Found placements length: "
            f"{len(placements)}, and device_mesh.ndim: {mesh.ndim}."
        )
    found = []
    for placement in placements:
        if isinstance(placement, Shard):
            dim = placement.dim
            if not -ndim <= dim < ndim:
                raise IndexError(
                    f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})"
                )
            placement = Shard(dim % ndim)
        found.append(placement)
    return tuple(found)


def _changed(layout, target):
    """The mesh dims whose placement changes, and those cut again since an outer one of the same dim changes."""
    now, count = layout.placements, layout.mesh.ndim
    changed = {i for i in range(count) if now[i] != target[i]}
    for i in sorted(changed):
        for placement in (now[i], target[i]):
            if isinstance(placement, Shard):
                changed |= {j for j in range(i + 1, count) if now[j].is_shard(placement.dim)}
    return sorted(changed)


def moved(x, layout, target):
    """The part of a tensor in another layout of the same whole, on the tape. x: the part in this one."""
    target = tuple(target)
    if layout.placements == target:
        return x
    changed = _changed(layout, target)
    if len(changed) == 1:
        direct = _exchanged(x, layout, target, changed[0])
        if direct is not None:
            return direct
    now = list(layout.placements)
    for i in reversed(changed):
        if isinstance(now[i], Shard):
            dim = now[i].dim
            size = Layout(layout.mesh, now, layout.shape).sizes(dim)[i]
            x = _call("gather_shards", x, layout.mesh, i, dim=dim, size=size)
            now[i] = REPLICATE
        elif isinstance(now[i], Partial) and not isinstance(target[i], Shard) and now[i] != target[i]:
            x = _call("sum_shards", x, layout.mesh, i, how=now[i].reduce_op)
            now[i] = REPLICATE
    for i in changed:
        x = _laid_out(x, layout.mesh, i, now[i], target[i])
    return x


def _laid_out(x, mesh, i, now, target):
    """From whole values, or values to be added up, to the target along one mesh dim."""
    if isinstance(target, Shard) and isinstance(now, Partial):
        if now.reduce_op in ("sum", "avg"):
            return _call("sum_to_shards", x, mesh, i, dim=target.dim, how=now.reduce_op)
        x = _call("sum_shards", x, mesh, i, how=now.reduce_op)
    if isinstance(target, Shard):
        return _call("cut_shards", x, mesh, i, dim=target.dim)
    if isinstance(target, Partial) and now != target and target.reduce_op == "sum":
        return _call("spread_whole", x, mesh, i)
    return x


def _exchanged(x, layout, target, i):
    """From parts along one dim to parts along another in one message, where both divide evenly."""
    now, then = layout.placements[i], target[i]
    if not (isinstance(now, Shard) and isinstance(then, Shard)):
        return None
    if not layout.is_even(now.dim) or not layout.with_placements(target).is_even(then.dim):
        return None
    return _call("exchange_shards", x, layout.mesh, i, whole=now.dim, cut=then.dim)


def _call(name, x, mesh, i, **attrs):
    return made(name, x, mesh.get_group(i), name, **attrs)


def shared(x, mesh, i):
    """A whole value for work that differs from rank to rank along a mesh dim: its gradients are added up there."""
    return made("share_whole", [x], mesh.get_group(i), "share_whole")


def replicated(mesh):
    """The placements of a whole on every rank."""
    return (REPLICATE,) * mesh.ndim
