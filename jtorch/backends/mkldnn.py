"""torch.backends.mkldnn: not used, XLA compiles for the CPU itself; its switches are kept."""

from jtorch.backends import precision, switches
from jtorch.backends.mkl import verbose as _verbose
from jtorch.backends.switches import Flag, Switch

VERBOSE_ON_CREATION = 2

matmul = precision.FP32Precision("mkldnn", "matmul")
conv = precision.FP32Precision("mkldnn", "conv")
rnn = precision.FP32Precision("mkldnn", "rnn")
_SWITCHES = (
    Flag(True, "set_enabled_mkldnn").switch(),
    Flag(False, "set_deterministic_mkldnn").switch(),
    Switch(lambda: None, precision.set_host_tf32),
    # torch: what is assigned here holds for all backends.
    precision.switch("mkldnn", "all", assigned=("generic", "all")),
)


class verbose(_verbose):
    """Context manager in which oneDNN would tell what it does; there is nothing to tell."""

    def __init__(self, level):
        self.level = level


def is_available():
    """False: oneDNN is not called through torch's switch."""
    return False


def is_acl_available():
    """False."""
    return False


def set_flags(_enabled=None, _deterministic=None, _allow_tf32=None, _fp32_precision="none"):
    """Set what is not None; returns what all were."""
    given = (_enabled, _deterministic, _allow_tf32)
    before = (*(switch.get() for switch in _SWITCHES[:3]), precision.get("mkldnn", "all"))
    for switch, value in zip(_SWITCHES[:3], given, strict=True):
        if value is not None:
            switch.put(value)
    if _fp32_precision is not None:
        precision.put("mkldnn", "all", _fp32_precision)
    return before


def flags(enabled=False, deterministic=False, allow_tf32=True, fp32_precision="none"):
    """Context manager: the flags stand so inside."""
    return switches.restored(set_flags, enabled, deterministic, allow_tf32, fp32_precision)


_NAMES = ("enabled", "deterministic", "allow_tf32", "fp32_precision")
switches.become(__name__, **dict(zip(_NAMES, _SWITCHES, strict=True)))
