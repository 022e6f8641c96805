"""How precise float32 products are: torch's settings per backend and operation, older names included, and JAX's."""

import jax

from jtorch import modes
from jtorch.backends.switches import Switch, check_bool
from jtorch.engine import flush
from jtorch.errors import warn

_TO_JAX = {"highest": "highest", "high": "tensorfloat32", "medium": "bfloat16"}
# What (backend, operation) was set to; None where nothing was: then cuDNN's operations may use TF32.
_set = {
    ("generic", "all"): "none", ("cuda", "all"): "none", ("cuda", "matmul"): "none", ("cuda", "conv"): None,
    ("cuda", "rnn"): None, ("mkldnn", "all"): "none", ("mkldnn", "matmul"): "none", ("mkldnn", "conv"): "none",
    ("mkldnn", "rnn"): "none",
}  # fmt: skip
_SUPPORTED = {"generic": ("ieee", "tf32", "bf16", "none"), "cuda": ("ieee", "tf32", "none")}
_SUPPORTED["mkldnn"] = _SUPPORTED["generic"]
_older = {"matmul": "highest", "cudnn": True}
_MIX = "We suggest only using the new API {}. See also: {}"
_PAGE = "https://pytorch.org/docs/main/notes/cuda.html#tensorfloat-32-tf32-on-ampere-and-later-devices"

jax.config.update("jax_default_matmul_precision", "highest")


def get(backend, operation):
    """ "ieee", "tf32", "bf16" or "none": what was set for it, or else for its backend, or else for all."""
    places = dict.fromkeys([(backend, operation), (backend, "all"), ("generic", "all")])
    found = next((_set[place] for place in places if _set[place] not in (None, "none")), "none")
    if found == "none" and _set[backend, operation] is None:
        return "tf32"
    return found if found in _SUPPORTED[backend] else "none"


def put(backend, operation, precision):
    """Set the precision of an operation ("matmul", "conv", "rnn" or "all") of a backend. Raises RuntimeError."""
    if not isinstance(precision, str):
        raise TypeError(
            "_set_fp32_precision_setter(): incompatible function arguments. The following argument types are "
            "supported:\n    1. (arg0: str, arg1: str, arg2: str) -> str\n\n"
            f"Invoked with: {backend!r}, {operation!r}, {precision!r}"
        )
    if precision not in _SUPPORTED["generic"]:
        raise RuntimeError(f"Unknown precision: {precision}")
    if precision not in _SUPPORTED[backend]:
        raise RuntimeError(f"backend '{backend}' does not support precision '{precision}'")
    with _Change():
        _set[backend, operation] = precision


def switch(backend, operation, assigned=None):
    """The attribute fp32_precision of a module. assigned: whose precision it sets, where that is another's."""
    return Switch(lambda: get(backend, operation), lambda value: put(*(assigned or (backend, operation)), value))


class FP32Precision:
    """The settings of one operation of a backend, as `backends.cudnn.conv`."""

    def __init__(self, backend, operation):
        self.__dict__.update(backend=backend, op=operation)

    def __getattr__(self, name):
        if name != "fp32_precision":
            raise AttributeError("Unknown attribute " + name)
        return get(self.backend, self.op)

    def __setattr__(self, name, value):
        if name != "fp32_precision":
            raise AttributeError("Unknown attribute " + name)
        put(self.backend, self.op, value)


class _Change:
    """What was recorded so far is computed as was asked for until now; from here on as is asked for now."""

    def __enter__(self):
        self.before = _asked()

    def __exit__(self, kind, *_):
        matmul, convolution = asked = _asked()
        if kind is not None or asked == self.before:
            return
        flush.flush("sync")
        jax.config.update("jax_default_matmul_precision", _TO_JAX[matmul])
        modes.set_token("matmul precision", None if matmul == "highest" else matmul)
        modes.exact_convolutions = convolution
        modes.set_token("exact convolutions", convolution or None)


def _asked():
    """What JAX is told: the precision of products, and whether convolutions must be exact."""
    matmul = "highest"
    if get("cuda", "matmul") == "tf32":
        matmul = "medium" if _older["matmul"] == "medium" else "high"
    return matmul, get("cuda", "conv") != "tf32"


# The older names.


def set_float32_matmul_precision(precision):
    """Set 'highest', 'high' (TF32) or 'medium' (bfloat16) for float32 products; warns of other words."""
    if precision not in _TO_JAX:
        return warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the currentsetFloat32MatmulPrecision call has "
            "no effect.",
            UserWarning,
        )
    with _Change():
        _older["matmul"] = precision
        _set["cuda", "matmul"] = "ieee" if precision == "highest" else "tf32"
        _set["mkldnn", "matmul"] = {"highest": "ieee", "high": "tf32", "medium": "bf16"}[precision]


def get_float32_matmul_precision():
    """'highest', 'high' or 'medium'. Raises RuntimeError where newer settings say something else."""
    older, host = _older["matmul"], get("mkldnn", "matmul")
    mixed = get("cuda", "matmul") == "tf32" and older == "highest"
    if mixed or (host == "bf16" and older != "medium") or (host == "tf32" and older != "high"):
        raise RuntimeError(
            "PyTorch is checking the matmul precision without a specific backend name,Current status indicate that you "
            "have used mix of the legacy and new APIs to set the matmul precision. "
            + _MIX.format("for matmul precision", _PAGE)
        )
    return older


def get_matmul_tf32():
    """Whether products on cuda may use TF32. Raises RuntimeError where newer settings say something else."""
    allowed = _older["matmul"] != "highest"
    if allowed != (get("cuda", "matmul") == "tf32"):
        raise RuntimeError(
            "PyTorch is checking whether allow_tf32_new is enabled for cuBlas matmul,Current status indicate that you "
            "have used mix of the legacy and new APIs to set the TF32 status for cublas matmul. "
            + _MIX.format("to set the TF32 flag", _PAGE)
        )
    return allowed


def set_matmul_tf32(value):
    """Let products on cuda use TF32 or not. Raises RuntimeError for what is no bool."""
    check_bool(value, "set_allow_tf32_cublas")
    with _Change():
        _older["matmul"] = "high" if value else "highest"
        _set["cuda", "matmul"] = "tf32" if value else "ieee"


def get_cudnn_tf32():
    """Whether cuDNN may use TF32. Raises RuntimeError where newer settings say something else of an operation."""
    if not (get("cuda", "conv") == "tf32") == (get("cuda", "rnn") == "tf32") == _older["cudnn"]:
        raise RuntimeError(
            "PyTorch is checking whether allow_tf32 is enabled for cuDNN without a specific operator name,but the "
            "current flag(s) indicate that cuDNN conv and cuDNN RNN have different TF32 flags.This combination "
            "indicates that you have used a mix of the legacy and new APIs to set the TF32 flags. "
            + _MIX.format("to set the TF32 flag(s)", _PAGE)
        )
    return _older["cudnn"]


def set_cudnn_tf32(value):
    """Let cuDNN use TF32 or not. Raises RuntimeError for what is no bool."""
    check_bool(value, "set_allow_tf32_cublas")
    with _Change():
        _older["cudnn"] = value
        _set["cuda", "conv"] = _set["cuda", "rnn"] = "tf32" if value else "none"


def set_host_tf32(value):
    """Nothing: torch has TF32 on the host for Intel's GPUs alone, and says so."""
    check_bool(value, "set_allow_tf32_onednn")
    warn(
        "TF32 acceleration on top of oneDNN is available for Intel GPUs. The current Torch version does not have Intel "
        "GPU Support.",
        UserWarning,
    )
