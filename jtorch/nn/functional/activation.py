"""Activations as functions, with torch's signatures and inplace flags."""

import warnings

from jtorch import _tensor
from jtorch._tensor import Tensor
from jtorch.api.drawing import draw
from jtorch.api.put import FUNCTIONS
from jtorch.api.variants import build, functions
from jtorch.autograd.apply import apply
from jtorch.autograd.inplace import inplace as write
from jtorch.ops.op import TABLE

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu",
    "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip

_FREE = functions("nn.functional")
gelu = _FREE["gelu"]
softplus, softshrink = _FREE["softplus"], _FREE["softshrink"]
_TORCH = functions("torch")
logsigmoid = build(TABLE["logsigmoid"], "log_sigmoid")  # torch: by this name
hardshrink, prelu = _TORCH["hardshrink"], _TORCH["prelu"]


def _run(name, input, attrs, inplace):
    op = TABLE[name]
    return write(op, input, (input,), attrs) if inplace else apply(op, (input,), attrs)


def relu(input, inplace=False):
    """max(0, input), element by element. Shape: any -> the same."""
    return _run("relu", input, (), inplace)


def relu_(input):
    """relu in place."""
    return _run("relu", input, (), True)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """input bounded to [min_val, max_val]. Shape: any -> the same. Raises ValueError for bounds in the wrong order."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _run("hardtanh", input, (min_val, max_val), inplace)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """hardtanh in place."""
    return hardtanh(input, min_val, max_val, True)


def relu6(input, inplace=False):
    """input bounded to [0, 6]. Shape: any -> the same."""
    return _run("hardtanh", input, (0.0, 6.0), inplace)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """input where positive, negative_slope · input elsewhere. Shape: any -> the same."""
    return _run("leaky_relu", input, (negative_slope,), inplace)


def leaky_relu_(input, negative_slope=0.01):
    """leaky_relu in place."""
    return leaky_relu(input, negative_slope, True)


def elu(input, alpha=1.0, inplace=False):
    """input where positive, alpha · (exp(input) - 1) elsewhere. Shape: any -> the same."""
    return _run("elu", input, (alpha, 1.0, 1.0), inplace)


def elu_(input, alpha=1.0):
    """elu in place."""
    return elu(input, alpha, True)


def selu(input, inplace=False):
    """elu scaled so that activations keep their mean and variance (arXiv:1706.02515). Shape: any -> the same."""
    return _run("selu", input, (), inplace)


def selu_(input):
    """selu in place."""
    return selu(input, True)


def celu(input, alpha=1.0, inplace=False):
    """max(0, x) + min(0, alpha · (exp(x / alpha) - 1)). Shape: any -> the same."""
    return _run("celu", input, (alpha,), inplace)


def celu_(input, alpha=1.0):
    """celu in place."""
    return celu(input, alpha, True)


def silu(input, inplace=False):
    """input · sigmoid(input). Shape: any -> the same."""
    return _run("silu", input, (), inplace)


def mish(input, inplace=False):
    """input · tanh(softplus(input)). Shape: any -> the same."""
    return _run("mish", input, (), inplace)


def hardsigmoid(input, inplace=False):
    """clamp(input / 6 + 1 / 2, 0, 1). Shape: any -> the same."""
    return _run("hardsigmoid", input, (), inplace)


def hardswish(input, inplace=False):
    """input · hardsigmoid(input). Shape: any -> the same."""
    return _run("hardswish", input, (), inplace)


def threshold(input, threshold, value, inplace=False):
    """input where it is greater than threshold, value elsewhere. Shape: any -> the same."""
    return _run("threshold", input, (threshold, value), inplace)


def threshold_(input, threshold, value):
    """threshold in place."""
    return _run("threshold", input, (threshold, value), True)


def glu(input, dim=-1):
    """The first half of a dim, times the sigmoid of the second. Raises RuntimeError for an odd size."""
    return apply(TABLE["glu"], (input,), (dim,))


def softsign(input):
    """input / (1 + |input|). Shape: any -> the same."""
    return input / (input.abs() + 1)


def tanhshrink(input):
    """input - tanh(input). Shape: any -> the same."""
    return input - input.tanh()


def tanh(input):
    """The hyperbolic tangent. Shape: any -> the same."""
    return input.tanh()


def sigmoid(input):
    """1 / (1 + exp(-input)). Shape: any -> the same."""
    return input.sigmoid()


def _softmax_dim(name, input, dim, stacklevel):
    """The dim torch falls back to, with its warning, when none is given."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    ndim = _tensor.aval(input).ndim
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(input), scaled to sum to 1 along dim. Shape: any -> the same."""
    return apply(TABLE["softmax"], (input,), (_softmax_dim("softmax", input, dim, _stacklevel), dtype))


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """The logarithm of softmax. Shape: any -> the same."""
    return apply(TABLE["log_softmax"], (input,), (_softmax_dim("log_softmax", input, dim, _stacklevel), dtype))


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax of -input. Shape: any -> the same."""
    dim = _softmax_dim("softmin", input, dim, _stacklevel)
    return apply(TABLE["softmax"], (-input if isinstance(input, Tensor) else input,), (dim, dtype))


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """input where positive, elsewhere times a slope: drawn from U(lower, upper) in training, else their mean.

    On the CPU torch draws for the elements that are not positive alone, so their values are read.
    Raises RuntimeError for bounds in the wrong order.
    """
    return FUNCTIONS["rrelu_" if inplace else "rrelu"](input, lower, upper, training)


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    """rrelu in place."""
    return rrelu(input, lower, upper, training, True)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A softmax of logits with Gumbel noise (arXiv:1611.00712); hard gives one-hot samples with its gradient."""
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    a = _tensor.aval(logits)
    noise = -draw("exponential", None, a.shape, a.dtype, a.device, 1.0).log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    return soft.detach().clone().zero_().scatter_(dim, index, 1.0) - soft.detach() + soft
