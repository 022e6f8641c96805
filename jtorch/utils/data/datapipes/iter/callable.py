"""Pipes that put a function on each sample."""

from typing import TypeVar

from jtorch.utils.data._utils.collate import default_collate
from jtorch.utils.data.datapipes._decorator import functional_datapipe
from jtorch.utils.data.datapipes.datapipe import IterDataPipe
from jtorch.utils.data.datapipes.utils.common import _check_unpickable_fn, columns, length, validate_input_col

_T_co = TypeVar("_T_co", covariant=True)


@functional_datapipe("map")
class MapperIterDataPipe(IterDataPipe[_T_co]):
    """fn of each sample, or of its column(s) input_col, whose result goes to output_col (-1: after the last).

    Without an output_col it takes the place of the first input column, and the others go.
    Raises: ValueError for columns that the function does not take, and for several output columns.
    """

    def __init__(self, datapipe, fn, input_col=None, output_col=None):
        super().__init__()
        self.datapipe = datapipe
        _check_unpickable_fn(fn)
        self.fn = fn
        self.input_col = input_col
        if input_col is None and output_col is not None:
            raise ValueError("`output_col` must be None when `input_col` is None.")
        if isinstance(output_col, list | tuple):
            if len(output_col) > 1:
                raise ValueError("`output_col` must be a single-element list or tuple")
            output_col = output_col[0]
        self.output_col = output_col
        validate_input_col(fn, input_col)

    def _apply_fn(self, data):
        result = self.fn(*columns(data, self.input_col))
        if self.input_col is None:
            return result
        changed = list(data) if isinstance(data, tuple) else data
        if self.output_col == -1:
            changed.append(result)
        elif self.output_col is not None:
            changed[self.output_col] = result
        elif isinstance(self.input_col, list | tuple):
            changed[self.input_col[0]] = result
            for column in sorted(self.input_col[1:], reverse=True):
                del changed[column]
        else:
            changed[self.input_col] = result
        return tuple(changed) if isinstance(data, tuple) else changed

    def __iter__(self):
        for data in self.datapipe:
            yield self._apply_fn(data)

    def __len__(self):
        return length(self, self.datapipe)


@functional_datapipe("collate")
class CollatorIterDataPipe(MapperIterDataPipe):
    """Each sample, a batch, made one value by a function: default_collate where none is given.

    Raises: NotImplementedError for a dict of functions, which is for DataFrames.
    """

    def __init__(self, datapipe, conversion=default_collate, collate_fn=None):
        fn = conversion if collate_fn is None else collate_fn
        if isinstance(fn, dict):
            raise NotImplementedError("conversion by columns is for pipes of DataFrames, which jtorch does not have")
        super().__init__(datapipe, fn=fn)


__all__ = ["CollatorIterDataPipe", "MapperIterDataPipe"]
