"""DataLoader: batches, orders, seeds, workers and errors as torch's; batches end steps."""

import random
import sys
import warnings

import cloudpickle
import numpy as np
import pytest

import jtorch
from jtorch.engine import flush, stats
from tests.labels import label
from tests.oracle import same, same_error, same_warnings

# As what a script's __main__ defines: a worker that imported this file would spend seconds on importing torch.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def tensors(torch, n=23):
    x = torch.arange(n * 6, dtype=torch.float32).reshape(n, 2, 3)
    return x, torch.arange(n), torch.from_numpy(np.arange(n) * 0.5)


def rows(torch, n=23):
    return torch.utils.data.TensorDataset(*tensors(torch, n))


class Samples:
    """A dataset by duck typing, whose samples hold a bit of everything."""

    def __init__(self, n=11):
        self.n = n

    def __getitem__(self, index):
        if index >= self.n:
            raise IndexError
        return {"x": np.full(3, index, np.float32), "y": index, "name": f"sample {index}", "pair": (index * 0.5, index)}

    def __len__(self):
        return self.n


def stream_of(torch, n=11, claimed=None):
    class Stream(torch.utils.data.IterableDataset):
        def __init__(self):
            self.start, self.end = 0, n

        def __iter__(self):
            return iter(range(self.start, self.end))

        def __repr__(self):
            return "Stream"

    class Sized(Stream):
        def __len__(self):
            return claimed

    return Stream() if claimed is None else Sized()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 5},
        {"batch_size": 5, "drop_last": True},
        {"batch_size": 5, "shuffle": True},
        {"batch_size": 64, "shuffle": True},
        {"batch_size": None},
        {"batch_size": None, "shuffle": True},
        {"sampler": [3, 1, 2], "batch_size": 2},
        {"sampler": [-1, 0], "batch_size": 2},
        {"batch_sampler": [[3, 1], [2], [5, 5, 5]]},
        {"batch_size": 4, "collate_fn": len},
        {"batch_size": 4, "collate_fn": lambda batch: batch[0]},
    ],
    ids=label,
)
@pytest.mark.parametrize("kind", ["rows", "samples"])
def test_batches(kind, options):
    if kind == "samples" and options.get("sampler") == [-1, 0]:
        options = {**options, "sampler": [1, 0]}

    def run(torch):
        torch.manual_seed(3)
        loader = torch.utils.data.DataLoader(rows(torch) if kind == "rows" else Samples(), **options)
        return list(loader), list(loader), len(loader), torch.rand(1)

    same(run, exact=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda torch: torch.utils.data.random_split(rows(torch), [13, 10])[0],
        lambda torch: torch.utils.data.Subset(torch.utils.data.Subset(rows(torch), range(0, 20, 2)), [1, 0, 3]),
        lambda torch: torch.utils.data.StackDataset(rows(torch), rows(torch)),
        lambda torch: torch.utils.data.StackDataset(a=rows(torch), b=rows(torch)),
        lambda torch: torch.utils.data.StackDataset(rows(torch), list(range(23))),
        lambda torch: rows(torch) + rows(torch),
        lambda torch: torch.utils.data.TensorDataset(torch.arange(12.0).reshape(3, 4).t(), torch.ones(4) * 2),
        lambda torch: torch.utils.data.TensorDataset(torch.arange(12.0).reshape(4, 3)[:, 1], torch.ones(5)[1:]),
        lambda torch: torch.utils.data.TensorDataset(torch.ones(4, 2, dtype=torch.bfloat16)),
        lambda torch: [torch.tensor([i, i + 1]) for i in range(7)],
        lambda torch: torch.arange(7),
        lambda torch: list(range(7)),
        lambda torch: [np.float32(i) for i in range(7)],
    ],
)
def test_datasets(make):
    def run(torch):
        torch.manual_seed(3)
        return list(torch.utils.data.DataLoader(make(torch), batch_size=3, shuffle=True))

    same(run, exact=True)


