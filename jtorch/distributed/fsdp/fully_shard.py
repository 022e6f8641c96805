"""fully_shard: modules whose parameters, gradients and optimizer state lie in parts on the ranks, whole in use."""

import functools

from jtorch import devices
from jtorch._tensor import Tensor, aval
from jtorch.distributed.fsdp.group import Group, Sharded
from jtorch.distributed.fsdp.policies import CPUOffloadPolicy, MixedPrecisionPolicy, OffloadPolicy
from jtorch.groups import world
from jtorch.groups.device_mesh import init_device_mesh
from jtorch.nn.modules.module import Module
from jtorch.nn.parallel.steps import begin_step


class _Running:
    depth = 0  # how many sharded modules' forwards are under way


class UnshardHandle:
    """What an asynchronous unshard() gives: the wholes are recorded, and come when somebody looks at them."""

    def wait(self):
        """Go on once the parameters are whole."""


class FSDPModule:
    """What fully_shard adds to a module's class.

    Options about when messages go (prefetching, streams, resharding) are taken and mean nothing: XLA orders what it
    does, and keeps a whole parameter as long as the step has use for it.
    """

    def __call__(self, *args, **kwargs):
        state = self._fsdp
        if not _Running.depth:
            begin_step(self)
        policy = state.policy
        if policy.param_dtype is not None and policy.cast_forward_inputs:
            args, kwargs = cast_all((args, kwargs), policy.param_dtype)
        state.gather()
        _Running.depth += 1
        try:
            out = super().__call__(*args, **kwargs)
        finally:
            _Running.depth -= 1
            state.scatter()
        return out if policy.output_dtype is None else cast_all(out, policy.output_dtype)

    def unshard(self, async_op=False):
        """Let the parameters be whole until the next reshard() or forward's end."""
        self._fsdp.gather()
        return UnshardHandle() if async_op else None

    def reshard(self):
        """Let each rank have its parts again."""
        self._fsdp.scatter()

    def set_requires_gradient_sync(self, requires_gradient_sync, *, recurse=True):
        """Whether gradients are brought together: they always are, since means add up to the same mean."""

    def set_gradient_divide_factor(self, factor):
        """What the sum of the ranks' gradients is divided by, instead of their number."""
        self._fsdp.factor = factor

    set_reduce_scatter_divide_factor = set_gradient_divide_factor

    def set_reshard_after_forward(self, reshard_after_forward, recurse=True):
        """An option about when messages go: XLA orders what it does. Raises ValueError for what is no bool."""
        if not isinstance(reshard_after_forward, bool):
            raise ValueError(f"reshard_after_forward should be a bool, got {type(reshard_after_forward)}")

    def __deepcopy__(self, memo):
        raise AssertionError("FSDP does not support deepcopy. Please use state dict for serialization.")


def _taken(name):
    def option(self, *args, **kwargs):
        return None

    option.__name__ = option.__qualname__ = name
    option.__doc__ = "An option about when messages go: XLA orders what it does."
    return option


for _name in (
    "set_is_last_backward", "set_requires_all_reduce", "set_reshard_after_backward", "set_symm_mem_for_comm",
    "set_custom_all_gather", "set_custom_reduce_scatter", "set_post_optim_event", "set_reduce_scatter_unused_params",
    "set_modules_to_forward_prefetch", "set_modules_to_backward_prefetch", "set_unshard_in_backward",
    "set_force_sum_reduction_for_comms", "set_allocate_memory_from_process_group_for_comm",
    "set_separate_reduce_scatter_group", "set_reduce_scatter_max_input_buffers", "reset_iter_state",
):  # fmt: skip
    setattr(FSDPModule, _name, _taken(_name))
FSDPModule.__module__ = "torch.distributed.fsdp"


