"""swap_tensors: let two Tensor objects take each other's place."""

from jtorch._tensor import Tensor

__all__ = ["swap_tensors"]


def swap_tensors(t1, t2):
    """Swap what two tensors are: values, gradients, attributes, classes. Whoever holds one has the other's from now on.

    Raises: TypeError for what is no Tensor.
    """
    for t in (t1, t2):
        if not isinstance(t, Tensor):
            raise TypeError(f"swap_tensors wants two Tensors, but got {type(t).__name__}")
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
