"""FullyShardedDataParallel, FSDP1: a module around another whose parameters fully_shard looks after."""

from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from jtorch._tensor import Tensor, aval, read
from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.inplace import store
from jtorch.distributed.checkpoint import state_dict as states
from jtorch.distributed.fsdp.fully_shard import FSDPModule, default_mesh, fully_shard
from jtorch.distributed.fsdp.policies import MixedPrecisionPolicy
from jtorch.dtypes import dtype
from jtorch.groups import world
from jtorch.groups.device_mesh import DeviceMesh, init_device_mesh
from jtorch.nn.modules.module import Module
from jtorch.nn.utils.clip_grad import clip_grad_norm_
from jtorch.shards.dtensor import DTensor, distribute_tensor, plain

_INNER = "_fsdp_wrapped_module"


class ShardingStrategy(Enum):
    """How many ranks share the parameters: all, none, or those of a node."""

    FULL_SHARD = auto()
    SHARD_GRAD_OP = auto()
    NO_SHARD = auto()
    HYBRID_SHARD = auto()
    _HYBRID_SHARD_ZERO2 = auto()


class BackwardPrefetch(Enum):
    """When messages of a backward go: XLA orders what it does."""

    BACKWARD_PRE = auto()
    BACKWARD_POST = auto()


class StateDictType(Enum):
    """Whether state dicts have whole tensors or DTensors."""

    FULL_STATE_DICT = auto()
    LOCAL_STATE_DICT = auto()
    SHARDED_STATE_DICT = auto()


@dataclass
class MixedPrecision:
    """The dtypes of parameters in use, of gradients as they are added up, and of buffers."""

    param_dtype: dtype | None = None
    reduce_dtype: dtype | None = None
    buffer_dtype: dtype | None = None
    keep_low_precision_grads: bool = False
    cast_forward_inputs: bool = False
    cast_root_forward_inputs: bool = True


@dataclass
class CPUOffload:
    """Parameters in the host's memory: not served."""

    offload_params: bool = False


@dataclass
class StateDictConfig:
    """Whether state dicts go to the CPU."""

    offload_to_cpu: bool = False


@dataclass
class FullStateDictConfig(StateDictConfig):
    """Whether rank 0 alone keeps the whole tensors."""

    rank0_only: bool = False


@dataclass
class ShardedStateDictConfig(StateDictConfig):
    """Of state dicts with DTensors."""


@dataclass
class OptimStateDictConfig:
    """Whether optimizers' state goes to the CPU."""

    offload_to_cpu: bool = True


@dataclass
class FullOptimStateDictConfig(OptimStateDictConfig):
    """Whether rank 0 alone keeps the whole state."""

    rank0_only: bool = False


@dataclass
class ShardedOptimStateDictConfig(OptimStateDictConfig):
    """Of optimizers' state with DTensors."""


