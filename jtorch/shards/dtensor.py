"""DTensor: a tensor on a device mesh. What it holds is this rank's part; calls on it are taken over by calls.py."""

from jtorch import devices, modes
from jtorch._tensor import Tensor, alias, aval
from jtorch.api import overriding
from jtorch.api.size import Size
from jtorch.autograd.apply import call, view
from jtorch.groups.world import DeviceGroup
from jtorch.ops.op import TABLE
from jtorch.shapes import contiguous_strides
from jtorch.shards.layout import Layout, moved, normal, replicated, shared
from jtorch.shards.placements import REPLICATE, Partial, Shard

_TO, _FROM = (TABLE["alias"].under(f"_{way}TorchTensorBackward") for way in ("To", "From"))


class DTensor(Tensor):
    """A tensor on a device mesh: https://docs.pytorch.org/docs/stable/distributed.tensor.html.

    Its shape is that of the whole. Made by `distribute_tensor`, or from this rank's part by `from_local`.
    """

    _layout: Layout
    __torch_function__ = overriding.disabled  # calls.py puts its own here, which takes effect with the first DTensor

    @property
    def device_mesh(self):
        """The mesh."""
        return self._layout.mesh

    @property
    def placements(self):
        """How it lies on each dim of the mesh."""
        return self._layout.placements

    @staticmethod
    def from_local(local_tensor, device_mesh, placements=None, *, run_check=False, shape=None, stride=None,
                   grad_placements=None):  # fmt: skip
        """The DTensor of which each rank gives its part. shape: of the whole, where the parts are not of one size."""
        if isinstance(local_tensor, DTensor):
            raise RuntimeError(
                f"the local_tensor argument only accepts torch.Tensor but got {type(local_tensor)} value."
            )
        local = aval(local_tensor).shape
        placements = normal(placements, device_mesh, len(local))
        whole = list(local)
        for placement, count in zip(placements, device_mesh.shape, strict=True):
            if isinstance(placement, Shard):
                whole[placement.dim] *= count
        layout = Layout(device_mesh, placements, whole if shape is None else shape)
        return dressed(padded(view(_FROM, local_tensor, ()), layout), layout)

    def to_local(self, *, grad_placements=None):
        """This rank's part, on the tape. grad_placements: how the gradients that come back lie."""
        layout = self._layout
        x = self
        if grad_placements is not None:
            for i, placement in enumerate(grad_placements):
                if isinstance(placement, Partial) and layout.placements[i] == REPLICATE:
                    x = shared(x, layout.mesh, i)
        return trimmed(view(_TO, x, ()), layout)

    def redistribute(self, device_mesh=None, placements=None, *, async_op=False, forward_dtype=None,
                     backward_dtype=None):  # fmt: skip
        """The same whole in other parts, on the tape. Raises RuntimeError for Partial, as torch."""
        layout = self._layout
        if device_mesh is not None and device_mesh != layout.mesh:
            raise NotImplementedError("Cross device mesh comm not supported yet!")
        placements = normal(placements, layout.mesh, len(layout.shape))
        for now, then in zip(layout.placements, placements, strict=True):
            if isinstance(then, Partial) and now != then:
                raise RuntimeError(
                    f"Can not redistribute from {now} to {then}, redistributing to Partial is for internal use only!"
                )
        x = self if forward_dtype is None else call("to_dtype", self, forward_dtype)
        return dressed(moved(x, layout, placements), layout.with_placements(placements))

    def full_tensor(self, *, grad_placements=None):
        """The whole, a plain tensor on every rank, on the tape."""
        whole = replicated(self._layout.mesh)
        out = dressed(moved(self, self._layout, whole), self._layout.with_placements(whole))
        return out.to_local(grad_placements=grad_placements)

    @property
    def _local_tensor(self):
        return trimmed(alias(self), self._layout)

    def __repr__(self, *, tensor_contents=None):
        return (
            f"DTensor(local_tensor={self._local_tensor}, device_mesh={self._layout.mesh}, "
            f"placements={_shown(self._layout.placements)})"
        )

    def __deepcopy__(self, memo):
        found = memo.get(id(self))
        if found is None:
            found = memo[id(self)] = dressed(call("clone", alias(self)), self._layout)
            found._is_param = getattr(self, "_is_param", False)
            found._rg = self._rg
        return found

    def __reduce_ex__(self, protocol):
        sizes, _ = self._layout.own()
        marks = self._rg, getattr(self, "_is_param", False)
        local = alias(self).clone() if sizes != aval(self).shape else alias(self)
        return _again, (local, self._layout.mesh, self._layout.placements, self._layout.shape, marks)


