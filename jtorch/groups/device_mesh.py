"""Device meshes: ranks, or the devices of one process, on a grid whose dims have names and groups."""

import math
import os

import numpy as np

from jtorch import devices, meshes
from jtorch._tensor import Tensor, from_host, host
from jtorch.groups import world
from jtorch.groups.world import DeviceGroup, ProcessGroup


class DeviceMesh:
    """Ranks on a grid: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.device_mesh.DeviceMesh.

    In a process alone that has several cuda devices, those stand for the ranks: each holds values of its own, and what
    the process reads of them is the first device's.
    Raises: RuntimeError for a device type with an index, and for more ranks than there are.
    """

    def __init__(
        self, device_type, mesh, *, mesh_dim_names=None, backend_override=None, _init_backend=True, _rank=None
    ):
        self.device_type = device_type
        grid = host(mesh) if isinstance(mesh, Tensor) else np.asarray(mesh)
        grid = grid.astype(np.int64).reshape(grid.shape or (1,))
        self.mesh_dim_names = None if mesh_dim_names is None else tuple(mesh_dim_names)
        count = int(grid.max()) + 1 if grid.size else 0
        everybody = world.get_world_size() if world.is_initialized() else 1
        self._crew = _crew(device_type, count) if everybody == 1 and count > 1 else None
        if self._crew is None and count > everybody:
            raise RuntimeError(
                f"Mesh should not be bigger than default world size {everybody}, but found {count} ranks!"
            )
        self._root = self
        self._groups = {}
        self._flat = {}
        self._set(grid[None])

    def _set(self, grids):
        """grids: all meshes of this form that the ranks are on, one under the other."""
        rank = world.get_rank() if self._crew is None and world.is_initialized() else 0
        own = [i for i, grid in enumerate(grids) if rank in grid]
        self._grids, self._grid, self._rank = grids, grids[own[0] if own else 0], rank
        self._here = bool(own)

    @property
    def mesh(self):
        """The numbers of the ranks, a tensor of int32."""
        return from_host(self._grid.astype(np.int32))

    @property
    def ndim(self):
        """How many dims."""
        return self._grid.ndim

    @property
    def shape(self):
        """The sizes, a tuple."""
        return tuple(self._grid.shape)

    def size(self, mesh_dim=None):
        """How many ranks, along one dim or in all."""
        return self._grid.size if mesh_dim is None else self.shape[self._number(mesh_dim)]

    def _number(self, mesh_dim):
        if not isinstance(mesh_dim, str):
            return mesh_dim
        self._need([mesh_dim])
        return self.mesh_dim_names.index(mesh_dim)

    def _need(self, names):
        if self.mesh_dim_names is None:
            raise RuntimeError("Cannot slice a DeviceMesh without mesh_dim_names!")
        known = [*self.mesh_dim_names, *self._flat]
        if any(name not in known for name in names):
            raise KeyError(
                f"Invalid mesh_dim_names {tuple(names)} specified. Valid mesh_dim_names are "
                f"{list(self.mesh_dim_names)}."
            )

    def __getitem__(self, names):
        names = (names,) if isinstance(names, str) else tuple(names)
        self._need(names)
        if names == self.mesh_dim_names:
            return self
        if len(names) == 1 and names[0] in self._flat:
            return self._flat[names[0]]
        dims = [self.mesh_dim_names.index(name) + 1 for name in names]
        rest = [dim for dim in range(1, self.ndim + 1) if dim not in dims]
        moved = self._grids.transpose([0, *rest, *dims])
        return self._part(moved.reshape(-1, *(self._grids.shape[dim] for dim in dims)), names)

    def _part(self, grids, names):
        made = object.__new__(DeviceMesh)
        made.device_type, made.mesh_dim_names, made._crew, made._root = self.device_type, names, self._crew, self._root
        made._groups, made._flat = {}, {}
        made._set(grids)
        return made

    def _flatten(self, mesh_dim_name=None, backend_override=None):
        """The same ranks in one dim."""
        name = mesh_dim_name or "_".join(self.mesh_dim_names)
        if self._here and self.ndim == 1 and self.mesh_dim_names == (name,):
            return self
        made = self._part(self._grids.reshape(len(self._grids), -1), (name,))
        self._root._flat[name] = self._flat[name] = made
        return made

    def get_group(self, mesh_dim=None):
        """The group of this rank along a dim. Raises RuntimeError where the dim must be named."""
        if mesh_dim is None:
            if self.ndim > 1:
                raise RuntimeError(*_which(self.ndim, True))
            mesh_dim = 0
        dim = self._number(mesh_dim)
        found = self._groups.get(dim)
        if found is None:
            found = self._groups[dim] = self._group(dim)
        return found

    def _group(self, dim):
        rows = np.moveaxis(self._grids, dim + 1, -1).reshape(-1, self.shape[dim])
        if self._crew is not None:
            row = meshes.row(self._crew, tuple(tuple(map(int, row)) for row in rows))
            return DeviceGroup(row, f"mesh_{dim}")
        if not world.is_initialized():
            world.init_process_group(world_size=1, rank=0, store=world.HashStore(world.DEFAULT_TIMEOUT))
        mine = next((row for row in rows if self._rank in row), rows[0])
        return world.along(tuple(map(int, mine)))

    def get_all_groups(self):
        """The groups of all dims."""
        return [self.get_group(dim) for dim in range(self.ndim)]

    def get_rank(self):
        """This rank's number in the world."""
        return self._rank

    def get_local_rank(self, mesh_dim=None):
        """This rank's place along a dim. Raises RuntimeError where the dim must be named."""
        if mesh_dim is None:
            if self.ndim > 1:
                raise RuntimeError(*_which(self.ndim, False))
            mesh_dim = 0
        return self.get_coordinate()[self._number(mesh_dim)]

    def get_coordinate(self):
        """This rank's places along all dims; None where it is not on the mesh."""
        return tuple(int(at[0]) for at in np.nonzero(self._grid == self._rank)) if self._here else None

    @staticmethod
    def from_group(group, device_type, mesh=None, *, mesh_dim_names=None, backend_override=None):
        """A mesh of the ranks of a group, or of several groups, one for each dim of `mesh`."""
        if isinstance(group, ProcessGroup):
            return DeviceMesh(device_type, list(group.ranks), mesh_dim_names=mesh_dim_names)
        return DeviceMesh(device_type, mesh, mesh_dim_names=mesh_dim_names)

    def _key(self):
        return self.device_type, self.mesh_dim_names, self.shape, self._grid.tobytes()

    def __eq__(self, other):
        return self is other or (isinstance(other, DeviceMesh) and self._key() == other._key())

    def __hash__(self):
        return hash(self._key())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None

    def __repr__(self):
        names = self.mesh_dim_names
        sizes = ", ".join(f"{name}={n}" for name, n in zip(names, self.shape, strict=True)) if names else None
        sizes = f"({sizes})" if names else str(self.shape)
        steps = tuple(int(self._step(dim)) if n > 1 else () for dim, n in enumerate(self.shape))
        return f"DeviceMesh({sizes}, '{self.device_type}', stride={steps})"

    def _step(self, dim):
        first = np.moveaxis(self._grid, dim, 0).reshape(self.shape[dim], -1)[:, 0]
        return first[1] - first[0]

    def __reduce__(self):
        return _again, (self.device_type, self._grid, self.mesh_dim_names)


