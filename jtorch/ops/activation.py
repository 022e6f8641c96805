"""Activation functions: each acts on one element, but for glu and the softmaxes, which look along one dim."""

import math

import jax.numpy as jnp
from jax import lax

from jtorch import dtypes, shapes
from jtorch.ops.op import EXACT, FOUND, Array, DType, op, widened

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@op("relu", method=True, inplace=True, saves=("result",), follows=True)
def relu(input: Array):
    """x where it is positive, else 0. Shape: any -> the same."""
    if input.dtype == bool:
        raise RuntimeError("Boolean inputs not supported for relu")
    return jnp.maximum(input, 0)


@relu.gradient
def _(grad, result, input):
    # torch: no slope at 0, and nan lets the gradient through.
    return (jnp.where(result <= 0, 0, grad),)


@op("hardtanh", door="nn.functional", follows=True)
def hardtanh(input: Array, min_val=-1.0, max_val=1.0):
    """x kept between two bounds. Shape: any -> the same."""
    return jnp.clip(input, jnp.asarray(min_val, input.dtype), jnp.asarray(max_val, input.dtype))


@hardtanh.gradient
def _(grad, result, input, min_val, max_val):
    # torch: no slope on a bound.
    return (jnp.where((input > min_val) & (input < max_val), grad, 0),)


@op("leaky_relu", door="nn.functional", follows=True)
@widened
def leaky_relu(input: Array, negative_slope=0.01):
    """x where it is positive, else negative_slope · x. Shape: any -> the same."""
    return jnp.where(input > 0, input, input * negative_slope)


@leaky_relu.gradient
@widened
def _(grad, result, input, negative_slope):
    return (jnp.where(input > 0, grad, grad * negative_slope),)


def _negative(x):
    return jnp.where(x >= 0, 0, x)


def _rrelu_name(operands, attrs):
    return f"RreluWithNoiseBackward{int(attrs[-1])}", 0


@op("rrelu_eval", door=None, grad_name=_rrelu_name, follows=True)
@widened
def rrelu_eval(input: Array, slope, in_place):
    """input where positive, slope · input elsewhere. Shape: any -> the same."""
    dtypes.need_floating("leaky_relu_cpu", input.dtype)
    return jnp.where(input > 0, input, input * slope)


@op("rrelu_train", door=None, grad_name=_rrelu_name)
def rrelu_train(input: Array, noise: Array, in_place):
    """input times the slopes drawn for it, which may be of a wider dtype. Shape: any, twice -> the same."""
    return (input * noise).astype(input.dtype)


@rrelu_train.gradient
def _(grad, result, input, noise, in_place):
    return grad * noise.astype(grad.dtype), None


@op("elu", door="nn.functional", follows=True)
@widened
def elu(input: Array, alpha=1.0, scale=1.0, input_scale=1.0):
    """scale · x where x is positive, else scale · alpha · (e^(input_scale · x) - 1). Shape: any -> the same."""
    dtypes.need_floating("elu_cpu", input.dtype)
    negative = jnp.expm1(_negative(input) * input_scale) * (alpha * scale)
    return jnp.where(input > 0, input * scale, negative)


@elu.gradient
@widened
def _(grad, result, input, alpha, scale, input_scale):
    slope = jnp.exp(_negative(input) * input_scale) * (input_scale * alpha * scale)
    return (grad * jnp.where(input > 0, scale, slope),)


@op("selu", grad_name="EluBackward0", follows=True)
@widened
def selu(input: Array):
    """elu with the scales that keep mean 0 and variance 1 (Klambauer et al. 2017). Shape: any -> the same."""
    dtypes.need_floating("elu_cpu", input.dtype)
    negative = jnp.expm1(_negative(input)) * (_SELU_ALPHA * _SELU_SCALE)
    return jnp.where(input > 0, input * _SELU_SCALE, negative)


@selu.gradient
@widened
def _(grad, result, input):
    slope = jnp.exp(_negative(input)) * (_SELU_ALPHA * _SELU_SCALE)
    return (grad * jnp.where(input > 0, _SELU_SCALE, slope),)


@op("celu", follows=True)
@widened
def celu(input: Array, alpha=1.0):
    """x where it is positive, else alpha · (e^(x / alpha) - 1). Shape: any -> the same."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    dtypes.need_floating("elu_cpu", input.dtype)
    return jnp.where(input > 0, input, jnp.expm1(_negative(input) * (1.0 / alpha)) * alpha)


@celu.gradient
@widened
def _(grad, result, input, alpha):
    return (grad * jnp.where(input > 0, 1, jnp.exp(_negative(input) * (1.0 / alpha))),)


@op("gelu", door="nn.functional", out=FOUND, follows=True)
@widened
def gelu(input: Array, *, approximate="none"):
    """x · Φ(x), Φ the normal distribution's cdf, or its tanh approximation. Shape: any -> the same."""
    dtypes.need_floating("GeluKernelImpl", input.dtype)
    if approximate == "tanh":
        return 0.5 * input * (1 + jnp.tanh(_gelu_inner(input)))
    if approximate != "none":
        raise RuntimeError("approximate argument must be either none or tanh.")
    return 0.5 * input * (1 + lax.erf(input * math.sqrt(0.5)))


