"""The graph of a datapipe: which other pipes it takes its samples from."""

import io
import pickle
import types
import warnings
from collections.abc import Collection

import numpy as np

from jtorch._tensor import Tensor
from jtorch.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe

DataPipe = IterDataPipe | MapDataPipe
DataPipeGraph = dict[int, tuple[DataPipe, "DataPipeGraph"]]


def traverse_dps(datapipe) -> DataPipeGraph:
    """{id: (pipe, the same of its sources)}, found in a pipe's attributes that are pipes or collections.

    Raises: RuntimeError for what is no pipe.
    """
    return _traverse(datapipe, True, frozenset())


def traverse(datapipe, only_datapipe=None) -> DataPipeGraph:
    """The same, in all attributes of the pipes unless only_datapipe. Deprecated, as in torch, and warns so."""
    message = (
        "`traverse` function is deprecated and will be removed after 1.13. Please use `traverse_dps` instead."
        if only_datapipe
        else "`traverse` function is deprecated and will be removed after 1.13. Please use `traverse_dps` instead. "
        "And, the behavior will be changed to the equivalent of `only_datapipe=True`."
    )
    warnings.warn(message, FutureWarning, stacklevel=2)
    return _traverse(datapipe, bool(only_datapipe), frozenset())


def _traverse(pipe, only_pipes, path) -> DataPipeGraph:
    if not isinstance(pipe, IterDataPipe | MapDataPipe):
        raise RuntimeError(f"Expected `IterDataPipe` or `MapDataPipe`, but {type(pipe)} is found")
    if id(pipe) in path:
        return {}
    path |= {id(pipe)}
    finder = _Finder(pipe, only_pipes, path)
    finder.dump(pipe)
    sources = {}
    for source in finder.found:
        sources.update(_traverse(source, only_pipes, path))
    return {id(pipe): (pipe, sources)}


class _Finder(pickle.Pickler):
    """Goes through what a pipe would be pickled with, and keeps the pipes that it comes upon."""

    def __init__(self, root, only_pipes, path):
        super().__init__(io.BytesIO())
        self.found = []
        self._root = root
        self._only_pipes = only_pipes
        self._seen = set(path)

    def reducer_override(self, obj):
        """A stub for each other pipe and for what holds none; what pickle does by itself for the rest."""
        if obj is not _stub and isinstance(obj, Tensor | np.ndarray | type | types.FunctionType):
            return _stub, ()
        if not isinstance(obj, IterDataPipe | MapDataPipe):
            return NotImplemented
        if obj is not self._root and id(obj) not in self._seen:
            self.found.append(obj)
            self._seen.add(id(obj))
            return _stub, ()
        reduced = obj.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        if isinstance(reduced, str):
            return _stub, ()
        return (*reduced[:2], *(self._kept(state) for state in reduced[2:3]), *reduced[3:])

    def _kept(self, state):
        if not self._only_pipes:
            return state
        if isinstance(state, dict):
            return {key: value for key, value in state.items() if isinstance(value, _KINDS)}
        if isinstance(state, tuple | list):
            return [value for value in state if isinstance(value, _KINDS)]
        return state if isinstance(state, _KINDS) else None


_KINDS = (IterDataPipe, MapDataPipe, Collection)


def _stub():
    return None


__all__ = ["traverse", "traverse_dps"]
