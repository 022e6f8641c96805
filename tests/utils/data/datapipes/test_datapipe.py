"""Pipes of one's own: one iterator at a time, reset, functional names, decorators."""

import pytest

import jtorch
from tests.oracle import same
from tests.utils.data.datapipes.pipes import outcome, plus, streams


def own(torch):
    """A pipe that is its own iterator, and one whose `__iter__` is a generator."""

    class Counted(torch.utils.data.IterDataPipe):
        def __init__(self, n):
            self.n = n

        def __iter__(self):
            self.at = 0
            return self

        def __next__(self):
            if self.at == self.n:
                raise StopIteration
            self.at += 1
            return self.at

    class Twice(torch.utils.data.IterDataPipe):
        resets = 0

        def __init__(self, source):
            self.source = source

        def __iter__(self):
            for sample in self.source:
                yield sample
                yield sample

        def reset(self):
            self.resets += 1

    return Counted, Twice


def test_one_iterator_at_a_time():
    def run(torch):
        counted, twice = own(torch)
        pipe, doubled = counted(3), twice(streams(torch).IterableWrapper("ab"))
        first, second = iter(pipe), iter(doubled)
        taken = next(first), next(second)
        iter(pipe)
        again = list(doubled)
        ended = [outcome(lambda: next(first)), outcome(lambda: next(second))]
        return taken, again, ended, doubled.resets, pipe._number_of_samples_yielded, list(twice(pipe))

    same(run)


def test_errors_say_which_pipe():
    def fails(x):
        raise KeyError(x) if x == 2 else ValueError("what")

    same(lambda torch: outcome(lambda: list(streams(torch).IterableWrapper([1, 2]).map(fails).map(plus))))
    same(lambda torch: outcome(lambda: list(streams(torch).IterableWrapper([2]).map(fails))))


def test_functional_name():
    def run(torch):
        data, (_, twice) = torch.utils.data, own(torch)
        if "tested_twice" not in data.IterDataPipe.functions:
            data.functional_datapipe("tested_twice")(twice)
        taken = outcome(lambda: data.functional_datapipe("tested_twice")(twice))
        pipe = streams(torch).IterableWrapper([1, 2]).tested_twice()
        return list(pipe), taken

    same(run)


def test_determinism():
    def run(torch):
        data, (counted, _) = torch.utils.data, own(torch)
        marked = data.non_deterministic(counted)
        asked = data.non_deterministic(lambda n: n > 1)(counted)
        with data.guaranteed_datapipes_determinism():
            inside = [outcome(lambda: marked(2)), outcome(lambda: asked(2)), outcome(lambda: list(asked(1)))]
        other = [outcome(lambda: data.non_deterministic(int)), outcome(lambda: data.non_deterministic(3))]
        return inside, other, list(marked(2)), list(asked(2))

    same(run)


def test_validation():
    def run(torch):
        data = torch.utils.data

        def takes(pipe):
            return pipe

        takes.__annotations__["pipe"] = data.IterDataPipe
        return (
            outcome(lambda: data.argument_validation(takes)([1])),
            outcome(lambda: data.runtime_validation(takes)),
        )

    same(run)


@pytest.mark.parametrize("kind", ["IterDataPipe", "MapDataPipe"])
def test_hooks_are_set_once(kind):
    def run(torch):
        base = getattr(torch.utils.data, kind)
        base.set_reduce_ex_hook(repr)
        again = outcome(lambda: base.set_reduce_ex_hook(repr))
        base.set_reduce_ex_hook(None)
        return again

    same(run)


def test_a_pipe_is_a_dataset():
    data = jtorch.utils.data
    assert issubclass(data.IterDataPipe, data.IterableDataset)
    assert issubclass(data.MapDataPipe, data.Dataset)
