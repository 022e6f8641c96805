"""Counts per bin, places of flat indices, reductions over runs."""

import numpy as np
import pytest

from tests.oracle import check, const, same, same_error

VALUES = np.array([0.5, 2.0, 1.0, 2.0, np.nan, -1.0, 3.0, 0.0], np.float32)


@pytest.mark.parametrize("kwargs", [{}, {"density": True}, {"weight": np.abs(VALUES.copy())}])
def test_histogram(kwargs):
    clean = np.delete(VALUES, 4)
    kwargs = {k: np.delete(v, 4) if k == "weight" else v for k, v in kwargs.items()}
    check("histogram", clean, 4, grad=False, **kwargs)
    check("histogram", clean, 3, range=(0.0, 2.0), grad=False, **kwargs)
    check("Tensor.histogram", clean, np.array([0.0, 1.0, 2.5], np.float32), grad=False, **kwargs)


def test_histograms_of_little():
    same(lambda torch: [torch.histogram(torch.ones(3), 2), torch.histogram(torch.empty(0), 2)])
    same_error(lambda torch: torch.histogram(torch.ones(3), 0))
    same_error(lambda torch: torch.histogram(torch.ones(3), 2, range=(2.0, 1.0)))


@pytest.mark.parametrize("kwargs", [{}, {"density": True}, {"weight": np.array([1.0, 2.0, 0.5], np.float32)}])
def test_histogramdd(kwargs):
    points = np.array([[0.0, 1.0], [2.0, 0.5], [1.0, 3.0]], np.float32)
    check("histogramdd", points, [2, 3], grad=False, **kwargs)
    check("histogramdd", points, 2, range=(0.0, 1.0, 0.0, 2.0), grad=False, **kwargs)
    check("histogramdd", points, [np.array([0.0, 1.0, 2.5], np.float32)] * 2, grad=False, **kwargs)


def test_grids_that_do_not_fit():
    same_error(lambda torch: torch.histogramdd(torch.ones(3, 2), [2]))
    same_error(lambda torch: torch.histogramdd(torch.ones(3, 2), [torch.ones(2)]))
    same_error(lambda torch: torch.histogramdd(torch.ones(3, 2), 2, range=(0.0, 1.0)))
    same_error(lambda torch: torch.histogramdd(torch.ones(3, 2), 2, weight=torch.ones(2)))


def test_unravel_index():
    def run(torch):
        i = torch.tensor([[5, 1], [23, 0]])
        return [
            torch.unravel_index(i, (2, 3, 4)), torch.unravel_index(torch.tensor(5), 6),
            torch.unravel_index(torch.tensor(9), (2, 3)), torch.unravel_index(i, torch.Size([6, 4])),
        ]  # fmt: skip

    same(run)
    same_error(lambda torch: torch.unravel_index(torch.ones(2), (2, 3)))


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
def test_segment_reduce(reduce):
    data = np.arange(1.0, 13.0, dtype=np.float32).reshape(6, 2)
    check("segment_reduce", data, reduce, lengths=const(np.array([1, 0, 3, 2])))
    check("segment_reduce", data, reduce, lengths=const(np.array([4, 2, 0])), initial=2.0)
    check("segment_reduce", data[:, 0].copy(), reduce, offsets=const(np.array([0, 2, 6])))


def test_segments_that_do_not_fit():
    same_error(lambda torch: torch.segment_reduce(torch.ones(3), "sum", lengths=torch.tensor([1, -1, 3])))
    same_error(lambda torch: torch.segment_reduce(torch.ones(3), "sum"))
