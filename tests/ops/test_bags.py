"""Bags of rows beside torch: modes, empty bags, padding, weights of samples, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

WEIGHT = ordinary((6, 3), "float64")
# torch scales by the wrong count (scale_grad_by_freq) where an index above the one that is repeated follows.
INDEX, OFFSETS = np.array([1, 5, 5, 0, 4, 2]), np.array([0, 2, 2, 5])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_modes(mode):
    for more in ({}, {"include_last_offset": True}, {"padding_idx": 5}):
        check("nn.functional.embedding_bag", INDEX, WEIGHT, OFFSETS, mode=mode, **more)
    check("nn.functional.embedding_bag", INDEX.reshape(2, 3), WEIGHT, mode=mode)
    check("nn.functional.embedding_bag", INDEX[:0], WEIGHT, OFFSETS[:1], mode=mode)


def test_weights_of_samples():
    check(
        "nn.functional.embedding_bag", INDEX, WEIGHT, OFFSETS, per_sample_weights=ordinary((6,), "float64"), mode="sum"
    )
    check("nn.functional.embedding_bag", INDEX, WEIGHT, OFFSETS, scale_grad_by_freq=True, mode="mean")


def test_refusals():
    def run(*args, **kwargs):
        check("nn.functional.embedding_bag", *args, **kwargs)

    run(INDEX, WEIGHT)
    run(INDEX, WEIGHT[0], OFFSETS)
    run(INDEX.reshape(2, 3), WEIGHT, OFFSETS, text=False)
    run(INDEX, WEIGHT, OFFSETS, mode="least")
    run(INDEX, WEIGHT, OFFSETS, mode="max", scale_grad_by_freq=True)
    run(INDEX, WEIGHT, OFFSETS, per_sample_weights=ordinary((6,), "float64"))
    run(INDEX, WEIGHT, OFFSETS, per_sample_weights=ordinary((5,), "float64"), mode="sum")