def _gelu_inner(x):
    return math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))


@gelu.gradient
@widened
def _(grad, result, input, approximate):
    if approximate == "tanh":
        tanh = jnp.tanh(_gelu_inner(input))
        inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * input * input)
        return (grad * (0.5 * (1 + tanh) + 0.5 * input * (1 - tanh * tanh) * inner),)
    cdf = 0.5 * (1 + lax.erf(input * math.sqrt(0.5)))
    density = jnp.exp(-0.5 * input * input) * (1 / math.sqrt(2 * math.pi))
    return (grad * (cdf + input * density),)


@op("silu", door="nn.functional", follows=True)
@widened
def silu(input: Array):
    """x · sigmoid(x). Shape: any -> the same."""
    if not jnp.issubdtype(input.dtype, jnp.complexfloating):
        dtypes.need_floating("silu_cpu", input.dtype)
    return input / (1 + jnp.exp(-input))


@silu.gradient
@widened
def _(grad, result, input):
    gate = lax.logistic(input)
    return (grad * jnp.conj(gate * (1 + input * (1 - gate))),)


@op("mish", door="nn.functional", follows=True)
@widened
def mish(input: Array):
    """x · tanh(log(1 + eˣ)). Shape: any -> the same."""
    dtypes.need_floating("mish_cpu", input.dtype)
    return input * jnp.tanh(jnp.logaddexp(input, 0))


@mish.gradient
@widened
def _(grad, result, input):
    tanh, gate = jnp.tanh(jnp.logaddexp(input, 0)), lax.logistic(input)
    return (grad * (tanh + input * gate * (1 - tanh * tanh)),)


@op("softplus", door="nn.functional", out=FOUND, follows=True)
@widened
def softplus(input: Array, beta=1.0, threshold=20.0):
    """log(1 + e^(beta · x)) / beta; x itself where beta · x is above the threshold. Shape: any -> the same."""
    dtypes.need_floating("softplus_cpu", input.dtype)
    scaled = input * beta
    straight = scaled > threshold
    return jnp.where(straight, input, jnp.log1p(jnp.exp(jnp.where(straight, 0, scaled))) * (1.0 / beta))


@softplus.gradient
@widened
def _(grad, result, input, beta, threshold):
    scaled = input * beta
    return (jnp.where(scaled > threshold, grad, grad * lax.logistic(scaled)),)


@op("hardsigmoid", door="nn.functional", follows=True)
@widened
def hardsigmoid(input: Array):
    """x / 6 + 1/2, kept between 0 and 1. Shape: any -> the same."""
    dtypes.need_floating("hardsigmoid_cpu", input.dtype)
    return jnp.clip(input + 3, 0, 6) / 6


@hardsigmoid.gradient
@widened
def _(grad, result, input):
    return (jnp.where((input > -3) & (input < 3), grad / 6, 0),)


@op("hardswish", door="nn.functional", follows=True)
@widened
def hardswish(input: Array):
    """x · hardsigmoid(x). Shape: any -> the same."""
    dtypes.need_floating("hardswish_cpu", input.dtype)
    return input * jnp.clip(input + 3, 0, 6) / 6


@hardswish.gradient
@widened
def _(grad, result, input):
    inside = grad * (input / 3 + 0.5)
    return (jnp.where(input <= -3, 0, jnp.where(input >= 3, grad, inside)),)


@op("logsigmoid", door="nn.functional", out=True, grad_name="LogSigmoidBackward0")
@widened
def logsigmoid(input: Array):
    """log(sigmoid(x)). Shape: any -> the same."""
    dtypes.need_floating("log_sigmoid_cpu", input.dtype)
    return jnp.minimum(input, 0) - jnp.log1p(jnp.exp(-jnp.abs(input)))


@logsigmoid.gradient
@widened
def _(grad, result, input):
    return (grad * lax.logistic(-input),)


@op("softshrink", door="nn.functional", out=FOUND, follows=True)
def softshrink(input: Array, lambd=0.5):
    """x drawn lambd nearer to 0, and 0 within lambd of it. Shape: any -> the same."""
    dtypes.need_floating("softshrink_cpu", input.dtype)
    if lambd < 0:
        label, most = dtypes.from_numpy(input.dtype).label, float(jnp.finfo(input.dtype).max)
        raise RuntimeError(f"lambda must be in range [0, {most:g}] for input dtype {label}, but found {lambd:g}")
    small = jnp.where(jnp.isnan(input), input, 0)
    return jnp.where(input > lambd, input - lambd, jnp.where(input < -lambd, input + lambd, small))


