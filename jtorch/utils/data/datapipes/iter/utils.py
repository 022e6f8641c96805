"""The pipe at the beginning: any iterable as a stream."""

import copy
import warnings
from typing import TypeVar

from jtorch.utils.data.datapipes.datapipe import IterDataPipe
from jtorch.utils.data.datapipes.utils.common import length

_T = TypeVar("_T")


class IterableWrapperIterDataPipe(IterDataPipe[_T]):
    """The samples of an iterable, of a deep copy for each pass unless deepcopy=False. Warns where it has none."""

    def __init__(self, iterable, deepcopy=True):
        self.iterable = iterable
        self.deepcopy = deepcopy

    def __iter__(self):
        source = self.iterable
        if self.deepcopy:
            try:
                source = copy.deepcopy(source)
            except TypeError:
                warnings.warn(
                    "The input iterable can not be deepcopied, "
                    "please be aware of in-place modification would affect source data.",
                    stacklevel=2,
                )
        yield from source

    def __len__(self):
        return length(self, self.iterable)


__all__ = ["IterableWrapperIterDataPipe"]
