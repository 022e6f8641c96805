"""torch.sparse: tensors of which only some numbers are held, with their places (the layout torch.sparse_coo)."""

from jtorch import dtypes
from jtorch.sparse.calls import addmm, log_softmax, mm, softmax, sum
from jtorch.sparse.tensor import SparseTensor, sparse_coo_tensor

__all__ = ["addmm", "log_softmax", "mm", "softmax", "sum"]


def _legacy(name, dtype):
    """torch's old constructor of one dtype: (indices, values, size) -> a sparse tensor."""

    class Legacy:
        def __new__(cls, *args):
            return sparse_coo_tensor(*args, dtype=dtype)

    Legacy.__name__ = Legacy.__qualname__ = name
    Legacy.__doc__ = f"torch.sparse.{name}(indices, values, size): sparse_coo_tensor of {dtype}."
    return Legacy


FloatTensor = _legacy("FloatTensor", dtypes.float32)
DoubleTensor = _legacy("DoubleTensor", dtypes.float64)
LongTensor = _legacy("LongTensor", dtypes.int64)
