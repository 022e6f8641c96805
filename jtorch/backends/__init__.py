"""torch.backends: switches that training scripts set."""

from jtorch.backends import cuda, cudnn, mkldnn, mps

__all__ = ["cuda", "cudnn", "mkldnn", "mps"]
