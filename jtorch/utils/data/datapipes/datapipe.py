"""The bases of datapipes: IterDataPipe, a stream of samples, and MapDataPipe, samples by their keys."""

import copy
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from jtorch.utils.data.datapipes import _hook_iterator
from jtorch.utils.data.dataset import Dataset, IterableDataset

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class DataChunk(list[_T]):
    """A batch: a list that a pipe made of several samples."""

    def __init__(self, items: Iterable[_T]):
        items = list(items)
        super().__init__(items)
        self.items = items

    def as_str(self, indent=""):
        """The samples in brackets, after an indent."""
        return f"{indent}[{', '.join(str(item) for item in self)}]"

    def __iter__(self) -> Iterator[_T]:
        yield from super().__iter__()

    def raw_iterator(self) -> Iterator[_T]:
        """An iterator over the samples as they were given."""
        yield from self.items


class _Pipe:
    """What both kinds have: the functions that `functional_datapipe` made, hooks on pickling and printing."""

    functions: dict[str, Callable]
    reduce_ex_hook: Callable | None = None
    getstate_hook: Callable | None = None
    str_hook: Callable | None = None
    repr_hook: Callable | None = None

    def __getattr__(self, attribute_name):
        function = type(self).functions.get(attribute_name)
        if function is None:
            # torch: without the closing quote.
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{attribute_name}")
        bound = functools.partial(function, self)
        functools.update_wrapper(bound, function, assigned=("__doc__",))
        return bound

    @classmethod
    def register_function(cls, function_name, function):
        """Let `function(pipe, ...)` be called as a method of every pipe."""
        cls.functions[function_name] = function

    @classmethod
    def _register_class(cls, name, maker, make):
        if name in cls.functions:
            raise Exception(f"Unable to add DataPipe function name {name} as it is already taken")
        cls.functions[name] = functools.update_wrapper(make, maker, assigned=("__doc__",))

    def __getstate__(self):
        hook = type(self).getstate_hook
        return self.__dict__ if hook is None else hook(self.__dict__)

    def __reduce_ex__(self, *args, **kwargs):
        hook = type(self).reduce_ex_hook
        if hook is not None:
            try:
                return hook(self)
            except NotImplementedError:
                pass
        return super().__reduce_ex__(*args, **kwargs)

    @classmethod
    def _set_hook(cls, base, name, function):
        if getattr(base, name) is not None and function is not None:
            raise RuntimeError(f"Attempt to override existing {name}")
        setattr(base, name, function)

    def __repr__(self):
        hook = self.repr_hook
        return type(self).__qualname__ if hook is None else hook(self)

    def __str__(self):
        hook = self.str_hook
        return type(self).__qualname__ if hook is None else hook(self)

    def __dir__(self):
        return [*super().__dir__(), *self.functions]


class IterDataPipe(_Pipe, IterableDataset[_T_co]):
    """A stream of samples: https://docs.pytorch.org/docs/stable/data.html. Each new iterator ends the one before.

    A subclass defines `__iter__`, and `reset` where there is something to begin anew.
    Raises: RuntimeError for a step of an iterator after another was made.
    """

    functions: dict[str, Callable] = {}
    _valid_iterator_id: int | None = None
    _number_of_samples_yielded: int = 0

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        _hook_iterator.hook(cls)

    def __iter__(self) -> Iterator[_T_co]:
        return self  # pyright: ignore[reportReturnType]

    @classmethod
    def register_datapipe_as_function(cls, function_name, cls_to_register, enable_df_api_tracing=False):
        """Let a class of pipes be called as a method of every pipe, which it takes as its source."""

        def make(source, *args, **kwargs):
            result = cls_to_register(source, *args, **kwargs)
            return result.trace_as_dataframe() if enable_df_api_tracing else result

        IterDataPipe._register_class(function_name, cls_to_register, make)

    @classmethod
    def set_getstate_hook(cls, hook_fn):
        """Set what filters the state of every pipe that is pickled; None ends it."""
        cls._set_hook(IterDataPipe, "getstate_hook", hook_fn)

    @classmethod
    def set_reduce_ex_hook(cls, hook_fn):
        """Set what every pipe is pickled by, unless it raises NotImplementedError; None ends it."""
        cls._set_hook(IterDataPipe, "reduce_ex_hook", hook_fn)

    def reset(self):
        """Begin anew: called for each new iterator. By default there is nothing to do."""


_hook_iterator.hook(IterDataPipe)


class DFIterDataPipe(IterDataPipe):
    """A stream of DataFrames."""

    def _is_dfpipe(self):
        return True


class MapDataPipe(_Pipe, Dataset[_T_co]):
    """Samples by their keys. A subclass defines `__getitem__`, and `__len__` where samplers need it."""

    functions: dict[str, Callable] = {}

    @classmethod
    def register_datapipe_as_function(cls, function_name, cls_to_register):
        """Let a class of pipes be called as a method of every pipe, which it takes as its source."""

        def make(source, *args, **kwargs):
            return cls_to_register(source, *args, **kwargs)

        MapDataPipe._register_class(function_name, cls_to_register, make)

    @classmethod
    def set_getstate_hook(cls, hook_fn):
        """Set what filters the state of every pipe that is pickled; None ends it."""
        cls._set_hook(MapDataPipe, "getstate_hook", hook_fn)

    @classmethod
    def set_reduce_ex_hook(cls, hook_fn):
        """Set what every pipe is pickled by, unless it raises NotImplementedError; None ends it."""
        cls._set_hook(MapDataPipe, "reduce_ex_hook", hook_fn)


class _SerializationWrapper:
    """What a DataLoader has for a dataset that is a pipe. A copy of it has a pipe of its own."""

    _datapipe: Any

    def __init__(self, datapipe):
        self._datapipe = datapipe

    def __copy__(self):
        return type(self)(copy.deepcopy(self._datapipe))

    def __len__(self):
        try:
            return len(self._datapipe)
        except Exception as error:
            raise TypeError(f"{type(self).__name__} instance doesn't have valid length") from error


class _IterDataPipeSerializationWrapper(_SerializationWrapper, IterDataPipe):
    _datapipe_iter: Iterator | None = None

    def __iter__(self):
        self._datapipe_iter = iter(self._datapipe)
        return self

    def __next__(self):
        if self._datapipe_iter is None:
            raise AssertionError("Iterator has not been initialized; call __iter__() before __next__()")
        return next(self._datapipe_iter)


class _MapDataPipeSerializationWrapper(_SerializationWrapper, MapDataPipe):
    def __getitem__(self, idx):
        return self._datapipe[idx]
