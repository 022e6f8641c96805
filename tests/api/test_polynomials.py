"""Powers of a vector, and slopes of sampled functions."""

import numpy as np
import pytest

from tests.oracle import check, const, same_error

SURFACE = np.array([[1.0, 4, 9, 16, 20], [2, 3, 1, 7, 9], [0, 1, 5, 2, 2]], np.float32)
COORDINATES = const(np.array([0.0, 1, 3, 4, 6], np.float32))


@pytest.mark.parametrize("args", [(), (4,), (4, True), (0,), (1,), (2,)])
def test_vander(args):
    check("vander", np.array([1, 2, 3]), *args)
    check("vander", np.array([1.0, 2.0, -3.0], np.float32), *args, grad=False)


@pytest.mark.parametrize(
    "kwargs",
    [
        {}, {"spacing": 2.0}, {"spacing": [2.0, 0.5]}, {"dim": 1}, {"dim": (0,)}, {"edge_order": 2}, {"dim": -1},
        {"dim": 1, "edge_order": 2, "spacing": 0.5}, {"dim": 1, "spacing": (COORDINATES,)},
        {"dim": (1,), "spacing": (COORDINATES,), "edge_order": 2},
    ],
)  # fmt: skip
def test_gradient(kwargs):
    check("gradient", SURFACE, grad_fn=False, **kwargs)


def test_refusals():
    same_error(lambda torch: torch.vander(torch.ones(2, 2)))
    same_error(lambda torch: torch.vander(torch.ones(2), -1))
    same_error(lambda torch: torch.gradient(torch.ones(3), edge_order=3))
    same_error(lambda torch: torch.gradient(torch.ones(1)))
