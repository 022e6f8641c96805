"""A few of the random programs of tests/autograd/programs.py."""

import pytest

from tests.autograd.programs import WAYS, compare

# Programs in which something once differed.
FOUND = (101, 104, 212, 344, 356, 482, 566)


@pytest.mark.parametrize("first", range(0, 64, 8))
def test_random_programs(first):
    compare(*range(first, first + 8))


def test_programs_that_differed():
    compare(*FOUND)


@pytest.mark.parametrize("how", WAYS[1:])
def test_in_other_ways(how):
    for seed in (40,) if how == "eager" else (40, 41):  # eagerly each kind of call is a program to compile
        compare(seed, how=how)
