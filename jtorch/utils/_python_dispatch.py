"""torch.utils._python_dispatch, of which only the question is there that libraries ask when they save tensors."""

__all__ = ["is_traceable_wrapper_subclass"]


def is_traceable_wrapper_subclass(t):
    """Whether a tensor is one around others, by `__tensor_flatten__`: no, jtorch's tensors have values of their own."""
    return False
