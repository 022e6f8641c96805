"""torch.distributed's collectives on tensors: each is recorded and becomes a part of the step's program."""

import math

from jtorch._tensor import Tensor, aval, read
from jtorch.autograd.apply import call, filled
from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.inplace import store
from jtorch.groups.calls import ReduceOp, Work, into, made, member
from jtorch.groups.messages import from_all
from jtorch.groups.world import place_of


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


def how_of(op):
    """The name of a ReduceOp for the ops. Raises TypeError for what is none, ValueError for one that is not done."""
    if not isinstance(op, ReduceOp):
        raise TypeError(f"(): incompatible function arguments: a ReduceOp is wanted, not {op!r}")
    if op == ReduceOp.PREMUL_SUM:
        raise ValueError(f"{op!r} is not done by XLA's collectives: multiply first")
    return op.value


def _done(results, async_op):
    return Work(results) if async_op else None


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """Put all ranks' tensors together, element by element, in each of them. Shape: any -> the same."""
    _tensor(tensor, "tensor")
    group = member(group)
    if group is None:
        return None
    into([tensor], "all_reduce", [tensor], group, "all_reduce", how=how_of(op))
    return _done([tensor], async_op)


def all_reduce_coalesced(tensors, op=ReduceOp.SUM, group=None, async_op=False):
    """As all_reduce, for several tensors in one message."""
    group = member(group)
    if group is None:
        return None
    into(tensors, "all_reduce", list(tensors), group, "all_reduce_coalesced", how=how_of(op))
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
    into([tensor] if here else [], "all_reduce", [tensor], group, "reduce", how=how_of(op))
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
    with no_grad():
        for i, target in enumerate(targets):
            _write(target, call("select", stacked, 0, i))


def _count(values, group, name):
    values = _tensors(values, name)
    if len(values) != group.size():
        raise RuntimeError(f"{name} has {len(values)} tensors, but the group has {group.size()} ranks")
    return values


def _shapes(tensors):
    return [aval(x).shape for x in tensors]


def _row(tensor, count):
    """A tensor's elements in one dim, with zeros up to a count."""
    flat = tensor.reshape(-1)
    lack = count - aval(flat).shape[0]
    return call("constant_pad_nd", flat, (0, lack), 0) if lack else flat


def _cells(rows, shapes):
    """The beginnings of the rows of a table, in shapes."""
    return [rows[i, : math.prod(shape)].reshape(shape) for i, shape in enumerate(shapes)]


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Write the tensors of all ranks, in their order, into those of a list, whose shapes may differ."""
    _tensor(tensor, "tensor")
    group = member(group)
    if group is None:
        return None
    targets = _count(tensor_list, group, "tensor_list")
    _check_gathered(targets, tensor, group)
    shapes = _shapes(targets)
    if len(set(shapes)) == 1:
        _write_parts(targets, _gathered(tensor, group, "all_gather"))
    else:
        with no_grad():
            rows = _gathered(_row(tensor, max(map(math.prod, shapes))), group, "all_gather")
            _write_all(targets, _cells(rows, shapes))
    return _done(tensor_list, async_op)


def _check_gathered(targets, tensor, group):
    """Raise where a rank's own tensor does not fit into its place, or a dtype is another one."""
    own = aval(tensor)
    for target in targets:
        if aval(target).dtype is not own.dtype:
            raise ValueError(
                f"Invalid usage of tensors with different dtypesFound {aval(target).dtype} and  {own.dtype}"
            )
    if aval(targets[group.rank()]).shape != own.shape:
        at, shape = next((i, shape) for i, shape in enumerate(_shapes(targets)) if shape != own.shape)
        raise RuntimeError(f"ProcessGroupGloo::allgather: invalid tensor size at index {at} (expected "
                           f"{_sizes(own.shape)}, got {_sizes(shape)})")  # fmt: skip


def _sizes(shape):
    return f"({', '.join(map(str, shape))})"


def _write_all(targets, values):
    for target, value in zip(targets, values, strict=True):
        _write(target, value)


def _as(value, target):
    """A value in the shape of the tensor it is written into. Raises RuntimeError for another number of elements."""
    want = aval(target).shape
    if value.numel() != target.numel():
        raise RuntimeError(f"output has {target.numel()} elements, but {value.numel()} are wanted")
    with no_grad():
        return value.reshape(want)


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
    for i, shape in enumerate(_shapes(parts)):
        if shape != aval(tensor).shape:
            raise RuntimeError(f"ProcessGroupGloo::scatter: invalid tensor size at index {i} (expected "
                               f"{_sizes(aval(tensor).shape)}, got {_sizes(shape)})")  # fmt: skip
    into([tensor], "scatter_ranks", _stacked(parts), group, "scatter", how="sum")
    return _done([tensor], async_op)