def cast_all(value, dtype):
    """A value with the floating tensors in its containers cast."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if isinstance(value, dict):
        return type(value)((key, cast_all(item, dtype)) for key, item in value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(cast_all(item, dtype) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(cast_all(item, dtype) for item in value)
    return value


@functools.cache
def _class(cls):
    return type(f"FSDP{cls.__name__}", (FSDPModule, cls), {"__module__": cls.__module__})


def _managed(modules, ignored):
    """{id: (parameter, its places)} of the trees that no fully_shard looks after yet."""
    found, seen = {}, set()

    def walk(module):
        if id(module) in seen or isinstance(module, FSDPModule):
            return
        seen.add(id(module))
        for name, param in module._parameters.items():
            if param is not None and id(param) not in ignored:
                found.setdefault(id(param), (param, []))[1].append((module, name))
        for child in module._modules.values():
            if child is not None:
                walk(child)

    for module in modules:
        walk(module)
    return found


def default_mesh(tensors):
    """A mesh of all ranks, or of this process's cuda devices where it is alone and the tensors are there."""
    kind = next((aval(x).device.type for x in tensors if aval(x).device is not devices.META), "cpu")
    alone = not world.is_initialized() or world.get_world_size() == 1
    count = max(1, len(devices.cuda_devices())) if alone and kind == "cuda" else 1
    return init_device_mesh(kind, (count if alone else world.get_world_size(),))


def fully_shard(module, *, mesh=None, reshard_after_forward=None, shard_placement_fn=None,
                mp_policy=MixedPrecisionPolicy(), offload_policy=OffloadPolicy(), ignored_params=None,  # noqa: B008
                dp_mesh_dims=None):  # fmt: skip
    """Let the ranks of a mesh share a module's parameters, along their first dim: FSDP2.

    https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html
    The module's class gets FSDPModule in front; its parameters become DTensors that a nested fully_shard has not taken.
    In forward they are whole, gathered in one message; the gradients' mean comes back in another. A mesh of two dims
    holds copies along the first. Applied to inner modules first, as in torch.
    Raises: ValueError for containers without forward; NotImplementedError for CPUOffloadPolicy on other devices than
    the CPU, where parts lie in the host's memory anyway.
    """
    modules = [module] if isinstance(module, Module) else list(module)
    for one in modules:
        if type(one).forward is Module.forward:
            raise ValueError(f"fully_shard does not support containers that do not implement forward: {one}")
        if isinstance(one, FSDPModule):
            raise ValueError(f"fully_shard was already applied to {type(one).__name__}")
    found = _managed(modules, set(map(id, ignored_params or ())))
    mesh = mesh or default_mesh([param for param, _ in found.values()])
    if isinstance(offload_policy, CPUOffloadPolicy) and mesh.device_type != "cpu":
        raise NotImplementedError("fully_shard: parameters in the host's memory (CPUOffloadPolicy) are not served")
    if mesh.ndim > 2:
        raise ValueError(f"fully_shard expects a 1D or 2D DeviceMesh but got {mesh}")
    params = [Sharded(param, places, mesh, _dim(param, shard_placement_fn)) for param, places in found.values()]
    group = Group(params, mesh, mp_policy)
    for one in modules:
        one.__class__ = _class(type(one))
        object.__setattr__(one, "_fsdp", group if one is modules[0] else Group([], mesh, mp_policy))
    return module


def _dim(param, placement_fn):
    """The dim that a parameter is cut along: the first, if nobody says otherwise."""
    placement = placement_fn(param) if placement_fn is not None else None
    if not aval(param).ndim:
        raise ValueError(
            "fully_shard does not support scalar parameters. Change it to a 1D tensor with numel equal to 1."
        )
    return 0 if placement is None else placement.dim % aval(param).ndim


def register_fsdp_forward_method(module, method_name):
    """Let another method of a sharded module work on whole parameters, as forward does."""
    if not isinstance(module, FSDPModule):
        return
    if not hasattr(module, method_name):
        raise ValueError(f"{type(module)} does not have a method {method_name}")
    method = getattr(module, method_name)

    @functools.wraps(method)
    def whole(*args, **kwargs):
        module._fsdp.gather()
        try:
            return method(*args, **kwargs)
        finally:
            module._fsdp.scatter()

    object.__setattr__(module, method_name, whole)
