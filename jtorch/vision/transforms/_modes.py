"""InterpolationMode, and Pillow's numbers for it."""

from enum import Enum


class InterpolationMode(Enum):
    """How pixels between pixels are found. Tensors have no box, hamming and lanczos."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


pil_modes_mapping = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
    InterpolationMode.LANCZOS: 1,
}
_OF_NUMBER = {number: mode for mode, number in pil_modes_mapping.items() if mode is not InterpolationMode.NEAREST_EXACT}


def mode_of(interpolation):
    """The mode that one of Pillow's numbers stands for; a mode as it is. Raises TypeError for anything else."""
    if isinstance(interpolation, int):
        return _OF_NUMBER[interpolation]
    if not isinstance(interpolation, InterpolationMode):
        raise TypeError(
            "Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant"
        )
    return interpolation


def maybe_mode(interpolation):
    """As `mode_of`, but anything else is left for later."""
    return _OF_NUMBER[interpolation] if isinstance(interpolation, int) else interpolation
