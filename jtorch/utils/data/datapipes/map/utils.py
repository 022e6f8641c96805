"""The pipe at the beginning: a sequence or a mapping."""

import copy
import warnings
from typing import TypeVar

from jtorch.utils.data.datapipes.datapipe import MapDataPipe

_T = TypeVar("_T")


class SequenceWrapperMapDataPipe(MapDataPipe[_T]):
    """The items of a sequence or mapping, of a deep copy unless deepcopy=False. Warns where there can be no copy."""

    def __init__(self, sequence, deepcopy=True):
        self.sequence = sequence
        if deepcopy:
            try:
                self.sequence = copy.deepcopy(sequence)
            except TypeError:
                warnings.warn(
                    "The input sequence can not be deepcopied, "
                    "please be aware of in-place modification would affect source data",
                    stacklevel=2,
                )

    def __getitem__(self, index):
        return self.sequence[index]

    def __len__(self):
        return len(self.sequence)


__all__ = ["SequenceWrapperMapDataPipe"]
