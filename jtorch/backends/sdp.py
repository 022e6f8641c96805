"""The kernels that torch has for scaled_dot_product_attention, and which of them may be used; XLA has its own."""

import contextlib
import enum

from jtorch.backends.switches import Flag


class SDPBackend(enum.Enum):
    """The kernels that torch has for scaled_dot_product_attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __int__(self):
        return self.value

    def __str__(self):
        return f"SDPBackend.{self.name}"


SDPBackend.__module__ = "torch.nn.attention"

# torch: the setters say the name of one of them.
FLAGS = {
    SDPBackend.FLASH_ATTENTION: Flag(True, "set_sdp_use_math"),
    SDPBackend.EFFICIENT_ATTENTION: Flag(True, "set_sdp_use_math"),
    SDPBackend.MATH: Flag(True, "set_sdp_use_math"),
    SDPBackend.CUDNN_ATTENTION: Flag(True, "set_sdp_use_cudnn"),
}
HOST = (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH)


def check_viable(device):
    """Raise RuntimeError where all kernels that a device has are switched off."""
    if not any(FLAGS[kind].value for kind in (HOST if device.type == "cpu" else FLAGS)):
        raise RuntimeError(
            "No viable backend for scaled_dot_product_attention was found. This is likely due to turning off both the "
            "math kernel and the fused kernels."
        )


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority: bool = False):
    """A context in which calls may use these kernels alone; XLA has its own, and gives the same numbers.

    Raises AssertionError for what are no kernels. Calls raise RuntimeError where a device has none of them.
    """
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}"
        )
    wanted = backends if isinstance(backends, list) else [backends]
    before = {kind: flag.value for kind, flag in FLAGS.items()}
    for kind, flag in FLAGS.items():
        flag.value = kind in wanted
    try:
        yield {}
    finally:
        for kind, flag in FLAGS.items():
            flag.value = before[kind]
