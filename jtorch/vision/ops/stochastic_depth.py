"""Whole samples, or the whole batch, dropped from a residual branch (arXiv:1603.09382)."""

from jtorch._tensor import aval
from jtorch.api.creation import empty
from jtorch.nn.modules.module import Module


def stochastic_depth(input, p: float, mode: str, training: bool = True):
    """In training each sample ("row"), or all ("batch"), becomes 0 with probability p, else it is divided by 1 - p.

    Shape: (N, *) -> the same. Raises ValueError for another mode or when p is no probability.
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"drop probability has to be between 0 and 1, but got {p}")
    if mode not in ("batch", "row"):
        raise ValueError(f"mode has to be either 'batch' or 'row', but got {mode}")
    if not training or p == 0.0:
        return input
    seen = aval(input)
    size = (seen.shape[0] if mode == "row" else 1,) + (1,) * (seen.ndim - 1)
    kept = empty(size, dtype=seen.dtype, device=seen.device).bernoulli_(1.0 - p)
    if p < 1.0:
        kept = kept.div_(1.0 - p)
    return input * kept


class StochasticDepth(Module):
    """`stochastic_depth` as a layer. Shape: (N, *) -> the same."""

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input):
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
