"""NumPy arrays of what a user logs."""

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor


def make_np(x):
    """A NumPy array of a Tensor, an array or a number. Raises NotImplementedError for anything else."""
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        return (x.to(dtypes.float16) if x.dtype is dtypes.bfloat16 else x).numpy()
    if np.isscalar(x):
        return np.array([x])
    raise NotImplementedError(f"Got {type(x)}, but numpy array or torch tensor are expected.")