DTensor.__module__ = "torch.distributed.tensor"


def _shown(placements):
    return f"({', '.join(map(repr, placements))}{',' if len(placements) == 1 else ''})"


def _again(local, mesh, placements, shape, marks):
    made = dressed(alias(local), Layout(mesh, placements, shape))
    made._rg, made._is_param = marks
    return made


def dressed(tensor, layout):
    """A plain tensor that nobody else holds becomes the DTensor of which it is this rank's part."""
    if not overriding.ACTIVE.yes:
        overriding.activate()
    tensor.__class__ = DTensor
    tensor._layout = layout
    return tensor


def plain(tensor):
    """This rank's part of a DTensor with its padding, on the same memory, off the tape; another tensor as it is."""
    return alias(tensor) if isinstance(tensor, DTensor) else tensor


def padded(x, layout):
    """A rank's part with zeros up to the size that all ranks' parts have."""
    have, want = aval(x).shape, layout.part()
    if have == want:
        return x
    pads = [n for h, w in zip(reversed(have), reversed(want), strict=True) for n in (0, w - h)]
    return call("constant_pad_nd", x, tuple(pads), 0)


def trimmed(x, layout):
    """A rank's part without its padding. The devices of one process keep it: they work on parts of one size."""
    have, (want, _) = aval(x).shape, layout.own()
    if have == want or isinstance(layout.mesh.get_group(0), DeviceGroup):
        return x
    for dim, (h, w) in enumerate(zip(have, want, strict=True)):
        if h != w:
            x = x.narrow(dim, 0, w)
    return x


def distribute_tensor(tensor, device_mesh, placements=None, *, src_data_rank=0):
    """The DTensor of a whole that every rank gives; the first rank's values count unless src_data_rank is None.

    Raises: IndexError for a dim to shard that is not there, ValueError for placements that are not one per mesh dim.
    """
    if isinstance(tensor, DTensor):
        if tensor.device_mesh != device_mesh:
            raise ValueError(
                f"Cannot distribute a DTensor with device mesh {tensor.device_mesh} to a different device mesh "
                f"{device_mesh}."
            )
        if tensor.placements != tuple(placements):
            raise ValueError(
                f"Cannot distribute a DTensor with placements {tensor.placements} to a different placements "
                f"{tuple(placements)}. do you want to call `redistribute` instead?"
            )
        return tensor
    shape = aval(tensor).shape
    placements = normal(placements, device_mesh, len(shape))
    if any(isinstance(p, Partial) for p in placements):
        raise AssertionError(f"Cannot distribute to {placements}: a sum is made by ops, not given")
    before, modes.local.grad = modes.local.grad, False
    try:
        made = _first_ranks(alias(tensor), device_mesh) if src_data_rank is not None else alias(tensor)
        whole = Layout(device_mesh, replicated(device_mesh), shape)
        made = moved(made, whole, placements)
    finally:
        modes.local.grad = before
    made = alias(made) if made._storage is tensor._storage else made
    return _marked(dressed(made, whole.with_placements(placements)), tensor)


def _marked(made, tensor):
    made._rg = tensor._rg
    if getattr(tensor, "_is_param", False):
        made._is_param = True
    return made


def _first_ranks(tensor, mesh):
    """The first rank's values on all ranks of a mesh."""
    if aval(tensor).device is devices.META:
        return tensor
    for group in mesh.get_all_groups():
        if not isinstance(group, DeviceGroup) and group.size() > 1:
            across = group.across(aval(tensor).device)
            tensor = call("broadcast_ranks", [tensor], group=across, source=0)
    return tensor


def part_like(tensor, param):
    """A plain tensor of the part's shape as a DTensor laid out as param; as it is, if param is plain."""
    return dressed(tensor, param._layout) if isinstance(param, DTensor) else tensor


def shape_of(tensor):
    """The shape of the whole, as torch.Size."""
    return Size(tensor._layout.shape)


def strides_of(tensor):
    """Strides of the whole, as if it lay in one piece."""
    return contiguous_strides(tensor._layout.shape)
