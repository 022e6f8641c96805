"""Collectives that make new tensors and have gradients, as in torch.distributed.nn.functional."""

from jtorch.autograd.apply import call
from jtorch.groups.calls import ReduceOp, made
from jtorch.groups.collectives import exchanged, how_of, parts_of
from jtorch.groups.world import found, place_of


def all_reduce(tensor, op=ReduceOp.SUM, group=None):
    """What all ranks have, put together; its gradient is put together in the same way."""
    group = found(group)
    return made("all_reduce", [tensor], group, "nn.all_reduce", how=how_of(op))


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
    return made("scatter_ranks", call("stack", list(input_list), 0), group, "nn.reduce_scatter", how=how_of(op))


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=None):
    """The parts of a tensor, cut along its first dim, exchanged among the ranks. Only the shape of output matters."""
    group = found(group)
    inputs = parts_of(input, input_split_sizes, group)
    if not (output_split_sizes or input_split_sizes):
        return made("exchange_ranks", call("stack", inputs, 0), group, "nn.all_to_all_single").reshape(output.shape)
    shapes = [part.shape for part in parts_of(output, output_split_sizes, group)]
    return call("cat", exchanged(inputs, shapes, group, "nn.all_to_all_single"), 0)


def all_to_all(output_tensor_list, input_tensor_list, group=None):
    """Tensor i of each rank goes to rank i. Only the shapes of output_tensor_list matter."""
    shapes = [tuple(x.shape) for x in output_tensor_list]
    return tuple(exchanged(list(input_tensor_list), shapes, found(group), "nn.all_to_all"))
