"""Pinning: host memory from which an accelerator copies fast. JAX manages it itself; a user's own types may not."""

from collections.abc import Mapping, Sequence

from jtorch._tensor import Tensor


def pin_memory(data, device=None):
    """The batch, with `pin_memory()` called on those of its parts that are of a user's own type and have it."""
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, Mapping):
        pinned = {key: pin_memory(item, device) for key, item in data.items()}
        return pinned if type(data) is dict else type(data)(pinned)
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(pin_memory(item, device) for item in data))
    if isinstance(data, Sequence):
        return [pin_memory(item, device) for item in data]
    return data