class FullyShardedDataParallel(Module):
    """A module under the name `module` whose parameters the ranks share: FSDP1, by way of fully_shard.

    https://docs.pytorch.org/docs/stable/fsdp.html
    auto_wrap_policy says which inner modules are gathered by themselves. Parameters are DTensors, each in its own
    shape, as with use_orig_params. Options for speed are taken and mean nothing.
    Raises: NotImplementedError for CPUOffload(offload_params=True).
    """

    def __init__(self, module, process_group=None, sharding_strategy=None, cpu_offload=None, auto_wrap_policy=None,
                 backward_prefetch=None, mixed_precision=None, ignored_modules=None, param_init_fn=None, device_id=None,
                 sync_module_states=False, forward_prefetch=False, limit_all_gathers=True, use_orig_params=False,
                 ignored_states=None, device_mesh=None):  # fmt: skip
        super().__init__()
        if cpu_offload is not None and cpu_offload.offload_params:
            raise NotImplementedError("FullyShardedDataParallel: parameters in the host's memory are not served")
        tensors = list(module.parameters())
        mesh = device_mesh or _mesh(process_group, sharding_strategy, tensors)
        if sync_module_states:
            with no_grad():
                for x in (*tensors, *module.buffers()):
                    whole = distribute_tensor(x, mesh, None)
                    store(x, read(plain(whole)))
        policy = _policy(mixed_precision)
        ignored = [p for part in ignored_modules or () for p in part.parameters()]
        ignored += [p for p in ignored_states or () if isinstance(p, Tensor)]
        for part in _wrapped(module, auto_wrap_policy):
            fully_shard(part, mesh=mesh, mp_policy=policy, ignored_params=ignored)
        self._modules[_INNER] = fully_shard(module, mesh=mesh, mp_policy=policy, ignored_params=ignored)
        self._kind = StateDictType.FULL_STATE_DICT
        self._config: StateDictConfig = FullStateDictConfig()

    @property
    def module(self):
        """The module itself."""
        return self._modules[_INNER]

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._modules[_INNER], name)

    def forward(self, *args, **kwargs):
        """The module's result."""
        return self.module(*args, **kwargs)

    def state_dict(self, *args, **kwargs):
        """The module's state, of whole tensors if state_dict_type says nothing else."""
        found = states.get_model_state_dict(self.module, options=self._options())
        return found

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Load a state of whole tensors or of DTensors."""
        return states.set_model_state_dict(self.module, state_dict, options=states.StateDictOptions(strict=strict))

    def _options(self):
        whole = self._kind is StateDictType.FULL_STATE_DICT
        return states.StateDictOptions(full_state_dict=whole, cpu_offload=getattr(self._config, "rank0_only", False))

    @staticmethod
    @contextmanager
    def state_dict_type(module, state_dict_type, state_dict_config=None, optim_state_dict_config=None):
        """Within it the state dicts of a tree's FSDP modules are of another type."""
        found = FullyShardedDataParallel.fsdp_modules(module)
        before = [(one._kind, one._config) for one in found]
        for one in found:
            one._kind, one._config = state_dict_type, state_dict_config or StateDictConfig()
        try:
            yield
        finally:
            for one, (kind, config) in zip(found, before, strict=True):
                one._kind, one._config = kind, config

    @staticmethod
    def fsdp_modules(module, root_only=False):
        """The FSDP modules of a tree."""
        return [one for one in module.modules() if isinstance(one, FullyShardedDataParallel)]

    @staticmethod
    def optim_state_dict(model, optim, optim_state_dict=None, group=None):
        """An optimizer's state by parameters' names."""
        return states.get_optimizer_state_dict(model.module, optim, options=model._options())

    @staticmethod
    def optim_state_dict_to_load(model, optim, optim_state_dict, is_named_optimizer=False, load_directly=False,
                                 group=None):  # fmt: skip
        """The state as `optim.load_state_dict` takes it."""
        states.set_optimizer_state_dict(model.module, optim, optim_state_dict)
        return optim.state_dict()

    def clip_grad_norm_(self, max_norm, norm_type=2.0):
        """Scale all ranks' gradients so that their norm together is at most max_norm; the norm before."""
        total = clip_grad_norm_(self.parameters(), max_norm, norm_type)
        return total.full_tensor() if isinstance(total, DTensor) else total

    @contextmanager
    def no_sync(self):
        """Gradients of several backwards: they are brought together at each, which gives the same mean."""
        yield

    @staticmethod
    @contextmanager
    def summon_full_params(module, recurse=True, writeback=True, rank0_only=False, offload_to_cpu=False,
                           with_grads=False):  # fmt: skip
        """Within it the parameters of a tree are whole; what is written into them goes back to the parts."""
        groups = [part._fsdp for part in module.modules() if isinstance(part, FSDPModule)]
        with no_grad():
            for group in groups:
                group.gather()
        try:
            yield
        finally:
            with no_grad():
                for group in groups:
                    group.scatter(writeback)


def _mesh(process_group, strategy, tensors):
    if isinstance(process_group, world.ProcessGroup):
        return DeviceMesh.from_group(process_group, aval(tensors[0]).device.type)
    mesh = default_mesh(tensors)
    if strategy is ShardingStrategy.NO_SHARD:
        return init_device_mesh(mesh.device_type, (mesh.size(), 1))
    return mesh


def _policy(given):
    if given is None:
        return MixedPrecisionPolicy()
    return MixedPrecisionPolicy(given.param_dtype, given.reduce_dtype, None, given.cast_root_forward_inputs)


def _wrapped(module, policy):
    """The inner modules that a policy chooses, the innermost first."""
    if policy is None:
        return []
    found = []

    def walk(part):
        for child in part._modules.values():
            if child is None:
                continue
            count = sum(p.numel() for p in child.parameters() if not isinstance(p, DTensor))
            if policy(module=child, recurse=True, nonwrapped_numel=count):
                walk(child)
            if policy(module=child, recurse=False, nonwrapped_numel=count) and child not in found:
                found.append(child)

    walk(module)
    return found
