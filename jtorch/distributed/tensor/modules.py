"""distribute_module: a module whose parameters and buffers lie on a device mesh."""

import inspect

from jtorch.nn.parameter import Parameter
from jtorch.shards.dtensor import DTensor, distribute_tensor
from jtorch.shards.placements import REPLICATE


def placed(module, name, mesh, placements, src_data_rank=0):
    """Let a parameter of a module lie on a mesh."""
    param = module._parameters[name]
    if param is not None and not isinstance(param, DTensor):
        made = distribute_tensor(param.detach(), mesh, placements, src_data_rank=src_data_rank)
        module._parameters[name] = Parameter(made, requires_grad=param.requires_grad)


def replicate_rest(module, mesh, src_data_rank=0):
    """Let the parameters and buffers that do not lie on a mesh yet be whole on each of its ranks."""
    whole = (REPLICATE,) * mesh.ndim
    for name in module._parameters:
        placed(module, name, mesh, whole, src_data_rank)
    for name, buffer in module._buffers.items():
        if buffer is not None and not isinstance(buffer, DTensor):
            module._buffers[name] = distribute_tensor(buffer, mesh, whole, src_data_rank=src_data_rank)


def distribute_module(module, device_mesh=None, partition_fn=None, input_fn=None, output_fn=None):
    """Place the parameters of a tree by partition_fn(name, module, mesh) of each module; the rest is replicated.

    input_fn(module, inputs, mesh) and output_fn(module, outputs, mesh) change what goes in and out.
    """
    for name, part in module.named_modules():
        if partition_fn is not None:
            partition_fn(name, part, device_mesh)
        replicate_rest(part, device_mesh)
    if input_fn is not None:
        if len(inspect.signature(input_fn).parameters) != 3:
            raise ValueError(f"input_fn should take in 3 arguments, but got {input_fn} arguments!")
        module.register_forward_pre_hook(lambda mod, inputs: input_fn(mod, inputs, device_mesh))
    if output_fn is not None:
        module.register_forward_hook(lambda mod, inputs, outputs: output_fn(mod, outputs, device_mesh))
    return module


__all__ = ["distribute_module"]
