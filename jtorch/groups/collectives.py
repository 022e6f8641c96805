"""torch.distributed's collectives on tensors: each is recorded and becomes a part of the step's program."""

from jtorch._tensor import Tensor, aval, read, wrap
from jtorch.autograd.apply import call, filled
from jtorch.autograd.inplace import store
from jtorch.groups.calls import ReduceOp, Work, into, member
from jtorch.groups.world import get_group_rank
from jtorch.modes import local


def _tensor(value, name):
    if not isinstance(value, Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type torch.Tensor\n"
            f"             but got {type(value)} instead."
        )
    return value


def _tensors(values, name):
    if not isinstance(values, (list, tuple)) or not all(isinstance(x, Tensor) for x in values):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type List[torch.Tensor]\n"
            f"             but got {type(values)} with elements of type {[type(x) for x in values or ()]}."
        )
    return list(values)


def how_of(op, group):
    """The name of a ReduceOp for the ops. Raises as gloo does for what it has not, and ValueError for what is none."""
    how = op.value if isinstance(op, ReduceOp) else str(op).lower()
    if how not in ("sum", "avg", "product", "min", "max", "band", "bor", "bxor"):
        raise ValueError(f"{op!r} is no ReduceOp that can be done here")
    if how == "avg" and group.backend == "gloo":
        raise RuntimeError("Cannot use ReduceOp.AVG with Gloo")
    return how


def place_of(group, rank, group_rank, what):
    """The rank in the group of a call's src or dst, given as a rank of the world or of the group."""
    if group_rank is not None:
        if rank is not None:
            raise ValueError(f"Can't specify both group_{what} and {what}")
        return group_rank
    if rank is None:
        raise ValueError(f"Must specify {what} or group_{what}")
    return get_group_rank(group, rank)


def _quietly(name, *args):
    """A call off the tape."""
    before, local.grad = local.grad, False
    try:
        return call(name, *args)
    finally:
        local.grad = before


def _reshaped(tensor, shape):
    before, local.grad = local.grad, False
    try:
        return tensor.reshape(shape)
    finally:
        local.grad = before


def _done(results, async_op):
    return Work(results) if async_op else None


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """Put all ranks' tensors together, element by element, in each of them. Shape: any -> the same."""
    _tensor(tensor, "tensor")
    group = member(group)
    if group is None:
        return None
    into([tensor], "all_reduce", [tensor], group, "all_reduce", how=how_of(op, group))
    return _done([tensor], async_op)


def all_reduce_coalesced(tensors, op=ReduceOp.SUM, group=None, async_op=False):
    """As all_reduce, for several tensors in one message."""
    group = member(group)
    if group is None:
        return None
    into(tensors, "all_reduce", list(tensors), group, "all_reduce_coalesced", how=how_of(op, group))
    return _done(list(tensors), async_op)


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """Write one rank's tensor into that of all others. Shape: any -> the same."""
    _tensor(tensor, "tensor")
    group = member(group)
    if group is None:
        return None
    into([tensor], "broadcast_ranks", [tensor], group, "broadcast", source=place_of(group, src, group_src, "src"))
    return _done([tensor], async_op)


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """As all_reduce, but only the tensor of rank dst is written."""
    _tensor(tensor, "tensor")
    group = member(group)
    if group is None:
        return None
    here = place_of(group, dst, group_dst, "dst") == group.rank()
    into([tensor] if here else [], "all_reduce", [tensor], group, "reduce", how=how_of(op, group))
    return _done([tensor], async_op)


def _gathered(tensor, group, label):
    return into([], "gather_ranks", tensor, group, label)[0]


def _write(target, value):
    """Write a value off the tape. Raises RuntimeError where it does not fit."""
    if aval(target).shape != aval(value).shape or aval(target).dtype is not aval(value).dtype:
        raise RuntimeError(
            f"output tensor of size {list(aval(target).shape)} and dtype {aval(target).dtype} can't take "
            f"{list(aval(value).shape)} of {aval(value).dtype}"
        )
    store(target, read(value))


def _write_parts(targets, stacked):
    for i, target in enumerate(targets):
        _write(target, _quietly("select", stacked, 0, i))


