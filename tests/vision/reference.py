"""Real torchvision, also where its C++ operators do not load, and the two sides of a comparison.

for torch, vision in SIDES: ...       (torch, torchvision) and (jtorch, jtorch.vision)
same(lambda torch, vision: ...)       the same values, images, texts or errors
"""

import contextlib
import importlib.util
import io
import random
import warnings

import numpy as np
import pytest
import torch

import jtorch
import jtorch.vision
from tests.sides import fail

_found = importlib.util.find_spec("torchvision")
if _found is None:
    pytest.skip("torchvision is not installed: there is nothing to compare with", allow_module_level=True)
try:
    torch.ops.load_library(f"{_found.submodule_search_locations[0]}/_C.so")
except OSError:
    # Its operators are built for another torch. What it registers at import must be declared; nothing calls it.
    _library = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402
import torchvision.transforms.v2  # noqa: E402
from PIL import Image  # noqa: E402

SIDES = ((torch, torchvision), (jtorch, jtorch.vision))


def pixels(shape, seed=0, dtype=np.uint8):
    """Random pixels: bytes, or floats in [0, 1)."""
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, shape).astype(dtype) if dtype == np.uint8 else draw.random(shape).astype(dtype)


def image(size=(23, 17), mode="RGB", seed=0):
    """A random Pillow image of (width, height)."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.fromarray(
        pixels((size[1], size[0], bands), seed)[..., 0] if bands == 1 else pixels((size[1], size[0], bands), seed), mode
    )


def plain(value):
    """A result as NumPy arrays, numbers and texts."""
    if isinstance(value, (torch.Tensor, jtorch.Tensor)):
        return value.detach().numpy(force=True)
    if isinstance(value, Image.Image):
        return value.mode, np.asarray(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def close(where, expected, actual, atol=0.0, rtol=0.0):
    """Assert that two plain results are the same."""
    __tracebackhide__ = True
    if isinstance(expected, np.ndarray) or isinstance(actual, np.ndarray):
        one, other = np.asarray(expected), np.asarray(actual)
        if one.dtype != other.dtype or one.shape != other.shape:
            fail(f"{where}: dtype and shape", (one.dtype, one.shape), (other.dtype, other.shape))
        _close(where, one, other, atol, rtol)
    elif isinstance(expected, dict):
        assert expected.keys() == actual.keys(), where
        for key in expected:
            close(f"{where}[{key!r}]", expected[key], actual[key], atol, rtol)
    elif isinstance(expected, (tuple, list)):
        assert len(expected) == len(actual), f"{where}: {len(expected)} and {len(actual)} items"
        for i, (one, other) in enumerate(zip(expected, actual, strict=True)):
            close(f"{where}[{i}]", one, other, atol, rtol)
    elif isinstance(expected, float) and isinstance(actual, float):
        _close(where, np.float32(expected), np.float32(actual), atol, rtol)
    elif expected != actual:
        fail(where, expected, actual)


def _close(where, one, other, atol, rtol):
    """Ints and bytes are equal, or with atol one in fifty differs; floats are as close as torch.testing wants them."""
    __tracebackhide__ = True
    if one.dtype.kind == "f":
        least = {4: (1e-5, 1.3e-6), 8: (1e-7, 1e-7)}.get(one.dtype.itemsize, (1e-5, 1e-3))
        atol, rtol = max(atol, least[0]), max(rtol, least[1])
    elif atol and (one != other).mean() > 0.02:
        fail(f"{where}: {(one != other).sum()} of {one.size} values differ", one, other)
    if one.dtype.kind in "OUS":
        assert (one == other).all(), where
    elif not np.allclose(one.astype(float), other.astype(float), rtol=rtol, atol=atol, equal_nan=True):
        far = np.abs(one.astype(float) - other.astype(float))
        fail(f"{where}: values, {(far > atol).sum()} of {far.size} differ, at most by {far.max()}", one, other)


def _words(text):
    return str(text).replace("jtorch.vision", "torchvision").replace("jtorch", "torch")


def _run(fn, torch, vision, seed):
    torch.manual_seed(seed)
    random.seed(seed)
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            made = plain(fn(torch, vision))
        except Exception as error:
            made = f"{type(error).__name__}: {_words(error)}"
    return made, [(w.category.__name__, _words(w.message)) for w in caught]


def same(fn, where="", seed=0, atol=0.0, rtol=0.0, warns=False):
    """Assert that fn(torch, torchvision) and fn(jtorch, jtorch.vision) give the same, or raise the same.

    warns: also compare warnings, of which there must be some.
    """
    __tracebackhide__ = True
    (expected, told), (actual, said) = (_run(fn, *side, seed) for side in SIDES)
    where = f"{where} {fn.__code__.co_filename.rsplit('/', 1)[-1]}:{fn.__code__.co_firstlineno}"
    if isinstance(expected, str) != isinstance(actual, str):
        fail(where, expected, actual)
    close(where, expected, actual, atol, rtol)
    if warns and (not told or told != said):
        fail(f"{where}: warnings", told, said)
    return expected
