"""Control flow as functions: torch.cond."""

from jtorch._tensor import Tensor

__all__ = ["cond"]


def cond(pred, true_fn, false_fn, operands=()):
    """What one of two functions makes of the operands: true_fn's if pred holds. A tensor is read to know.

    Raises: RuntimeError for a pred of several elements, or that is no bool, number or tensor.
    """
    if not isinstance(pred, (bool, int, float, Tensor)) or (isinstance(pred, Tensor) and pred.numel() != 1):
        raise RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}.")
    return (true_fn if pred else false_fn)(*operands)