def _count(values, group, name):
    values = _tensors(values, name)
    if len(values) != group.size():
        raise ValueError(f"{name} has {len(values)} tensors, but the group has {group.size()} ranks")
    return values


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Write the tensors of all ranks, in their order, into those of a list."""
    _tensor(tensor, "tensor")
    group = member(group)
    if group is None:
        return None
    _write_parts(_count(tensor_list, group, "tensor_list"), _gathered(tensor, group, "all_gather"))
    return _done(tensor_list, async_op)


def _as(value, target):
    """A value in the shape of the tensor it is written into. Raises ValueError for another number of elements."""
    want = aval(target).shape
    if value.numel() != target.numel():
        raise ValueError(f"output has {target.numel()} elements, but {value.numel()} are wanted")
    return _reshaped(value, want)


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """Write the tensors of all ranks one after the other into one. Shape: (n, *) -> (ranks·n, *) or (ranks, n, *)."""
    group = member(group)
    if group is None:
        return None
    _write(output_tensor, _as(_gathered(input_tensor, group, "all_gather_into_tensor"), output_tensor))
    return _done([output_tensor], async_op)


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """As all_gather, but only rank dst (0 by default) gives a list and has it written."""
    _tensor(tensor, "tensor")
    group = member(group)
    if group is None:
        return None
    if dst is None and group_dst is None:
        group_dst = 0
    here = place_of(group, dst, group_dst, "dst") == group.rank()
    if here and not gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    if not here and gather_list:
        raise ValueError("Argument ``gather_list`` must NOT be specified on non-destination ranks.")
    stacked = _gathered(tensor, group, "gather")
    if here:
        _write_parts(_count(gather_list, group, "gather_list"), stacked)
    return _done([tensor], async_op)


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """Write part i of rank src's list (0 by default) into the tensor of rank i."""
    _tensor(tensor, "tensor")
    group = member(group)
    if group is None:
        return None
    if src is None and group_src is None:
        group_src = 0
    here = place_of(group, src, group_src, "src") == group.rank()
    if here and not scatter_list:
        raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
    if not here and scatter_list:
        raise ValueError("Argument ``scatter_list`` must NOT be specified on non-source ranks.")
    parts = _count(scatter_list, group, "scatter_list") if here else [filled(aval(tensor), 0)] * group.size()
    into([tensor], "scatter_ranks", _stacked(parts), group, "scatter", how="sum")
    return _done([tensor], async_op)


def _stacked(tensors):
    return _quietly("stack", list(tensors), 0)


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Put part i of all ranks' lists together in the tensor of rank i."""
    _tensor(output, "output")
    group = member(group)
    if group is None:
        return None
    parts = _stacked(_count(input_list, group, "input_list"))
    into([output], "scatter_ranks", parts, group, "reduce_scatter", how=how_of(op, group))
    return _done([output], async_op)


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """As reduce_scatter, of one tensor that is cut evenly. Shape: (ranks·n, *) or (ranks, n, *) -> (n, *)."""
    group = member(group)
    if group is None:
        return None
    parts = _cut(input, (group.size(), *aval(output).shape), "input")
    into([output], "scatter_ranks", parts, group, "reduce_scatter_tensor", how=how_of(op, group))
    return _done([output], async_op)


def _cut(tensor, shape, name):
    try:
        return _reshaped(tensor, shape)
    except RuntimeError:
        raise ValueError(f"{name} of shape {list(aval(tensor).shape)} can't be cut into {list(shape)}") from None


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Send tensor i to rank i, and write what rank j sends into tensor j. All have one shape."""
    group = member(group)
    if group is None:
        return None
    outputs = _count(output_tensor_list, group, "output_tensor_list")
    inputs = _count(input_tensor_list, group, "input_tensor_list")
    if len({aval(x).shape for x in (*inputs, *outputs)}) > 1:
        raise NotImplementedError(
            "all_to_all: tensors of different shapes are not exchanged yet; pad them to one shape"
        )
    _write_parts(outputs, wrap(_exchange(_stacked(inputs), group, "all_to_all")))
    return _done(outputs, async_op)


def _exchange(stacked, group, label):
    return read(into([], "exchange_ranks", stacked, group, label)[0])


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=None, async_op=False):
    """As all_to_all, of one tensor that is cut evenly along its first dim. Shape: (ranks·n, *) -> the same."""
    group = member(group)
    if group is None:
        return None
    for sizes in (output_split_sizes, input_split_sizes):
        if sizes and len(set(sizes)) > 1:
            raise NotImplementedError("all_to_all_single: parts of different sizes are not exchanged yet; pad them")
    size = aval(input).shape[0]
    if size % group.size():
        raise RuntimeError("Tensor's dim 0 does not divide equally across group size")
    parts = _cut(input, (group.size(), size // group.size(), *aval(input).shape[1:]), "input")
    _write(output, _as(wrap(_exchange(parts, group, "all_to_all_single")), output))
    return _done([output], async_op)


__all__ = [
    "all_gather", "all_gather_into_tensor", "all_reduce", "all_reduce_coalesced", "all_to_all", "all_to_all_single",
    "broadcast", "gather", "reduce", "reduce_scatter", "reduce_scatter_tensor", "scatter",
]  # fmt: skip
