"""Activations: layers that change each element alone, and those that normalize along a dim."""

import warnings

from jtorch.api.creation import empty
from jtorch.autograd.apply import call
from jtorch.nn import functional as F
from jtorch.nn import init
from jtorch.nn.modules.module import Module
from jtorch.nn.modules.multihead import MultiheadAttention
from jtorch.nn.parameter import Parameter

__all__ = [
    "Threshold", "ReLU", "RReLU", "Hardtanh", "ReLU6", "Sigmoid", "Hardsigmoid", "Tanh", "SiLU", "Mish", "Hardswish",
    "ELU", "CELU", "SELU", "GLU", "GELU", "Hardshrink", "LeakyReLU", "LogSigmoid", "Softplus", "Softshrink", "PReLU",
    "Softsign", "Tanhshrink", "Softmin", "Softmax", "Softmax2d", "LogSoftmax", "MultiheadAttention",
]  # fmt: skip

MultiheadAttention.__module__ = __name__  # torch: saved models name it here


def _if_inplace(inplace, separator=""):
    return f"{separator}inplace=True" if inplace else ""


class _Plain(Module):
    """An activation whose only argument is `inplace`."""

    __constants__ = ["inplace"]
    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return _if_inplace(self.inplace)


class _Along(Module):
    """An activation along one dim."""

    __constants__ = ["dim"]
    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class _Alpha(Module):
    __constants__ = ["alpha", "inplace"]
    alpha: float
    inplace: bool

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}{_if_inplace(self.inplace, ', ')}"


class Threshold(Module):
    """y = x where x > threshold, value elsewhere. Shape: any -> the same."""

    __constants__ = ["threshold", "value", "inplace"]

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input):
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}{_if_inplace(self.inplace, ', ')}"


class ReLU(_Plain):
    """y = max(0, x). Shape: any -> the same."""

    def forward(self, input):
        return F.relu(input, inplace=self.inplace)


class RReLU(Module):
    """y = x where x ≥ 0, a·x elsewhere; a from U(lower, upper) in training, their mean in evaluation.

    Shape: any -> the same.
    Paper: Xu et al. 2015, https://arxiv.org/abs/1505.00853
    """

    __constants__ = ["lower", "upper", "inplace"]

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input):
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}{_if_inplace(self.inplace, ', ')}"


class Hardtanh(Module):
    """y = x, kept between min_val and max_val. Shape: any -> the same. Raises: AssertionError for no such range."""

    __constants__ = ["min_val", "max_val", "inplace"]

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value=None, max_value=None
    ) -> None:
        super().__init__()
        if min_value is not None:
            _warn_renamed("min_value", "min_val")
            min_val = min_value
        if max_value is not None:
            _warn_renamed("max_value", "max_val")
            max_val = max_value
        if max_val <= min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input):
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}{_if_inplace(self.inplace, ', ')}"


def _warn_renamed(old, new):
    message = f"keyword argument `{old}` is deprecated and renamed to `{new}`"
    warnings.warn(message, FutureWarning, stacklevel=3)


class ReLU6(Hardtanh):
    """y = min(max(0, x), 6). Shape: any -> the same."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return _if_inplace(self.inplace)


class Sigmoid(Module):
    """y = 1 / (1 + exp(-x)). Shape: any -> the same."""

    def forward(self, input):
        return call("sigmoid", input)


class Hardsigmoid(_Plain):
    """y = min(max(0, x + 3), 6) / 6. Shape: any -> the same."""

    def forward(self, input):
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Tanh(Module):
    """y = tanh(x). Shape: any -> the same."""

    def forward(self, input):
        return call("tanh", input)


class SiLU(_Plain):
    """y = x · sigmoid(x), also called swish. Shape: any -> the same."""

    def forward(self, input):
        return F.silu(input, inplace=self.inplace)


class Mish(_Plain):
    """y = x · tanh(softplus(x)). Shape: any -> the same. Paper: Misra 2019, https://arxiv.org/abs/1908.08681"""

    def forward(self, input):
        return F.mish(input, inplace=self.inplace)


