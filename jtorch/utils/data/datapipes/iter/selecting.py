"""The pipe that lets some samples pass."""

from typing import TypeVar

from jtorch.utils.data.datapipes._decorator import functional_datapipe
from jtorch.utils.data.datapipes.datapipe import IterDataPipe
from jtorch.utils.data.datapipes.utils.common import (
    StreamWrapper,
    _check_unpickable_fn,
    columns,
    validate_input_col,
)

_T_co = TypeVar("_T_co", covariant=True)


@functional_datapipe("filter")
class FilterIterDataPipe(IterDataPipe[_T_co]):
    """The samples for which filter_fn, of them or of their column(s) input_col, is True.

    Raises: ValueError for columns that it does not take, and while iterating for an answer that is no bool.
    """

    def __init__(self, datapipe, filter_fn, input_col=None):
        super().__init__()
        self.datapipe = datapipe
        _check_unpickable_fn(filter_fn)
        self.filter_fn = filter_fn
        self.input_col = input_col
        validate_input_col(filter_fn, input_col)

    def __iter__(self):
        for data in self.datapipe:
            passes = self.filter_fn(*columns(data, self.input_col))
            if not isinstance(passes, bool):
                raise ValueError("Boolean output is required for `filter_fn` of FilterIterDataPipe, got", type(passes))
            if passes:
                yield data
            else:
                StreamWrapper.close_streams(data)


__all__ = ["FilterIterDataPipe"]
