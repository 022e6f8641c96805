"""Convolutions of one to three dims and their transposes; how they are computed stands in convolutions.py."""

import math

import jax.numpy as jnp
from jax import lax

from jtorch import dtypes
from jtorch.convolutions import Geometry, forward, of_w, of_x, spread_out
from jtorch.ops.op import EITHER_FORMAT, Array, op
from jtorch.shapes import listed


def _check(x, w, bias, stride, padding, dilation, transposed, output_padding, groups):
    for wrong, words in (
        (groups <= 0, "non-positive groups"), (min(stride) <= 0, "non-positive stride"),
        (min(padding) < 0, "negative padding"),
        (min(output_padding) < 0, "negative output_padding"),
    ):  # fmt: skip
        if wrong:
            raise RuntimeError(f"{words} is not supported")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero{_zero_shown(dilation, transposed)}")
    shape, given = listed(w.shape), f"groups={groups}"
    if w.shape[0] % groups:
        wanted = "at least" if w.shape[0] < groups else "divisible by"
        raise RuntimeError(
            f"Given {given}, expected weight to be {wanted} {groups} at dimension 0, but got weight of size "
            f"[{shape}] instead"
        )
    if transposed and groups == 1:
        given = "transposed=1"
    wanted = w.shape[0] if transposed else w.shape[1] * groups
    if x.shape[1] != wanted:
        raise RuntimeError(
            f"Given {given}, weight of size {shape}, expected input{listed(x.shape)} to have {wanted} channels, "
            f"but got {x.shape[1]} channels instead"
        )
    made = w.shape[1] * groups if transposed else w.shape[0]
    if bias is not None and bias.shape != (made,):
        given = f"Given {given}, weight" if transposed else "Given weight"
        raise RuntimeError(
            f"{given} of size {shape}, expected bias to be 1-dimensional with {made} elements, but got bias of size "
            f"{listed(bias.shape)} instead"
        )
    _check_dtypes(x, w, bias)


def _zero_shown(dilation, transposed):
    """What torch shows of a dilation that is 0; of negative ones it shows nothing."""
    if min(dilation) < 0:
        return ""
    every = [1] * (2 - len(dilation)) + list(dilation)
    sides = ("depth", "height", "width")[3 - len(every) :]
    if transposed:
        return ", but got " + ", ".join(f"dilation_{side}: {d}" for side, d in zip(sides, every, strict=True))
    return f", but got {every}"


def _check_dtypes(x, w, bias):
    found = [None if a is None else dtypes.from_numpy(a.dtype) for a in (x, w, bias)]
    if bias is not None and found[0] is not found[2] and found[0].is_floating_point:
        names = dtypes.cpp_name(found[0]), dtypes.cpp_name(found[2])
        raise RuntimeError(f"Input type ({names[0]}) and bias type ({names[1]}) should be the same")
    if found[0] is not found[1]:
        if not found[0].is_floating_point:
            raise RuntimeError(f"expected scalar type {found[0].label} but found {found[1].label}")
        raise RuntimeError(
            f"Input type (torch.{found[0].label}Tensor) and weight type (torch.{found[1].label}Tensor) should be the "
            "same or input should be a MKLDNN tensor and weight is a dense tensor"
        )
    if bias is not None and found[0] is not found[2]:
        names = dtypes.cpp_name(found[0]), dtypes.cpp_name(found[2])
        raise RuntimeError(f"Input type ({names[0]}) and bias type ({names[1]}) should be the same")


def _by(sizes):
    return "(" + " x ".join(map(str, sizes)) + ")"


def _out_size(x, w, geometry, transposed, output_padding):
    """The spatial size of the result. Raises RuntimeError in torch's words when there is none."""
    size, kernel = x.shape[2:], w.shape[2:]
    if not transposed:
        padded = [n + sum(p) for n, p in zip(size, geometry.padding, strict=True)]
        reach = [d * (k - 1) + 1 for d, k in zip(geometry.dilation, kernel, strict=True)]
        if any(n < r for n, r in zip(padded, reach, strict=True)):
            raise RuntimeError(
                f"Calculated padded input size per channel: {_by(padded)}. Kernel size: {_by(reach)}. Kernel size "
                "can't be greater than actual input size"
            )
        return geometry.out(size, kernel)
    each = zip(size, kernel, geometry.stride, geometry.padding, geometry.dilation, output_padding, strict=True)
    out = tuple((n - 1) * s - 2 * p[0] + d * (k - 1) + o + 1 for n, k, s, p, d, o in each)
    bounds = zip(output_padding, geometry.stride, geometry.dilation, strict=True)
    if any(o >= s and o >= d for o, s, d in bounds):
        named = " ".join(
            f"{what}_{side}: {value}"
            for what, values in (("output_padding", output_padding), ("stride", geometry.stride),
                                 ("dilation", geometry.dilation))
            for side, value in zip(("depth", "height", "width")[3 - len(out) :], values, strict=True)
        )  # fmt: skip
        raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got {named}")
    if min(out) < 1:
        raise RuntimeError(
            f"Given input size per channel: {_by(size)}. Calculated output size per channel: {_by(out)}. "
            "Output size is too small"
        )
    return out


def _geometry(stride, padding, dilation, transposed, output_padding, groups):
    # The elements that output_padding adds at the end are that much less padding there.
    ends = output_padding if transposed else (0,) * len(padding)
    return Geometry(stride, tuple((p, p - o) for p, o in zip(padding, ends, strict=True)), dilation, groups)


@op("convolution", grad_name=("ConvolutionBackward0", 0, 1, 2), follows=EITHER_FORMAT)
def convolution(
    input: Array, weight: Array, bias: Array | None, stride, padding, dilation, transposed, output_padding, groups
):
    """A convolution (a correlation: the kernel is not turned), or with transposed the gradient of one.

    Shape: (N, C, *), (O, C / groups, *kernel), (O,) -> (N, O, *); transposed, the kernel is (C, O / groups, *kernel).
    """
    _check(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
    geometry = _geometry(stride, padding, dilation, transposed, output_padding, groups)
    space = _out_size(input, weight, geometry, transposed, output_padding)
    if transposed and not jnp.issubdtype(input.dtype, jnp.inexact):
        out = spread_out(input, weight, space, geometry)
        return out if bias is None else out + bias.reshape(-1, *(1,) * len(space))
    if transposed:
        return of_x(input, weight, (input.shape[0], weight.shape[1] * groups, *space), geometry, bias)
    return forward(input, weight, geometry, bias)


@convolution.gradient
def _(grad, result, input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    geometry = _geometry(stride, padding, dilation, transposed, output_padding, groups)
    of_bias = None
    if bias is not None and jnp.iscomplexobj(grad):
        of_bias = lax.complex(_of_bias(grad.real), _of_bias(grad.imag))  # XLA adds complex numbers one after the other
    elif bias is not None:
        of_bias = _of_bias(grad)
    if jnp.iscomplexobj(grad):
        input, weight = jnp.conj(input), jnp.conj(weight)
    if transposed:
        return forward(grad, weight, geometry), of_w(grad, input, weight.shape, geometry), of_bias
    of_input = of_x(grad, weight, input.shape, geometry)
    return of_input, of_w(input, grad, weight.shape, geometry), of_bias


def _of_bias(grad):
    return grad.reshape(*grad.shape[:2], math.prod(grad.shape[2:])).sum(-1).sum(0)
