"""Images: what tutorials take from torchvision, under its names. https://docs.pytorch.org/vision/stable"""

from jtorch.vision import datasets, io, models, ops, transforms, tv_tensors, utils

# The release whose names, defaults and values these are.
__version__ = "0.28.0"


def get_image_backend():
    """What reads images: always Pillow."""
    return "PIL"


def set_image_backend(backend):
    """Choose what reads images. Raises ValueError for anything but Pillow, which is all there is."""
    if backend != "PIL":
        raise ValueError(f"Invalid backend '{backend}'. Images are read by 'PIL'")
