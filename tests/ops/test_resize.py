"""Resizing: filters against aliasing, bytes in fixed point."""

import numpy as np
import pytest

from tests.oracle import check, same_error

draw = np.random.default_rng(2)
IMAGE = draw.standard_normal((2, 3, 9, 14))
BYTES = draw.integers(0, 256, (2, 3, 9, 14), dtype=np.uint8)
SIZES = ({"size": (4, 5)}, {"size": (20, 3)}, {"size": (1, 30)}, {"scale_factor": (0.37, 0.8)}, {"scale_factor": 2.3})


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
def test_antialias(mode):
    for given in SIZES:
        check("nn.functional.interpolate", IMAGE, mode=mode, antialias=True, dtypes=("float32", "float64"), **given)
    check("nn.functional.interpolate", IMAGE, scale_factor=0.4, mode=mode, antialias=True, recompute_scale_factor=True)
    if mode != "lanczos":
        check("nn.functional.interpolate", IMAGE, (4, 5), mode=mode, antialias=True, align_corners=True)
        check("nn.functional.interpolate", IMAGE, (1, 40), mode=mode, antialias=True, align_corners=True)


def test_antialias_of_gradients():
    check("nn.functional.interpolate", IMAGE, (4, 5), mode="bicubic", antialias=True, grad=2)


def test_antialias_of_channels_last():
    check("nn.functional.interpolate", IMAGE.transpose(0, 2, 3, 1), (4, 2), mode="bilinear", antialias=True)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
def test_bytes(mode):
    for given in SIZES:
        for antialias in (True,) if mode == "lanczos" else (False, True):
            check("nn.functional.interpolate", BYTES, mode=mode, antialias=antialias, exact=True, **given)


@pytest.mark.parametrize(
    "given",
    [
        {"mode": "nearest"}, {"mode": "area"}, {"mode": "trilinear"}, {"mode": "lanczos", "align_corners": True},
        {"mode": "lanczos", "antialias": False}, {"mode": "bilinear", "size": (0, 3)},
    ],
)  # fmt: skip
def test_what_antialias_does_not_take(given):
    given = {"size": (3, 3), "antialias": True, **given}
    same_error(lambda torch: torch.nn.functional.interpolate(torch.zeros(1, 1, 4, 4), **given))


def test_antialias_takes_images_of_floats_or_bytes():
    kwargs = {"size": (3, 3), "mode": "bilinear", "antialias": True}
    same_error(lambda torch: torch.nn.functional.interpolate(torch.zeros(1, 1, 4, 4).long(), **kwargs))
    same_error(lambda torch: torch.nn.functional.interpolate(torch.zeros(1, 4, 4), **kwargs))
    same_error(lambda torch: torch.nn.functional.interpolate(torch.zeros(1, 1, 0, 4), **kwargs))


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear"])
def test_kinds_without_a_kernel(mode):
    shape = (1, 3, *(4,) * {"linear": 1, "trilinear": 3}.get(mode, 2))
    for kind in ("int64", "bool", "complex64", *(("uint8",) if mode in ("linear", "trilinear") else ())):
        same_error(
            lambda torch, kind=kind: torch.nn.functional.interpolate(
                torch.ones(shape, dtype=getattr(torch, kind)), scale_factor=1.5, mode=mode
            )
        )
