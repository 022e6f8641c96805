"""Whether Triton compiles kernels: it does not here, XLA does."""

__all__ = ["has_triton", "has_triton_package"]


def has_triton():
    """False: kernels are XLA's."""
    return False


def has_triton_package():
    """False: no kernel here is written for Triton."""
    return False
