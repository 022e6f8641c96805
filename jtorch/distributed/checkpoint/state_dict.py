"""State dicts by the names of parameters, whatever wraps the model, for checkpoints that any layout can load."""

from dataclasses import dataclass

from jtorch import devices
from jtorch._tensor import Tensor, aval
from jtorch.api.put import FUNCTIONS
from jtorch.autograd.grad_mode import no_grad
from jtorch.groups import messages, world
from jtorch.nn.modules.module_state import _IncompatibleKeys
from jtorch.nn.parallel import DataParallel, DistributedDataParallel
from jtorch.shards.dtensor import DTensor, distribute_tensor


@dataclass
class StateDictOptions:
    """What state dicts hold and how they are loaded.

    full_state_dict: whole tensors, with cpu_offload on rank 0 alone. broadcast_from_rank0: rank 0's are taken by all.
    flatten_optimizer_state_dict: names in the place of nested dicts.
    """

    full_state_dict: bool = False
    cpu_offload: bool = False
    ignore_frozen_params: bool = False
    keep_submodule_prefixes: bool = True
    strict: bool = True
    broadcast_from_rank0: bool = False
    flatten_optimizer_state_dict: bool = False
    dsd_fqn_modifiers: str = "_fqn_modifiers"


_WRAPPED = "_fsdp_wrapped_module."


def _name(model, name):
    """A parameter's name in the model as its author wrote it."""
    name = name.replace(_WRAPPED, "").replace("_orig_mod.", "")
    if isinstance(model, (DataParallel, DistributedDataParallel)):
        name = name.removeprefix("module.")
    return name


def _given_out(value, options):
    """A value as the options want it."""
    if isinstance(value, dict):
        return {key: _given_out(item, options) for key, item in value.items()}
    if not isinstance(value, Tensor):
        return value
    if options.full_state_dict and isinstance(value, DTensor):
        value = value.full_tensor()
    if options.cpu_offload and aval(value).device is not devices.CPU:
        value = value.to("cpu")
    return value.detach()


def _kept_here(options):
    """Whether this rank keeps whole tensors: with cpu_offload only rank 0 does."""
    whole = options.full_state_dict and options.cpu_offload
    return not whole or not world.is_initialized() or world.get_rank() == 0


@no_grad()
def get_model_state_dict(model, *, submodules=None, options=None):
    """The model's state by its parameters' names: DTensors where it is sharded, or whole tensors."""
    options = options or StateDictOptions()
    frozen = (
        {name for name, p in model.named_parameters() if not p.requires_grad} if options.ignore_frozen_params else ()
    )
    found = {_name(model, name): _given_out(value, options) for name, value in model.state_dict().items()
             if name not in frozen}  # fmt: skip
    return found if _kept_here(options) else {}


def _optimizers(optimizers):
    return (optimizers,) if hasattr(optimizers, "param_groups") else tuple(optimizers)


def _names(model):
    return {id(p): _name(model, name) for name, p in model.named_parameters(remove_duplicate=False)}


def _begin_states(optimizer):
    """Give an optimizer that has not stepped yet its state, without a change of the parameters."""
    if optimizer.state:
        return
    params = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    if any(p._grad is not None for p in params):
        raise RuntimeError("state_dict can only be used if the optimizer states are initialized (usually after one "
                           "step() with gradients) or gradients are None.")  # fmt: skip
    rates = [group.get("lr") for group in optimizer.param_groups]
    before = [p.detach().clone() for p in params]
    for p in params:
        p.grad = FUNCTIONS["zeros_like"](p)
    for group in optimizer.param_groups:
        if "lr" in group:
            group["lr"] = FUNCTIONS["tensor"](0.0) if isinstance(group["lr"], Tensor) else 0.0
    optimizer.step()
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if "lr" in group:
            group["lr"] = rate
    for p, value in zip(params, before, strict=True):
        p.copy_(value)
    optimizer.zero_grad(set_to_none=True)


