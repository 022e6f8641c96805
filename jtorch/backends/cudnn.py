"""torch.backends.cudnn: switches that scripts set; XLA chooses its own algorithms."""

import contextlib

from jtorch.devices import cuda_devices

enabled = True
benchmark = False
deterministic = False
allow_tf32 = True


def is_available():
    """Whether there is a GPU that cuDNN could run on."""
    return bool(cuda_devices())


def version():
    """None: XLA does not tell which cuDNN it was built with."""
    return None


@contextlib.contextmanager
def flags(enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True):
    """Context manager that takes torch's flags; XLA chooses its own algorithms."""
    yield
