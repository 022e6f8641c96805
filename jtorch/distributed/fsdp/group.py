"""The parameters that one fully_shard looks after: their parts, the wholes that forward works on, and back again."""

from jtorch import devices
from jtorch._tensor import Tensor, aval
from jtorch.groups.calls import made
from jtorch.nn.parameter import Parameter
from jtorch.shards.dtensor import DTensor, distribute_tensor, dressed, plain
from jtorch.shards.layout import Layout, moved
from jtorch.shards.placements import REPLICATE, Shard


class Sharded:
    """One parameter. places: [(module, name), ...] where it stands; dim: along which it is cut."""

    def __init__(self, param, places, mesh, dim):
        self.places = places
        self.dim = dim
        self.inner = param._layout if isinstance(param, DTensor) else None  # as tensor parallelism has laid it out
        self.size = aval(param).shape[dim]
        own = (*[REPLICATE] * (mesh.ndim - 1), Shard(dim))
        if self.inner is None:
            part = distribute_tensor(param.detach(), mesh, own, src_data_rank=None)
        else:
            part = self._cut_again(param, mesh, own)
        self.param = Parameter(part, requires_grad=param.requires_grad)
        self.put(self.param)

    def _cut_again(self, param, mesh, own):
        """The part of a part: cut along the inner mesh first."""
        names = (*self.inner.mesh.mesh_dim_names, *mesh.mesh_dim_names)
        both = Layout(mesh._root[names], (*self.inner.placements, *own), self.inner.shape)
        local = plain(param)
        cut = moved(local, Layout(mesh, (REPLICATE,) * mesh.ndim, aval(local).shape), own)
        return dressed(cut, both)

    def put(self, tensor):
        """Let a tensor stand in the parameter's places."""
        for module, name in self.places:
            module._parameters[name] = tensor

    def take(self):
        """Cut the whole that stands in the modules into the parts."""
        module, name = self.places[0]
        own = self.param._layout
        self.param.copy_(distribute_tensor(module._parameters[name], own.mesh, own.placements, src_data_rank=None))

    def put_whole(self, whole):
        """Let a whole stand there, laid out on the inner mesh where there is one."""
        self.put(whole if self.inner is None else dressed(whole, self.inner))


class Group:
    """The parameters of one call of fully_shard."""

    def __init__(self, params, mesh, policy):
        self.params = params
        self.mesh = mesh
        self.policy = policy
        self.factor = mesh.size()
        self._form = {
            "sizes": tuple(p.size for p in params), "dims": tuple(p.dim for p in params),
            "dtype": _numpy(policy.param_dtype), "reduced": _numpy(policy.reduce_dtype),
        }  # fmt: skip

    def gather(self):
        """Let the wholes stand in the modules, on the tape: their gradients' mean goes back to the parts."""
        if not self.params:
            return
        parts = [p.param for p in self.params]
        if aval(parts[0]).device is devices.META:
            raise RuntimeError("parameters on the meta device have no values: call to_empty() and initialise them")
        for i in range(self.mesh.ndim - 1):
            shared = made("share_whole", parts, self.mesh.get_group(i), "fully_shard replicas")
            parts = [shared] if isinstance(shared, Tensor) else list(shared)
        group = self.mesh.get_group(self.mesh.ndim - 1)
        wholes = made("unshard", parts, group, "fully_shard", **self._form, factor=self.factor)
        for param, whole in zip(self.params, [wholes] if isinstance(wholes, Tensor) else wholes, strict=True):
            param.put_whole(whole)

    def scatter(self, writeback=False):
        """Let the parts stand in the modules again. writeback: with what was written into the wholes."""
        for param in self.params:
            if writeback:
                param.take()
            param.put(param.param)


def _numpy(dtype):
    return None if dtype is None else dtype.numpy
