"""torch.__future__: how modules change their parameters when they are cast or moved."""

from jtorch.nn.modules.module_convert import Conversion

__all__ = [
    "get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
    "set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion",
]  # fmt: skip


def set_overwrite_module_params_on_conversion(value):
    """Whether `module.to()` and its like make new parameters instead of changing those that are there."""
    Conversion.overwrite = value


def get_overwrite_module_params_on_conversion():
    """Whether they do; False unless it was set."""
    return Conversion.overwrite


def set_swap_module_params_on_conversion(value):
    """Whether they swap parameters with converted ones. It is taken note of: here a parameter stays the same object."""
    Conversion.swap = value


def get_swap_module_params_on_conversion():
    """Whether they do; False unless it was set."""
    return Conversion.swap