def test_a_subclass_of_tensor_dataset_keeps_its_getter():
    def run(torch):
        class Scaled(torch.utils.data.TensorDataset):
            def __getitem__(self, index):
                x, y = super().__getitem__(index)
                return x / 10, y

        data = Scaled(torch.arange(8.0).reshape(4, 2), torch.arange(4))
        return list(torch.utils.data.DataLoader(data, batch_size=3))

    same(run)


def test_gradients_reach_the_datasets_tensors():
    def run(torch):
        leaf = torch.ones(5, 2, requires_grad=True)
        for (batch,) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(leaf), batch_size=2):
            (batch * 3).sum().backward()
        return leaf.grad

    same(run)


def test_batches_follow_writes_to_the_data():
    def run(torch):
        shared = np.zeros((4, 2))
        x = torch.from_numpy(shared)
        y = torch.zeros(4)
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=2)
        seen = []
        for batch in loader:
            seen.append(batch)
            shared += 1
            y.add_(1)
        return seen

    same(run)


def test_seeds_are_drawn_as_torch_draws_them():
    def run(torch):
        torch.manual_seed(11)
        loader = torch.utils.data.DataLoader(rows(torch), batch_size=10, shuffle=True)
        seen = [torch.rand(1)]
        turns = iter(loader)
        seen += [torch.rand(1), next(turns)[1], torch.rand(1), next(turns)[1], torch.rand(1)]
        generator = torch.Generator().manual_seed(5)
        own = torch.utils.data.DataLoader(rows(torch), batch_size=10, shuffle=True, generator=generator)
        return seen, [batch[1] for _ in range(2) for batch in own], torch.rand(1), torch.rand(1, generator=generator)

    same(run, exact=True)


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("drop_last", [False, True])
def test_streams(batch_size, drop_last):
    if batch_size is None and drop_last:
        return

    def run(torch):
        loader = torch.utils.data.DataLoader(stream_of(torch), batch_size=batch_size, drop_last=drop_last)
        sized = torch.utils.data.DataLoader(stream_of(torch, claimed=11), batch_size=batch_size, drop_last=drop_last)
        return list(loader), list(loader), len(sized)

    same(run)


def test_warning_of_a_stream_longer_than_it_said():
    def run(torch):
        loader = torch.utils.data.DataLoader(stream_of(torch, 11, claimed=2), batch_size=4)
        len(loader)
        return list(loader)

    same_warnings(run)


class Drawing(Samples):
    """Samples that draw random numbers, as augmentation does."""

    def __getitem__(self, index):
        return index, random.random(), np.random.rand()


def start(worker):
    """A worker_init_fn that draws."""
    random.random()


WORKING = [{}, {"shuffle": True}, {"worker_init_fn": start}, {"prefetch_factor": 3}]


@pytest.mark.parametrize("options", WORKING, ids=label)
def test_workers_give_torchs_batches_and_random_numbers(options):
    def run(torch):
        torch.manual_seed(9)
        random.seed(1)
        np.random.seed(1)
        loader = torch.utils.data.DataLoader(Drawing(), batch_size=2, num_workers=2, **options)
        return list(loader), torch.rand(1), random.random(), np.random.rand()

    same(run, exact=True)


