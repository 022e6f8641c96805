"""Datasets: samples, lengths, splits and errors as torch's."""

import warnings

import pytest

from tests.labels import label
from tests.oracle import same, same_error, same_warnings


def tensors(torch, n=10):
    x = torch.arange(n * 3).reshape(n, 3)
    return x.to(torch.float32), torch.arange(n)


class Squares:
    """A dataset by duck typing."""

    def __init__(self, n):
        self.n = n

    def __getitem__(self, index):
        return index * index

    def __len__(self):
        return self.n


class Many(Squares):
    def __getitems__(self, indices):
        return [-i for i in indices]


def stream_of(torch, n):
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(n))

        def __len__(self):
            return n

    return Stream()


@pytest.mark.parametrize("index", [0, -1, slice(2, 5), [1, 3]])
def test_tensor_dataset(index):
    def run(torch):
        data = torch.utils.data.TensorDataset(*tensors(torch))
        return data[index], len(data)

    same(run)


@pytest.mark.parametrize("part", [Squares, Many])
@pytest.mark.parametrize("named", [False, True])
def test_stack_dataset(part, named):
    def run(torch):
        parts = {"a": torch.utils.data.TensorDataset(*tensors(torch)), "b": part(10)}
        data = torch.utils.data.StackDataset(**parts) if named else torch.utils.data.StackDataset(*parts.values())
        return data[3], data.__getitems__([2, 5]), len(data)

    same(run)


def test_concat_dataset():
    def run(torch):
        base = torch.utils.data.TensorDataset(*tensors(torch))
        data = base + torch.utils.data.Subset(base, [5, 6]) + torch.utils.data.ConcatDataset([Squares(4), Squares(2)])
        return [data[i] for i in range(-len(data), len(data))], len(data), data.cumulative_sizes

    same(run)


def test_chain_dataset():
    def run(torch):
        data = stream_of(torch, 3) + stream_of(torch, 2)
        return type(data).__name__, list(data), len(data)

    same(run)


@pytest.mark.parametrize("part", [Squares, Many])
def test_subset(part):
    def run(torch):
        data = torch.utils.data.Subset(part(10), [7, 3, 5])
        rows = torch.utils.data.Subset(torch.utils.data.TensorDataset(*tensors(torch)), [7, 3, 5])
        return [data[i] for i in range(3)], data.__getitems__([2, 0]), len(data), rows[[0, 2]]

    same(run)


@pytest.mark.parametrize(
    "lengths", [[7, 3], [0.7, 0.3], [0.33, 0.33, 0.34], [10], [0.1] * 10, [0.5, 0.25, 0.25]], ids=label
)
@pytest.mark.parametrize("own", [False, True])
def test_random_split(lengths, own):
    def run(torch):
        torch.manual_seed(5)
        options = {"generator": torch.Generator().manual_seed(42)} if own else {}
        parts = torch.utils.data.random_split(Squares(10), lengths, **options)
        return [(part.indices, list(part)) for part in parts], torch.rand(1)

    same(run, exact=True)


def test_warning_of_an_empty_split():
    same_warnings(lambda torch: torch.utils.data.random_split(Squares(3), [0.9, 0.1, 0.0]))


@pytest.mark.parametrize(
    "act",
    [
        lambda d, torch: d.Dataset()[0],
        lambda d, torch: len(d.Dataset()),
        lambda d, torch: iter(d.IterableDataset()),
        lambda d, torch: d.TensorDataset(torch.ones(3), torch.ones(2)),
        lambda d, torch: d.StackDataset(),
        lambda d, torch: d.StackDataset(Squares(2), a=Squares(2)),
        lambda d, torch: d.StackDataset(Squares(2), Squares(3)),
        lambda d, torch: d.StackDataset(a=Squares(2), b=Squares(3)),
        lambda d, torch: d.ConcatDataset([]),
        lambda d, torch: d.ConcatDataset([stream_of(torch, 2)]),
        lambda d, torch: d.ConcatDataset([Squares(2)])[-3],
        lambda d, torch: list(d.ChainDataset([Squares(2)])),
        lambda d, torch: len(d.ChainDataset([Squares(2)])),
        lambda d, torch: d.random_split(Squares(3), [1, 1]),
        lambda d, torch: d.random_split(Squares(3), [1.5, -0.5]),
        lambda d, torch: type("Half", (d.Subset,), {"__getitem__": lambda self, i: i})(Squares(3), [1]),
    ],
)
def test_errors(act):
    same_error(lambda torch: act(torch.utils.data, torch))


def test_old_name_of_cumulative_sizes():
    def run(torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.utils.data.ConcatDataset([Squares(2)]).cummulative_sizes

    same(run)
    same_warnings(lambda torch: torch.utils.data.ConcatDataset([Squares(2)]).cummulative_sizes)
