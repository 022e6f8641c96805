"""Decorators of datapipes: a name under which other pipes call one, and marks for what is not deterministic."""

import functools
import inspect
from collections.abc import Callable
from typing import get_type_hints

from jtorch.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe


class functional_datapipe:
    """A class decorator: pipes have the class as a method of this name. Raises: Exception for a name taken."""

    name: str

    def __init__(self, name, enable_df_api_tracing=False):
        self.name = name
        self.enable_df_api_tracing = enable_df_api_tracing

    def __call__(self, cls):
        if issubclass(cls, IterDataPipe):
            IterDataPipe.register_datapipe_as_function(self.name, cls, self.enable_df_api_tracing)
        elif issubclass(cls, MapDataPipe):
            MapDataPipe.register_datapipe_as_function(self.name, cls)
        return cls


class _Switch:
    """A setting that an object of a subclass sets from when it is made until its `with` block ends."""

    value: bool
    to: bool

    def __init__(self):
        self.prev = type(self).value
        type(self).value = self.to

    def __enter__(self):
        pass

    def __exit__(self, *error):
        type(self).value = self.prev


class guaranteed_datapipes_determinism(_Switch):
    """Within it, pipes that are marked as not deterministic can't be made."""

    value, to = False, True


class runtime_validation_disabled(_Switch):
    """Kept for scripts that use it: types of samples are not looked at, as in torch."""

    value, to = True, False


class non_deterministic:
    """Marks a class of pipes as not deterministic, or those whose arguments a function answers True for.

    Raises: TypeError for what is no IterDataPipe, and when one is made where determinism is guaranteed.
    """

    cls: type[IterDataPipe] | None = None
    deterministic_fn: Callable[..., bool]

    def __init__(self, arg):
        if isinstance(arg, type):
            if not issubclass(arg, IterDataPipe):
                raise TypeError(
                    f"Only `IterDataPipe` can be decorated with `non_deterministic`, but {arg.__name__} is found"
                )
            self.cls = arg
        elif callable(arg):
            self.deterministic_fn = arg
        else:
            raise TypeError(f"{arg} can not be decorated by non_deterministic")

    def __call__(self, *args, **kwargs):
        if self.cls is not None:
            if guaranteed_datapipes_determinism.value:
                raise TypeError(
                    f"{self.cls.__name__} is non-deterministic, but you set 'guaranteed_datapipes_determinism'. "
                    "You can turn off determinism for this DataPipe if that is acceptable for your application"
                )
            return self.cls(*args, **kwargs)
        if not (isinstance(args[0], type) and issubclass(args[0], IterDataPipe)):
            raise TypeError(f"Only `IterDataPipe` can be decorated, but {args[0].__name__} is found")
        self.cls = args[0]
        return self.deterministic_wrapper_fn

    def deterministic_wrapper_fn(self, *args, **kwargs):
        """Make a pipe, unless the function says of its arguments that it would not be deterministic."""
        res = self.deterministic_fn(*args, **kwargs)
        if not isinstance(res, bool):
            raise TypeError(
                "deterministic_fn of `non_deterministic` decorator is required "
                f"to return a boolean value, but {type(res)} is found"
            )
        if guaranteed_datapipes_determinism.value and res:
            raise TypeError(
                f"{self.cls.__name__} is non-deterministic with the inputs, but you set "
                "'guaranteed_datapipes_determinism'. You can turn off determinism "
                "for this DataPipe if that is acceptable for your application"
            )
        return self.cls(*args, **kwargs)


def argument_validation(f):
    """A decorator: arguments that are annotated as pipes must be. Raises: TypeError at the call for others."""
    signature = inspect.signature(f)
    pipes = {
        name
        for name, hint in get_type_hints(f).items()
        if isinstance(hint, type) and issubclass(hint, IterDataPipe | MapDataPipe)
    }

    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            if name in pipes and not isinstance(value, IterDataPipe):
                raise TypeError(f"Expected argument '{name}' as a IterDataPipe, but found {type(value)}")
        return f(*args, **kwargs)

    return wrapper


def runtime_validation(f):
    """A decorator of `__iter__`, kept for classes that have it. Raises: TypeError for any other function."""
    if f.__name__ != "__iter__":
        raise TypeError(f"Can not decorate function {f.__name__} with 'runtime_validation'")
    return f