@no_grad()
def get_optimizer_state_dict(model, optimizers, *, submodules=None, options=None):
    """The optimizers' state by parameters' names. One that has not stepped yet gets its state first."""
    options = options or StateDictOptions()
    names = _names(model)
    state, groups = {}, []
    for optimizer in _optimizers(optimizers):
        _begin_states(optimizer)
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p in optimizer.state:
                    state[names[id(p)]] = _given_out(dict(optimizer.state[p]), options)
            own = {key: value for key, value in group.items() if key != "params"}
            groups.append({**own, "params": [names[id(p)] for p in group["params"]]})
    if not _kept_here(options):
        return {}
    if options.flatten_optimizer_state_dict:
        return _flat(state, groups)
    return {"state": state, "param_groups": groups}


def _flat(state, groups):
    found = {f"state.{name}.{key}": value for name, fields in state.items() for key, value in fields.items()}
    for group in groups:
        for name in group["params"]:
            found.update({f"param_groups.{name}.{key}": value for key, value in group.items() if key != "params"})
    return found


def get_state_dict(model, optimizers, *, submodules=None, options=None):
    """(the model's state, the optimizers' state) by parameters' names."""
    return (get_model_state_dict(model, options=options),
            get_optimizer_state_dict(model, optimizers, options=options))  # fmt: skip


def _from_rank0(state, options):
    """The state that rank 0 has, on all ranks."""
    if not options.broadcast_from_rank0 or not world.is_initialized() or world.get_world_size() == 1:
        return state
    given = [state]
    messages.broadcast_object_list(given, src=0)
    return given[0]


def _as(value, like):
    """A loaded value laid out as what it replaces."""
    if isinstance(like, DTensor) and isinstance(value, Tensor) and not isinstance(value, DTensor):
        return distribute_tensor(value.to(aval(like).device), like.device_mesh, like.placements, src_data_rank=None)
    return value


@no_grad()
def set_model_state_dict(model, model_state_dict, *, options=None):
    """Load a state by parameters' names into the model; whole tensors are cut as its parameters are."""
    options = options or StateDictOptions()
    given = _from_rank0(model_state_dict, options)
    own = model.state_dict()
    names = {_name(model, name): name for name in own}
    state = {names.get(name, name): _as(value, own.get(names.get(name))) for name, value in given.items()}
    if not given and not options.strict:
        return _IncompatibleKeys([], [])
    return model.load_state_dict(state, strict=options.strict)


@no_grad()
def set_optimizer_state_dict(model, optimizers, optim_state_dict, *, options=None):
    """Load optimizers' state by parameters' names."""
    options = options or StateDictOptions()
    given = _from_rank0(optim_state_dict, options)
    names = _names(model)
    for optimizer in _optimizers(optimizers):
        _begin_states(optimizer)
        numbered = optimizer.state_dict()
        params = [p for group in optimizer.param_groups for p in group["params"]]
        for number, p in enumerate(params):
            if number in numbered["state"]:
                numbered["state"][number] = _fields(given, names[id(p)], optimizer.state[p], p)
        for group, now in zip(numbered["param_groups"], optimizer.param_groups, strict=True):
            group.update(_options(given, [names[id(p)] for p in now["params"]], group))
        optimizer.load_state_dict(numbered)


def _fields(given, name, before, param):
    """The state of one parameter, in the layout that it has now."""
    if "state" in given:
        return {key: _as(value, before.get(key)) for key, value in given["state"][name].items()}
    return {key: _as(given[f"state.{name}.{key}"], before[key]) for key in before}


def _options(given, names, group):
    if "param_groups" in given:
        found = next((g for g in given["param_groups"] if set(g["params"]) == set(names)), {})
        return {key: value for key, value in found.items() if key != "params"}
    keys = [key for key in group if key != "params" and f"param_groups.{names[0]}.{key}" in given]
    return {key: given[f"param_groups.{names[0]}.{key}"] for key in keys}


def set_state_dict(model, optimizers, *, model_state_dict, optim_state_dict, options=None):
    """Load both. Returns the names that were missing or not expected."""
    result = set_model_state_dict(model, model_state_dict, options=options)
    set_optimizer_state_dict(model, optimizers, optim_state_dict, options=options)
    return result


__all__ = [
    "StateDictOptions", "get_model_state_dict", "get_optimizer_state_dict", "get_state_dict", "set_model_state_dict",
    "set_optimizer_state_dict", "set_state_dict",
]  # fmt: skip