def split(worker):
    """A worker_init_fn that gives each worker its part of a stream."""
    info = next(
        module.get_worker_info()
        for name in ("torch.utils.data", "jtorch.utils.data")
        if (module := sys.modules.get(name)) and module.get_worker_info()
    )
    share = -(-info.dataset.end // info.num_workers)
    info.dataset.start, info.dataset.end = info.id * share, min((info.id + 1) * share, info.dataset.end)


@pytest.mark.parametrize(
    "options", [{}, {"worker_init_fn": split}, {"worker_init_fn": split, "drop_last": True}], ids=label
)
def test_streams_of_workers(options):
    def run(torch):
        loader = torch.utils.data.DataLoader(stream_of(torch), batch_size=3, num_workers=2, **options)
        return list(loader), list(loader)

    same(run)


def test_persistent_workers():
    def run(torch):
        torch.manual_seed(9)
        loader = torch.utils.data.DataLoader(
            Drawing(), batch_size=2, num_workers=2, persistent_workers=True, shuffle=True
        )
        return list(loader), list(loader), torch.rand(1)

    same(run, exact=True)


def test_worker_info():
    def run(torch):
        class Asking(torch.utils.data.Dataset):
            def __getitem__(self, index):
                info = torch.utils.data.get_worker_info()
                return (info.id, info.num_workers, info.seed, info.dataset is self)

            def __len__(self):
                return 4

        torch.manual_seed(2)
        return list(torch.utils.data.DataLoader(Asking(), num_workers=2)), torch.utils.data.get_worker_info()

    same(run)


def test_attributes():
    def run(torch):
        loader = torch.utils.data.DataLoader(rows(torch), 4, True, num_workers=1)
        names = (
            "batch_size",
            "num_workers",
            "prefetch_factor",
            "drop_last",
            "timeout",
            "persistent_workers",
            "pin_memory",
        )
        kinds = type(loader.sampler).__name__, type(loader.batch_sampler).__name__, loader.collate_fn.__name__
        return [getattr(loader, name) for name in names], kinds, loader.generator, loader.multiprocessing_context

    same(run)


def test_break_and_start_again():
    def run(torch):
        torch.manual_seed(2)
        loader = torch.utils.data.DataLoader(rows(torch), batch_size=4, shuffle=True)
        seen = [next(iter(loader))[1] for _ in range(3)]
        for batch in loader:
            seen.append(batch[1])
            break
        return seen

    same(run, exact=True)


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": -1},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"prefetch_factor": -2, "num_workers": 1},
        {"persistent_workers": True},
        {"sampler": [1], "shuffle": True},
        {"batch_sampler": [[1]], "shuffle": True},
        {"batch_sampler": [[1]], "batch_size": 2},
        {"batch_sampler": [[1]], "drop_last": True},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"multiprocessing_context": "fork"},
        {"multiprocessing_context": "x", "num_workers": 1},
        {"multiprocessing_context": 3, "num_workers": 1},
    ],
    ids=label,
)
def test_errors(options):
    same_error(lambda torch: torch.utils.data.DataLoader(list(range(4)), **options))


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}], ids=label)
def test_errors_of_streams(options):
    same_error(lambda torch: torch.utils.data.DataLoader(stream_of(torch), **options))


@pytest.mark.parametrize(
    "act",
    [
        lambda loader: setattr(loader, "batch_size", 3),
        lambda loader: setattr(loader, "dataset", 3),
        lambda loader: iter(loader).__getstate__(),
        lambda loader: list(type(loader)(loader.dataset, sampler=[99])),
        lambda loader: list(type(loader)(loader.dataset, shuffle=True, timeout=3)),
        lambda loader: type(loader)([], shuffle=True),
        lambda loader: len(type(loader)(loader.dataset, sampler=iter([1]))),
    ],
)
def test_errors_at_use(act):
    same_error(lambda torch: act(torch.utils.data.DataLoader(rows(torch))))


def test_warnings():
    same_warnings(lambda torch: list(torch.utils.data.DataLoader([1], pin_memory=True)))
    same_warnings(lambda torch: list(torch.utils.data.DataLoader([1], pin_memory=True, pin_memory_device="cuda")))
    same_warnings(lambda torch: torch.utils.data.DataLoader([1], num_workers=1000))


def test_pinning_without_an_accelerator_changes_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(lambda torch: list(torch.utils.data.DataLoader(rows(torch), 7, pin_memory=True)))


def test_a_batch_ends_the_step():
    total = jtorch.zeros(())
    loader = jtorch.utils.data.DataLoader(rows(jtorch), batch_size=5)
    flush.boundary()
    stats.reset()
    for x, _, _ in loader:
        total = total + x.sum()
    assert stats.flushes["step"] == len(loader)
    assert stats.programs == len(loader)
    assert float(total) == sum(range(23 * 6))


def test_rows_are_gathered_without_a_program():
    loader = jtorch.utils.data.DataLoader(rows(jtorch), batch_size=5, shuffle=True)
    flush.boundary()
    stats.reset()
    assert len(list(loader)) == 5
    assert stats.ops == 0
    assert stats.programs == 0
