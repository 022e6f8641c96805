"""How precise float32 matrix products are: torch's default is full precision; TF32 and bfloat16 only when asked for."""

import jax

from jtorch import modes

_TO_JAX = {"highest": "highest", "high": "tensorfloat32", "medium": "bfloat16"}
_setting = ["highest"]

jax.config.update("jax_default_matmul_precision", "highest")


def set_float32_matmul_precision(precision):
    """Set 'highest', 'high' (TF32) or 'medium' (bfloat16) for float32 products. Raises RuntimeError for others."""
    if precision not in _TO_JAX:
        raise RuntimeError(
            f"float32_matmul_precision can only be one of 'highest', 'high' or 'medium' but got {precision}"
        )
    _setting[0] = precision
    jax.config.update("jax_default_matmul_precision", _TO_JAX[precision])
    modes.set_token("matmul precision", None if precision == "highest" else precision)


def get_float32_matmul_precision():
    """'highest', 'high' or 'medium'."""
    return _setting[0]