DeviceMesh.__module__ = "torch.distributed.device_mesh"


def _again(device_type, grid, names):
    return DeviceMesh(device_type, grid, mesh_dim_names=names)


def _which(ndim, group):
    words = [f"Found the DeviceMesh have {ndim} dimensions",
             "Optional kwarg `mesh_dim` needs to be specified when device_mesh.ndim > 1."]  # fmt: skip
    if group:
        words.append("If you want to get the list of all the ProcessGroups in the DeviceMesh,please use "
                     "`get_all_groups()` instead.")  # fmt: skip
    return words


def _crew(device_type, count):
    """The first devices of this process in the place of ranks; None where there are not as many."""
    found = devices.cuda_devices() if device_type == "cuda" else ()
    return meshes.crew(tuple(found[:count])) if len(found) >= count else None


def init_device_mesh(device_type, mesh_shape, *, mesh_dim_names=None, backend_override=None):
    """A DeviceMesh of the first ranks in a row. mesh_shape: its sizes. Meets the other processes where nobody has yet.

    Raises: RuntimeError for names that are not as many as sizes, or not different, and for a device type with an index.
    """
    sizes = (mesh_shape,) if isinstance(mesh_shape, int) else tuple(mesh_shape)
    if mesh_dim_names is not None:
        names = tuple(mesh_dim_names)
        if len(set(names)) != len(names):
            raise RuntimeError(
                f"Each mesh_dim_name must be unique. Found repeated mesh_dim_name in mesh_dim_names {names}"
            )
        if len(sizes) != len(names):
            raise RuntimeError(
                "mesh_shape and mesh_dim_names should have same length! "
                f"Found len(mesh_dim_names): {len(names)} and len(mesh_shape):{len(sizes)}."
            )
    if not device_type.isalpha():
        raise RuntimeError(
            f"Device type with index is not supported but got {device_type}. ",
            "If you maintained a 'torch.device' object, it's recommended to pass in 'device.type'.",
        )
    if not world.is_initialized() and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        world.init_process_group()
    return DeviceMesh(device_type, np.arange(math.prod(sizes)).reshape(sizes), mesh_dim_names=mesh_dim_names)
