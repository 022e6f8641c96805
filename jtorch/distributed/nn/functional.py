"""Collectives that make new tensors and have gradients, as in torch.distributed.nn.functional."""

from jtorch.autograd.apply import call
from jtorch.groups.calls import ReduceOp, made
from jtorch.groups.collectives import how_of, place_of
from jtorch.groups.world import found


def all_reduce(tensor, op=ReduceOp.SUM, group=None):
    """What all ranks have, put together; its gradient is put together in the same way."""
    group = found(group)
    return made("all_reduce", [tensor], group, "nn.all_reduce", how=how_of(op, group))


def broadcast(tensor, src, group=None):
    """The tensor of rank src; its gradients of all ranks are added up there."""
    group = found(group)
    return made("broadcast_ranks", [tensor], group, "nn.broadcast", source=place_of(group, src, None, "src"))


def all_gather(tensor, group=None):
    """The tensors of all ranks, as a tuple."""
    return tuple(call("unbind", made("gather_ranks", tensor, found(group), "nn.all_gather"), 0))


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None):
    """Part i of all ranks' lists put together, on rank i. Only the shape of output matters."""
    group = found(group)
    return made("scatter_ranks", call("stack", list(input_list), 0), group, "nn.reduce_scatter", how=how_of(op, group))


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=None):
    """The parts of a tensor, cut evenly along its first dim, exchanged among the ranks."""
    group = found(group)
    if input.shape[0] % group.size() or len(set(output_split_sizes or ()) | set(input_split_sizes or ())) > 1:
        raise NotImplementedError("all_to_all_single: parts of different sizes are not exchanged yet; pad them")
    parts = input.reshape(group.size(), -1, *input.shape[1:])
    return made("exchange_ranks", parts, group, "nn.all_to_all_single").reshape(tuple(output.shape))


def all_to_all(output_tensor_list, input_tensor_list, group=None):
    """Tensor i of each rank goes to rank i. All have one shape."""
    stacked = call("stack", list(input_tensor_list), 0)
    return tuple(call("unbind", made("exchange_ranks", stacked, found(group), "nn.all_to_all"), 0))
