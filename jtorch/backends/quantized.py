"""torch.backends.quantized: the engine that quantised layers would use; jtorch has no such layers."""

from jtorch.backends import switches

_ENGINES = ["qnnpack", "onednn", "x86", "fbgemm"]
_engine = ["x86"]


def _get():
    return _engine[0]


def _put(value):
    if value not in (*_ENGINES, "none", "", None):
        raise RuntimeError(f"{value} is not a valid value for quantized engine")
    _engine[0] = value or "none"


def _refuse(value):
    raise RuntimeError("Assignment not supported")


switches.become(
    __name__,
    engine=switches.Switch(_get, _put),
    supported_engines=switches.Switch(lambda: list(_ENGINES), _refuse),
)
