"""A few of the random programs of tests/autograd/programs.py."""

import pytest

from tests.autograd.programs import compare

# Programs in which something once differed.
FOUND = (101, 104, 212, 344, 356, 482, 566)


@pytest.mark.parametrize("first", range(0, 32, 8))
def test_random_programs(first):
    for seed in range(first, first + 8):
        compare(seed)


def test_programs_that_differed():
    for seed in FOUND:
        compare(seed)