class Hardswish(_Plain):
    """y = x · hardsigmoid(x). Shape: any -> the same. Paper: Howard et al. 2019, https://arxiv.org/abs/1905.02244"""

    def forward(self, input):
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class ELU(_Alpha):
    """y = x where x > 0, alpha (exp(x) - 1) elsewhere. Shape: any -> the same.

    Paper: Clevert, Unterthiner and Hochreiter 2015, https://arxiv.org/abs/1511.07289
    """

    def forward(self, input):
        return F.elu(input, self.alpha, self.inplace)


class CELU(_Alpha):
    """y = max(0, x) + min(0, alpha (exp(x / alpha) - 1)). Shape: any -> the same.

    Paper: Barron 2017, https://arxiv.org/abs/1704.07483
    """

    def forward(self, input):
        return F.celu(input, self.alpha, self.inplace)


class SELU(_Plain):
    """ELU, scaled so that mean 0 and variance 1 stay. Shape: any -> the same.

    Paper: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """

    def forward(self, input):
        return F.selu(input, self.inplace)


class GLU(_Along):
    """y = a · sigmoid(b), a and b the halves of x along dim. Shape: (*, 2n, *) -> (*, n, *).

    Paper: Dauphin et al. 2016, https://arxiv.org/abs/1612.08083
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, input):
        return F.glu(input, self.dim)


class GELU(Module):
    """y = x · Φ(x), Φ the normal distribution's; approximate "tanh" computes it by tanh. Shape: any -> the same.

    Paper: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    __constants__ = ["approximate"]
    approximate: str

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input):
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class _Shrink(Module):
    __constants__ = ["lambd"]
    lambd: float

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """y = x where |x| > lambd, 0 elsewhere. Shape: any -> the same."""

    def forward(self, input):
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """y = sign(x) · max(0, |x| - lambd). Shape: any -> the same."""

    def forward(self, input):
        return F.softshrink(input, self.lambd)


class LeakyReLU(Module):
    """y = x where x ≥ 0, negative_slope · x elsewhere. Shape: any -> the same."""

    __constants__ = ["inplace", "negative_slope"]

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input):
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}{_if_inplace(self.inplace, ', ')}"


class LogSigmoid(Module):
    """y = log(sigmoid(x)). Shape: any -> the same."""

    def forward(self, input):
        return F.logsigmoid(input)


class Softplus(Module):
    """y = log(1 + exp(beta x)) / beta, and x where beta x > threshold. Shape: any -> the same."""

    __constants__ = ["beta", "threshold"]

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input):
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class PReLU(Module):
    """y = x where x ≥ 0, weight · x elsewhere. Shape: (N, C, *) -> the same.

    Attributes: weight (num_parameters,), one for all channels or one each, starting at init.
    Paper: He et al. 2015, https://arxiv.org/abs/1502.01852
    """

    __constants__ = ["num_parameters"]
    num_parameters: int

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device=None, dtype=None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight back to its start."""
        init.constant_(self.weight, self.init)

    def forward(self, input):
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Softsign(Module):
    """y = x / (1 + |x|). Shape: any -> the same."""

    def forward(self, input):
        return F.softsign(input)


class Tanhshrink(Module):
    """y = x - tanh(x). Shape: any -> the same."""

    def forward(self, input):
        return F.tanhshrink(input)


class Softmin(_Along):
    """y = exp(-x) / ∑ exp(-x), the sum along dim. Shape: any -> the same."""

    def forward(self, input):
        return F.softmin(input, self.dim, _stacklevel=5)


class Softmax(_Along):
    """y = exp(x) / ∑ exp(x), the sum along dim. Shape: any -> the same."""

    def forward(self, input):
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """Softmax over the channels of each pixel. Shape: (N, C, H, W) or (C, H, W) -> the same.

    Raises: ValueError for other numbers of dims.
    """

    def forward(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3, _stacklevel=5)


class LogSoftmax(_Along):
    """y = x - log ∑ exp(x), the sum along dim. Shape: any -> the same."""

    def forward(self, input):
        return F.log_softmax(input, self.dim, _stacklevel=5)
