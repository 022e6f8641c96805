"""Linear maps as functions."""

from jtorch.api.variants import functions
from jtorch.autograd.apply import apply
from jtorch.ops.op import TABLE

__all__ = ["bilinear", "linear"]

_LINEAR = TABLE["linear"]


def linear(input, weight, bias=None):
    """input · weightᵀ + bias. Shape: (*, in), (out, in), (out,) -> (*, out). Raises RuntimeError when sizes differ."""
    return apply(_LINEAR, (input, weight, bias), ())


bilinear = functions("torch")["bilinear"]
