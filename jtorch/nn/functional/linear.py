"""Linear maps as functions."""

from jtorch.api.variants import functions
from jtorch.autograd.apply import apply
from jtorch.autograd.inplace import write_out
from jtorch.ops.op import TABLE

__all__ = ["bilinear", "linear"]

_LINEAR = TABLE["linear"]


def linear(input, weight, bias=None, *, out=None):
    """input · weightᵀ + bias. Shape: (*, in), (out, in), (out,) -> (*, out). Raises RuntimeError when sizes differ."""
    result = apply(_LINEAR, (input, weight, bias), ())
    return result if out is None else write_out(out, result, "linear")


bilinear = functions("torch")["bilinear"]
