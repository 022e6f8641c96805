"""The pipe that puts a function on each sample."""

from typing import TypeVar

from jtorch.utils.data.datapipes._decorator import functional_datapipe
from jtorch.utils.data.datapipes.datapipe import MapDataPipe
from jtorch.utils.data.datapipes.utils.common import _check_unpickable_fn

_T_co = TypeVar("_T_co", covariant=True)


def default_fn(data):
    """The sample itself."""
    return data


@functional_datapipe("map")
class MapperMapDataPipe(MapDataPipe[_T_co]):
    """fn of the sample with that key."""

    def __init__(self, datapipe, fn=default_fn):
        super().__init__()
        self.datapipe = datapipe
        _check_unpickable_fn(fn)
        self.fn = fn

    def __len__(self):
        return len(self.datapipe)

    def __getitem__(self, index):
        return self.fn(self.datapipe[index])


__all__ = ["MapperMapDataPipe", "default_fn"]
