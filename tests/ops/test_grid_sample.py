"""Reading between elements beside torch: modes, paddings, places outside and on the border, refusals."""

import itertools

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, same, same_error

IMAGE, VOLUME = ordinary((2, 2, 3, 4), "float64"), ordinary((1, 2, 2, 3, 3), "float64")
GRID = np.concatenate([ordinary((2, 2, 3, 2), "float64"), np.full((2, 1, 3, 2), 1.0), np.full((2, 1, 3, 2), -7.3)], 1)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_images(mode):
    for padding, corners in (("zeros", False), ("border", True), ("reflection", True), ("reflection", False)):
        check("nn.functional.grid_sample", IMAGE, GRID, mode, padding, corners)


def test_volumes():
    grid = ordinary((1, 2, 2, 2, 3), "float64")
    for mode, padding in itertools.product(["bilinear", "nearest"], ["zeros", "reflection"]):
        check("nn.functional.grid_sample", VOLUME, grid, mode, padding, False)


def test_an_identity_reads_each_pixel_where_torch_does():
    """Its places are whole numbers but for rounding, which decides on which side of a kink the slope is taken."""

    def slopes(torch, size):
        theta = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
        grid = torch.nn.functional.affine_grid(theta, (1, 1, size, size), align_corners=False).requires_grad_()
        image = (torch.arange(float(size * size)).reshape(1, 1, size, size) * 7) % 5
        torch.nn.functional.grid_sample(image, grid, align_corners=False).sum().backward()
        return grid, grid.grad

    same(lambda torch: [slopes(torch, size)[0] for size in (7, 28)], exact=True)
    same(lambda torch: slopes(torch, 28)[1])


def test_affine_grids():
    for corners in (True, False):
        check("nn.functional.affine_grid", ordinary((2, 2, 3), "float64"), (2, 1, 3, 4), corners)
        check("nn.functional.affine_grid", ordinary((1, 3, 4), "float64"), (1, 1, 2, 1, 3), corners)


def test_refusals():
    x, grid = IMAGE.astype(np.float32), GRID.astype(np.float32)
    for args in ((x, GRID), (x, grid[:1]), (x, grid[..., :1]), (x[:, :, :0], grid), (x[0], grid)):
        check("nn.functional.grid_sample", *args, align_corners=False)
    check("nn.functional.grid_sample", x, grid, "cubic", align_corners=False)
    check("nn.functional.grid_sample", x, grid, "nearest", "mirror", False)
    for size in ((2, 1, 3), (2, 1, 0, 3), (2, 1, 3, 3, 3)):
        same_error(lambda torch, size=size: torch.nn.functional.affine_grid(torch.ones(2, 2, 3), size, False))