def _stacked(tensors):
    with no_grad():
        return call("stack", list(tensors), 0)


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Put part i of all ranks' lists together in the tensor of rank i. Parts may have different shapes."""
    _tensor(output, "output")
    group = member(group)
    if group is None:
        return None
    parts = _count(input_list, group, "input_list")
    shapes = _shapes(parts)
    if aval(output).shape != shapes[group.rank()]:
        raise RuntimeError(f"reduce_scatter: output has shape {list(aval(output).shape)}, but part {group.rank()} has "
                           f"{list(shapes[group.rank()])}")  # fmt: skip
    if len(set(shapes)) == 1:
        into([output], "scatter_ranks", _stacked(parts), group, "reduce_scatter", how=how_of(op))
    else:
        with no_grad():
            most = max(map(math.prod, shapes))
            rows = call("stack", [_row(part, most) for part in parts], 0)
            own = into([], "scatter_ranks", rows, group, "reduce_scatter", how=how_of(op))[0]
            _write(output, own[: output.numel()].reshape(aval(output).shape))
    return _done([output], async_op)


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """As reduce_scatter, of one tensor that is cut evenly. Shape: (ranks·n, *) or (ranks, n, *) -> (n, *)."""
    group = member(group)
    if group is None:
        return None
    parts = _cut(input, (group.size(), *aval(output).shape), "input")
    into([output], "scatter_ranks", parts, group, "reduce_scatter_tensor", how=how_of(op))
    return _done([output], async_op)


def _cut(tensor, shape, name):
    if tensor.numel() != math.prod(shape):
        raise RuntimeError(f"{name} of shape {list(aval(tensor).shape)} can't be cut into {list(shape)}")
    with no_grad():
        return tensor.reshape(shape)


def exchanged(parts, shapes, group, label):
    """Part i of each rank goes to rank i; what comes from each, on the tape. shapes: of what is to come.

    Where shapes differ the ranks first tell each other the sizes, since one program serves all; that cuts the step.
    Raises: RuntimeError that names a rank that sends something else than what is wanted.
    """
    sizes, wanted = [[math.prod(shape) for shape in listed] for listed in (_shapes(parts), shapes)]
    told = from_all((sizes, wanted), group)
    place = group.rank()
    for rank, (theirs, _) in enumerate(told):
        if theirs[place] != wanted[rank]:
            raise RuntimeError(
                f"{label}: rank {group.ranks[place]} wants {wanted[rank]} elements of rank {group.ranks[rank]}, "
                f"which sends {theirs[place]}"
            )
    most = max(size for theirs, _ in told for size in theirs)
    if not most:
        return [part.new_empty(shape) for part, shape in zip(parts, shapes, strict=True)]
    rows = call("stack", [_row(part, most) for part in parts], 0)
    return _cells(made("exchange_ranks", rows, group, label), shapes)


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Send tensor i to rank i, and write what rank j sends into tensor j. Their shapes may differ."""
    group = member(group)
    if group is None:
        return None
    outputs = _count(output_tensor_list, group, "output_tensor_list")
    inputs = _count(input_tensor_list, group, "input_tensor_list")
    with no_grad():
        _write_all(outputs, exchanged(inputs, _shapes(outputs), group, "all_to_all"))
    return _done(outputs, async_op)


def parts_of(tensor, sizes, group):
    """The parts of a tensor's rows for each rank. Raises RuntimeError, as torch, for sizes that do not fit."""
    rows = aval(tensor).shape[0]
    if not sizes:
        if rows % group.size():
            raise RuntimeError("Tensor's dim 0 does not divide equally across group size")
        sizes = [rows // group.size()] * group.size()
    if len(sizes) != group.size():
        raise RuntimeError("Number of tensor splits not equal to group size")
    if sum(sizes) != rows:
        raise RuntimeError("Split sizes doesn't match total dim 0 size")
    return tensor.split(list(sizes))


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=None, async_op=False):
    """As all_to_all, of one tensor that is cut along its first dim, evenly or in parts of these sizes."""
    group = member(group)
    if group is None:
        return None
    with no_grad():
        outputs, inputs = parts_of(output, output_split_sizes, group), parts_of(input, input_split_sizes, group)
        if output_split_sizes or input_split_sizes:
            found = call("cat", exchanged(inputs, _shapes(outputs), group, "all_to_all_single"), 0)
        else:
            found = into([], "exchange_ranks", _stacked(inputs), group, "all_to_all_single")[0]
        _write(output, _as(found, output))
    return _done([output], async_op)


__all__ = [
    "all_gather", "all_gather_into_tensor", "all_reduce", "all_reduce_coalesced", "all_to_all", "all_to_all_single",
    "broadcast", "gather", "reduce", "reduce_scatter", "reduce_scatter_tensor", "scatter",
]  # fmt: skip
