"""torch.backends.cusparselt: not used."""

__all__ = ["get_max_alg_id", "is_available", "version"]


def version():
    """None: cuSPARSELt is not called."""
    return None


def is_available():
    """False: cuSPARSELt is not called."""
    return False


def get_max_alg_id():
    """None: cuSPARSELt is not called."""
    return None
