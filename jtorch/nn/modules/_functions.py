"""Autograd functions that layers are made of: normalization across channels."""

import numpy as np

from jtorch._tensor import from_host
from jtorch.autograd.function import Function


class CrossMapLRN2d(Function):
    """x / (k + alpha/size · Σ x²)^beta, the sum over `size` channels around each."""

    @staticmethod
    def forward(ctx, input, size, alpha=1e-4, beta=0.75, k=1):
        if input.dim() != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        reach = int((size - 1) / 2 + 1)
        rows, columns = np.indices((input.size(1), input.size(1)))
        near = (columns > rows - reach) & (columns < rows + reach)
        # torch: the first channel never leaves the sum again.
        scale = _mixed(near | (columns == 0), input * input) * (alpha / size) + k
        output = input * scale**-beta
        ctx.size, ctx.alpha, ctx.beta = size, alpha, beta
        ctx.save_for_backward(input, output, scale)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, output, scale = ctx.saved_tensors
        first = -int(ctx.size - (ctx.size - 1) / 2)
        rows, columns = np.indices((input.size(1), input.size(1)))
        near = (columns >= rows + first) & (columns < rows + first + ctx.size)
        slope = _mixed(near, grad_output * output / scale)
        factor = 2 * ctx.alpha * ctx.beta / ctx.size
        return grad_output * scale**-ctx.beta - factor * input * slope, None, None, None, None


def _mixed(which, x):
    """Sums of the channels `which` (C, C) says. Shape: (N, C, H, W) -> the same."""
    sums = from_host(which.astype(np.float64), device=x.device).to(x.dtype)
    return (sums @ x.flatten(2)).unflatten(2, x.shape[2:])
