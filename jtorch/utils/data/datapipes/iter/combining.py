"""Pipes that put several streams together."""

from jtorch.utils.data.datapipes._decorator import functional_datapipe
from jtorch.utils.data.datapipes.datapipe import IterDataPipe
from jtorch.utils.data.datapipes.iter._branches import _ChildDataPipe, _DemultiplexerIterDataPipe, _ForkerIterDataPipe
from jtorch.utils.data.datapipes.utils.common import _check_unpickable_fn, length


@functional_datapipe("concat")
class ConcaterIterDataPipe(IterDataPipe):
    """One stream after the other. Raises: ValueError for none at all, TypeError for what is no stream."""

    def __init__(self, *datapipes):
        if not datapipes:
            raise ValueError("Expected at least one DataPipe, but got nothing")
        if not all(isinstance(pipe, IterDataPipe) for pipe in datapipes):
            raise TypeError("Expected all inputs to be `IterDataPipe`")
        self.datapipes = datapipes

    def __iter__(self):
        for pipe in self.datapipes:
            yield from pipe

    def __len__(self):
        return sum(length(self, pipe) for pipe in self.datapipes)


@functional_datapipe("fork")
class ForkerIterDataPipe(IterDataPipe):
    """num_instances streams of the same samples, which may be buffer_size apart (-1: as much as they like).

    copy: None, "shallow" or "deep", what each of them gets. Raises: ValueError for a number below 1; while iterating
    BufferError when one is too far ahead.
    """

    def __new__(cls, datapipe, num_instances, buffer_size=1000, copy=None):
        if num_instances < 1:
            raise ValueError(f"Expected `num_instances` larger than 0, but {num_instances} is found")
        if num_instances == 1:
            return datapipe
        container = _ForkerIterDataPipe(datapipe, num_instances, buffer_size, copy)
        return [_ChildDataPipe(container, i) for i in range(num_instances)]


@functional_datapipe("demux")
class DemultiplexerIterDataPipe(IterDataPipe):
    """num_instances streams, of which classifier_fn chooses one for each sample; None drops it when drop_none.

    Raises: ValueError for a number below 1; while iterating ValueError for a choice that there is not, BufferError when
    buffer_size samples wait for other streams.
    """

    def __new__(cls, datapipe, num_instances, classifier_fn, drop_none=False, buffer_size=1000):
        if num_instances < 1:
            raise ValueError(f"Expected `num_instances` larger than 0, but {num_instances} is found")
        _check_unpickable_fn(classifier_fn)
        container = _DemultiplexerIterDataPipe(datapipe, num_instances, classifier_fn, drop_none, buffer_size)
        return [_ChildDataPipe(container, i) for i in range(num_instances)]


@functional_datapipe("mux")
class MultiplexerIterDataPipe(IterDataPipe):
    """A sample of each stream in turn, until one of them has no more."""

    def __init__(self, *datapipes):
        self.datapipes = datapipes
        self.buffer = []

    def __iter__(self):
        streams = [iter(pipe) for pipe in self.datapipes]
        while streams:
            for stream in streams:
                try:
                    self.buffer.append(next(stream))
                except StopIteration:
                    self.buffer.clear()
                    return
            yield from self.buffer
            self.buffer.clear()

    def __len__(self):
        return min(length(self, pipe) for pipe in self.datapipes) * len(self.datapipes)

    def reset(self):
        """Forget the samples of the round that was not finished."""
        self.buffer = []


@functional_datapipe("zip")
class ZipperIterDataPipe(IterDataPipe):
    """Tuples of a sample of each stream, until one of them has no more. Raises: TypeError for what is no stream."""

    def __init__(self, *datapipes):
        if not all(isinstance(pipe, IterDataPipe) for pipe in datapipes):
            raise TypeError("All inputs are required to be `IterDataPipe` for `ZipIterDataPipe`.")
        super().__init__()
        self.datapipes = datapipes

    def __iter__(self):
        yield from zip(*(iter(pipe) for pipe in self.datapipes), strict=False)

    def __len__(self):
        return min(length(self, pipe) for pipe in self.datapipes)


__all__ = [
    "ConcaterIterDataPipe",
    "DemultiplexerIterDataPipe",
    "ForkerIterDataPipe",
    "MultiplexerIterDataPipe",
    "ZipperIterDataPipe",
]
