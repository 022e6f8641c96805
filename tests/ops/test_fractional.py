"""Pooling over windows laid at random, beside torch with the same draws."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, const

IMAGE, VOLUME = ordinary((2, 3, 7, 9), "float64"), ordinary((1, 2, 5, 6, 7), "float64")
DRAWS = np.random.default_rng(0).random


def test_images():
    draws = const(DRAWS((2, 3, 2)))
    for more in ({"output_size": (3, 4)}, {"output_ratio": (0.5, 0.5)}, {"output_size": 1}):
        check("nn.functional.fractional_max_pool2d", IMAGE, 2, **more, return_indices=True, _random_samples=draws)
    check(
        "nn.functional.fractional_max_pool2d", IMAGE[0], (3, 2), output_size=3, _random_samples=const(DRAWS((1, 3, 2)))
    )


def test_volumes():
    draws = const(DRAWS((1, 2, 3)))
    check("nn.functional.fractional_max_pool3d", VOLUME, 2, output_size=(3, 2, 4), _random_samples=draws)


@pytest.mark.parametrize("rank", [2, 3])
def test_draws_of_other_shapes(rank):
    image = ordinary((2, 3, 5, 6, 7)[: rank + 2], "float64")
    name = f"nn.functional.fractional_max_pool{rank}d"
    for shape in ((3, 3, rank), (1, 3, rank), (2, 4, rank), (2, 3, rank + 1), (3, rank)):
        check(name, image, 2, output_size=2, _random_samples=const(DRAWS(shape)))
    check(name, image[0], 2, output_size=2, _random_samples=const(DRAWS((2, 3, rank))))
    check(name, image, 2, output_size=2, _random_samples=const(DRAWS((2, 3, rank)).astype("float32")))
    for wrong in (image, image[:, :, :0], image[0, 0]):
        check(name, wrong, 2, output_size=9, _random_samples=const(DRAWS((2, 3, rank)).astype("float32")))


@pytest.mark.parametrize("more", [{"output_size": 9}, {}])
def test_refusals(more):
    check("nn.functional.fractional_max_pool2d", IMAGE, 2, **more)
