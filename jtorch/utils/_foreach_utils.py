"""Lists of tensors in groups of one device and one dtype, as optimizers outside the package ask for them."""

from jtorch._tensor import Tensor
from jtorch.autograd.grad_mode import no_grad
from jtorch.dtypes import bfloat16, float32, float64

_foreach_supported_types = [Tensor]


def _get_foreach_kernels_supported_devices():
    return ["cuda"]


def _get_fused_kernels_supported_devices():
    return ["cuda", "cpu"]


@no_grad()
def _group_tensors_by_device_and_dtype(tensorlistlist, with_indices=False):
    """{(device, dtype): (the lists' parts, the indices of these, where asked for)}, by the first list's tensors.

    Raises: RuntimeError for an empty first list or a None in it, and for tensors beside it of another number or dtype.
    """
    first = tensorlistlist[0]
    if not first or any(len(other) not in (0, len(first)) for other in tensorlistlist):
        raise RuntimeError("Expected lists of as many tensors as the first, which may not be empty")
    groups = {}
    for i, tensor in enumerate(first):
        if tensor is None:
            raise RuntimeError(
                "Tensors of the first list of nested Tensor lists are supposed to be defined but "
                f"the {i}-th Tensor is not."
            )
        if not all(other[i] is None or _beside(tensor, other[i]) for other in tensorlistlist if other):
            raise RuntimeError(
                "Tensors of the same index must be on the same device and the same dtype except `step` tensors that "
                "can be CPU and float32/64, and optimizer states that can be bfloat16 for mixed-precision training"
            )
        groups.setdefault((tensor.device, tensor.dtype), []).append(i)
    return {
        kind: ([[one[i] for i in indices] if one else [] for one in tensorlistlist], indices if with_indices else [])
        for kind, indices in groups.items()
    }


def _beside(tensor, other):
    """Whether a tensor may stand in the group of another: a step count, or a state in bfloat16, if not of its kind."""
    if other.device.type == "cpu" and other.dtype in (float32, float64):
        return True
    return other.device == tensor.device and other.dtype in (tensor.dtype, bfloat16)


def _device_has_foreach_support(device):
    return device.type in (*_get_foreach_kernels_supported_devices(), "cpu")


def _has_foreach_support(tensors, device):
    return _device_has_foreach_support(device) and all(
        t is None or type(t) in _foreach_supported_types for t in tensors
    )
