"""Samplers: torch's orders from torch's seeds, lengths and errors."""

import itertools

import pytest

from tests.oracle import same, same_error


def data_of(torch):
    return torch.utils.data


SAMPLERS = {
    "sequential": lambda d, g: d.SequentialSampler(range(10)),
    "random": lambda d, g: d.RandomSampler(range(100), generator=g),
    "random, fewer": lambda d, g: d.RandomSampler(range(100), num_samples=7, generator=g),
    "random, more": lambda d, g: d.RandomSampler(range(10), num_samples=35, generator=g),
    "random, twice": lambda d, g: d.RandomSampler(range(10), num_samples=20, generator=g),
    "replaced": lambda d, g: d.RandomSampler(range(10), replacement=True, num_samples=75, generator=g),
    "replaced, whole blocks": lambda d, g: d.RandomSampler(range(10), replacement=True, num_samples=64, generator=g),
    "subset": lambda d, g: d.SubsetRandomSampler([3, 5, 7, 11, 13], generator=g),
    "weighted": lambda d, g: d.WeightedRandomSampler([0.1, 0.2, 3, 0, 1], 20, generator=g),
    "weighted, each once": lambda d, g: d.WeightedRandomSampler([0.1, 0.2, 3, 0.5, 1], 4, False, generator=g),
    "batches": lambda d, g: d.BatchSampler(d.RandomSampler(range(23), generator=g), 5, False),
    "whole batches": lambda d, g: d.BatchSampler(d.RandomSampler(range(23), generator=g), 5, True),
    "batches that fit": lambda d, g: d.BatchSampler(range(20), 5, True),
}


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("name", SAMPLERS)
def test_order(name, own):
    def run(torch):
        torch.manual_seed(7)
        generator = torch.Generator().manual_seed(3) if own else None
        sampler = SAMPLERS[name](data_of(torch), generator)
        return [
            list(sampler),
            list(sampler),
            len(sampler),
            torch.rand(2),
            generator and torch.rand(2, generator=generator),
        ]

    same(run, exact=True)


def test_replacement_is_lazy():
    def run(torch):
        torch.manual_seed(7)
        sampler = data_of(torch).RandomSampler(range(10**10), replacement=True, num_samples=10**12)
        return list(itertools.islice(sampler, 70)), len(sampler)

    same(run)


def test_length_of_a_growing_dataset():
    def run(torch):
        numbers = [1, 2, 3]
        sampler = data_of(torch).RandomSampler(numbers)
        numbers.append(4)
        return len(sampler), sorted(sampler), sampler.num_samples

    same(run)


def test_subclass():
    def run(torch):
        class Odd(data_of(torch).Sampler):
            def __iter__(self):
                return iter(range(1, 9, 2))

        return list(data_of(torch).BatchSampler(Odd(), 3, False))

    same(run)


@pytest.mark.parametrize(
    "make",
    [
        lambda d: d.RandomSampler(range(3), replacement=1),
        lambda d: d.RandomSampler(range(3), num_samples=0),
        lambda d: d.RandomSampler(range(3), num_samples=1.5),
        lambda d: d.RandomSampler([]),
        lambda d: d.WeightedRandomSampler([1, 2], 0),
        lambda d: d.WeightedRandomSampler([1, 2], True),
        lambda d: d.WeightedRandomSampler([1, 2], 2, 1),
        lambda d: d.WeightedRandomSampler([[1, 2]], 2),
        lambda d: list(d.WeightedRandomSampler([1, 2], 3, False)),
        lambda d: d.BatchSampler(range(3), 0, False),
        lambda d: d.BatchSampler(range(3), True, False),
        lambda d: d.BatchSampler(range(3), 2, 1),
        lambda d: iter(d.Sampler()),
        lambda d: len(d.Sampler()),
    ],
)
def test_errors(make):
    same_error(lambda torch: make(data_of(torch)))
