"""The CTC loss beside torch: rows and vectors of labels, repeated labels, blanks, inputs that are too short."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check, const

LOGS = ordinary((7, 3, 4), "float64") - 3
LABELS = np.array([[1, 1, 2], [3, 2, 1], [2, 2, 2]])


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_rows_of_labels(reduction):
    check("nn.functional.ctc_loss", LOGS, LABELS, (7, 6, 7), (3, 2, 0), reduction=reduction)


def test_one_vector_of_labels():
    labels = np.array([0, 0, 2, 3, 2, 3])
    lengths = const(np.array([7, 5, 7])), const(np.array([3, 2, 1]))
    check("nn.functional.ctc_loss", LOGS, labels, *lengths, blank=1)


def test_one_sample():
    check("nn.functional.ctc_loss", LOGS[:, 0], LABELS[0], const(np.array(7)), const(np.array(3)))


def test_inputs_that_are_too_short():
    for zero in (True, False):
        check("nn.functional.ctc_loss", LOGS, LABELS, (3, 7, 3), (3, 3, 3), reduction="none", zero_infinity=zero)


def test_refusals():
    check("nn.functional.ctc_loss", LOGS, LABELS, (8, 6, 7), (3, 2, 0), text=False)
    check("nn.functional.ctc_loss", LOGS, LABELS, (7, 6), (3, 2, 0), text=False)
    check("nn.functional.ctc_loss", LOGS, LABELS, (7, 6, 7), (4, 2, 0), text=False)
    check("nn.functional.ctc_loss", LOGS, LABELS, (7, 6, 7), (3, 2, 0), blank=4, text=False)
