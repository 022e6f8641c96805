"""Decoders of files: handlers that turn the bytes of a file into what its name's ending says."""

import importlib
import io
import json
import os.path
import pickle

import numpy as np

from jtorch.api.construct import tensor
from jtorch.optional import Package
from jtorch.utils.data.datapipes.utils.common import StreamWrapper

_images = Package(
    "PIL.Image",
    "Package `PIL` is required to be installed for default image decoder."
    "Please use `pip install Pillow` to install the package",
)
_matlab = Package(
    "scipy.io",
    "Package `scipy` is required to be installed for mat file.Please use `pip install scipy`to install the package",
)


def basichandlers(extension, data):
    """Text, numbers, JSON, pickles and saved tensors, by the ending of a file's name; None for others."""
    # torch: looks for the ending within these words, so that "t" and "script" are text too.
    if extension in "txt text transcript":
        return data.decode("utf-8")
    if extension in ["cls", "cls2", "class", "count", "index", "inx", "id"]:
        try:
            return int(data)
        except ValueError:
            return None
    if extension in "json jsn":
        return json.loads(data)
    if extension in ["pyd", "pickle"]:
        return pickle.loads(data)
    if extension == "pt":
        return importlib.import_module("jtorch").load(io.BytesIO(data))  # its floor is above this one
    return None


# name -> (what it becomes, of which numbers, colours)
imagespecs = {
    **{f"{colours}8": ("numpy", "uint8", colours) for colours in ("l", "rgb", "rgba")},
    **{colours: ("numpy", "float", colours) for colours in ("l", "rgb", "rgba")},
    **{f"torch{colours}8": ("torch", "uint8", colours) for colours in ("l", "rgb", "rgba")},
    **{f"torch{colours}": ("torch", "float", colours) for colours in ("l", "rgb", "rgba")},
    "torch": ("torch", "float", "rgb"),
    "pill": ("pil", None, "l"),
    "pil": ("pil", None, "rgb"),
    "pilrgb": ("pil", None, "rgb"),
    "pilrgba": ("pil", None, "rgba"),
}


def handle_extension(extensions, f):
    """A handler that calls f for files whose names end so: endings in one string, between spaces."""
    endings = extensions.lower().split()

    def handle(key, data):
        # torch: only the first ending that is not too long is looked at.
        for ending in endings:
            parts, found = ending.split("."), key.lower().split(".")
            if len(parts) <= len(found):
                return f(data) if found[-len(parts) :] == parts else None
        return None

    return handle


class ImageHandler:
    """Makes of an image what a name in `imagespecs` says. Raises: AssertionError for any other."""

    def __init__(self, imagespec):
        if imagespec not in imagespecs:
            raise AssertionError(f"unknown image specification: {imagespec}")
        self.imagespec = imagespec

    def __call__(self, extension, data):
        if extension.lower() not in ["jpg", "jpeg", "png", "ppm", "pgm", "pbm", "pnm"]:
            return None
        kind, numbers, colours = imagespecs[self.imagespec]
        with io.BytesIO(data) as stream:
            image = _images.open(stream)
            image.load()
            image = image.convert(colours.upper())
        if kind == "pil":
            return image
        result = np.asarray(image)
        if kind == "numpy":
            return result if numbers == "uint8" else result.astype("f") / 255.0
        pixels = tensor(np.array(result.transpose(2, 0, 1)))
        return pixels if numbers == "uint8" else pixels / 255.0


def imagehandler(imagespec):
    """The ImageHandler of a name."""
    return ImageHandler(imagespec)


class MatHandler:
    """Reads MATLAB's files."""

    def __init__(self, **loadmat_kwargs):
        self.loadmat_kwargs = loadmat_kwargs

    def __call__(self, extension, data):
        if extension != "mat":
            return None
        with io.BytesIO(data) as stream:
            return _matlab.loadmat(stream, **self.loadmat_kwargs)


def mathandler(**loadmat_kwargs):
    """A MatHandler with these arguments of scipy.io.loadmat."""
    return MatHandler(**loadmat_kwargs)


def extension_extract_fn(pathname):
    """The ending of a file's name, without the dot."""
    return os.path.splitext(pathname)[1][1:]


class Decoder:
    """Gives each file to handlers, until one makes something of it."""

    def __init__(self, *handler, key_fn=extension_extract_fn):
        self.handlers = list(handler)
        self.key_fn = key_fn

    def add_handler(self, *handler):
        """Put handlers before those that are there."""
        self.handlers = [*handler, *self.handlers]

    @staticmethod
    def _is_stream_handle(data):
        file = data.file_obj if isinstance(data, StreamWrapper) else data
        return isinstance(file, io.BufferedIOBase | io.RawIOBase)

    def decode1(self, key, data):
        """What the first handler that takes it makes of a file's content, or that itself."""
        if not data:
            return data
        if self._is_stream_handle(data):
            stream, data = data, b"".join(data)
            stream.close()
        return next((made for handler in self.handlers if (made := handler(key, data)) is not None), data)

    def decode(self, data):
        """{name: what is made of it} of pairs of name and content, or of one such pair."""
        result = {}
        for name, content in [data] if isinstance(data, tuple) else data or ():
            if name[0] == "_" and isinstance(content, bytes):
                result[name] = content.decode("utf-8")
            else:
                result[name] = self.decode1(self.key_fn(name), content)
        return result

    def __call__(self, data):
        return self.decode(data)


__all__ = [
    "Decoder",
    "ImageHandler",
    "MatHandler",
    "basichandlers",
    "extension_extract_fn",
    "handle_extension",
    "imagehandler",
    "mathandler",
]