@softshrink.gradient
def _(grad, result, input, lambd):
    return (jnp.where((input < -lambd) | (input > lambd), grad, 0),)


@op("hardshrink", method=True, out=FOUND, follows=True)
def hardshrink(input: Array, lambd=0.5):
    """x, but 0 within lambd of 0. Shape: any -> the same."""
    dtypes.need_floating("hardshrink_cpu", input.dtype)
    return jnp.where((input >= -lambd) & (input <= lambd), 0, input)


@hardshrink.gradient
def _(grad, result, input, lambd):
    return (jnp.where((input < -lambd) | (input > lambd), grad, 0),)


@op("threshold", follows=True)
def threshold(input: Array, threshold, value):
    """x where it is above the threshold, else value. Shape: any -> the same."""
    return jnp.where(input <= threshold, jnp.asarray(value, input.dtype), input)


@threshold.gradient
def _(grad, result, input, threshold, value):
    return (jnp.where(input <= threshold, 0, grad),)


@op("prelu", method=True, grad_name="PreluKernelBackward0")
def prelu(input: Array, weight: Array):
    """x where it is positive, else weight · x. Shape: (N, C, *), weight (C,) or of one element -> the same."""
    if input.dtype != weight.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {dtypes.from_numpy(input.dtype).label.lower()} and "
            f"{dtypes.from_numpy(weight.dtype).label.lower()}"
        )
    return jnp.where(input > 0, input, _per_channel(weight, input) * input)


def _per_channel(weight, input):
    """weight, of shape (C,), laid along the channels of the input."""
    if weight.size != 1:
        if not input.ndim:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if channels != weight.size:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {weight.size} "
                f"and channel size = {channels}."
            )
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    return weight.reshape((-1,) + (1,) * max(input.ndim - 2, 0)) if input.ndim else weight.reshape(())


@prelu.gradient
def _(grad, result, input, weight):
    along = _per_channel(weight, input)
    slope = jnp.where(input > 0, 0, input) * grad
    dims = tuple(i for i in range(input.ndim) if weight.size == 1 or i != 1)
    return jnp.where(input > 0, grad, along * grad), slope.sum(dims).reshape(weight.shape)


@op("glu", door="nn.functional", follows=True)
@widened
def glu(input: Array, dim=-1):
    """The first half along dim times the sigmoid of the second. Shape: (*, 2n, *) -> (*, n, *)."""
    dtypes.need_floating("glu_cpu", input.dtype)
    if not input.ndim:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    dim = shapes.normalize_dim(dim, input.ndim)
    if input.shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {input.shape[dim]}")
    half, gate = jnp.split(input, 2, dim)
    return half * lax.logistic(gate)


@op("softmax", method=True, out=EXACT, saves=("result",))
def softmax(input: Array, dim, dtype: DType = None):
    """eˣ / Σ eˣ along dim. Shape: any -> the same."""
    return _along(_softmax, "softmax_lastdim_kernel_impl", input, dim, dtype)


def _along(fn, kernel, input, dim, dtype):
    """fn along a dim, in dtype if one is given; half precision is computed in float32."""
    dim = shapes.normalize_dim(dim, input.ndim)
    if dtype is not None:
        input = input.astype(dtype)
    dtypes.need_floating(kernel, input.dtype)
    return fn(input, dim) if input.ndim else fn(input[None], 0)[0]


@widened
def _softmax(input, dim):
    top = lax.stop_gradient(input.max(dim, keepdims=True, initial=-math.inf))
    up = jnp.exp(input - top)
    return up / up.sum(dim, keepdims=True)


@softmax.gradient
@widened
def _(grad, result, input, dim, dtype):
    return (result * (grad - (grad * result).sum(dim, keepdims=True)) if result.ndim else grad * 0,)


@op("log_softmax", method=True, out=EXACT, saves=("result",))
def log_softmax(input: Array, dim, dtype: DType = None):
    """x - log Σ eˣ along dim. Shape: any -> the same."""
    return _along(_log_softmax, "log_softmax_lastdim_kernel_impl", input, dim, dtype)


@widened
def _log_softmax(input, dim):
    top = lax.stop_gradient(input.max(dim, keepdims=True, initial=-math.inf))
    shifted = input - top
    return shifted - jnp.log(jnp.exp(shifted).sum(dim, keepdims=True))


@log_softmax.gradient
@widened
def _(grad, result, input, dim, dtype):
    return (grad - jnp.exp(result) * grad.sum(dim, keepdims=True) if result.ndim else grad * 0,)
