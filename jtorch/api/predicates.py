"""Questions about what kind a tensor is, and the kinds and old forms of a tensor that are not here."""

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, strides
from jtorch.api import reading  # noqa: F401  (what has old names here)
from jtorch.api.attributes import get_device, is_signed
from jtorch.api.put import both, function, method

for _kind in ("ipu", "maia", "mps", "mtia", "vulkan", "xla", "xpu"):
    setattr(Tensor, f"is_{_kind}", property(lambda self: False, doc="False: there is no such device here."))
Tensor.is_sparse_csr = property(lambda self: False, doc="False: all tensors are strided.")
Tensor.volatile = property(lambda self: False, doc="False, as ever since torch 0.4.")
Tensor.name = property(lambda self: None, doc="None.")

function(is_signed)
function(get_device)


@both
def is_distributed(input):
    """False: a tensor lies on one device."""
    return False


@both
def is_same_size(input, other):
    """Whether two tensors have the same sizes."""
    return aval(input).shape == aval(other).shape


@method
def dim_order(self, *, ambiguity_check=False):
    """The dims from the one whose elements lie farthest apart to the one whose lie next to each other."""
    steps = strides(self)
    return tuple(sorted(range(len(steps)), key=lambda dim: -steps[dim]))


@method
def to_dense(self, dtype=None, *, masked_grad=None):
    """The tensor itself, or as another dtype: all tensors are dense here."""
    return self if dtype is None else self.to(dtype)


@both
def dequantize(self):
    """The tensor as float32: no tensor is quantized here."""
    return self.to(dtypes.float32)


@method
def dense_dim(self):
    """How many dims are dense: all."""
    return aval(self).ndim


@method
def sparse_dim(self):
    """How many dims are sparse: none."""
    return 0


def _strided_only(name, wanted="sparse coordinate tensor"):
    def refuse(self):
        raise RuntimeError(f"{name} expected {wanted} layout but got Strided")

    refuse.__name__ = name
    refuse.__doc__ = "Raises RuntimeError: all tensors are strided."
    method(refuse)


for _name in ("is_coalesced", "coalesce", "indices"):
    _strided_only(_name)
_strided_only("values", "sparse tensor")


@method
def module_load(self, other, assign=False):
    """What a module's parameter or buffer becomes when `other` is loaded into it."""
    return other.detach() if assign else self.copy_(other).detach()


def _elsewhere(name, error):
    def refuse(self, device=None, non_blocking=False, memory_format=None):
        raise error

    refuse.__name__ = name
    refuse.__doc__ = f"Raises {type(error).__name__}: there is no {name} here."
    method(refuse)


_elsewhere("ipu", RuntimeError("PyTorch is not linked with support for ipu devices"))
_elsewhere("xpu", AssertionError("Torch not compiled with XPU enabled"))
_elsewhere(
    "mtia",
    AssertionError(
        "Torch not compiled with MTIA enabled. Ensure you have `import mtia.host_runtime.torch_mtia.dynamic_library` "
        "in your python src file and include `//mtia/host_runtime/torch_mtia:torch_mtia` as your target dependency!"
    ),
)


@method
def reinforce(self, reward):
    """Raises RuntimeError: removed from torch in favor of torch.distributions."""
    raise RuntimeError(
        "reinforce() was removed.\nUse torch.distributions instead.\n"
        "See https://pytorch.org/docs/main/distributions.html\n\nInstead of:\n\nprobs = policy_network(state)\n"
        "action = probs.multinomial()\nnext_state, reward = env.step(action)\naction.reinforce(reward)\n"
        "action.backward()\n\nUse:\n\nprobs = policy_network(state)\n# NOTE: categorical is equivalent to what used to "
        "be called multinomial\nm = torch.distributions.Categorical(probs)\naction = m.sample()\n"
        "next_state, reward = env.step(action)\nloss = -m.log_prob(action) * reward\nloss.backward()\n"
    )


@method
def record_stream(self, stream):
    """Nothing: memory is freed when nobody uses it, on whatever stream. Raises RuntimeError for what is no stream."""
    if not hasattr(stream, "stream_id") and not hasattr(stream, "cuda_stream"):
        raise RuntimeError("unknown parameter type")


@method
def __delitem__(self, index):
    raise TypeError("Tensor does not support deleting items")


Tensor.__nonzero__ = Tensor.__bool__
Tensor.__div__, Tensor.__idiv__ = Tensor.__truediv__, Tensor.__itruediv__
Tensor.__long__ = Tensor.__int__


@method
def _is_all_true(self):
    return self.all()


@method
def _is_any_true(self):
    return self.any()


@method
def _is_zerotensor(self):
    return False
