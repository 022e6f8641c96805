"""swap_tensors: let two Tensor objects take each other's place."""

from jtorch._tensor import Tensor, everything

__all__ = ["swap_tensors"]


def swap_tensors(t1, t2):
    """Swap what two tensors are: values, gradients, attributes, classes. Whoever holds one has the other's from now on.

    Raises: TypeError for what is no Tensor.
    """
    for t in (t1, t2):
        if not isinstance(t, Tensor):
            raise TypeError(f"swap_tensors wants two Tensors, but got {type(t).__name__}")
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    mine, theirs = everything(t1), everything(t2)
    before = dict(mine)
    for held, given in ((mine, dict(theirs)), (theirs, before)):
        held.clear()
        held.update(given)
