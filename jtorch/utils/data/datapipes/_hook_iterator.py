"""What is put around `__iter__` of every IterDataPipe: one valid iterator at a time, reset, and what an error tells."""

import functools
import inspect

_FEEDBACK = (
    "\nFor feedback regarding this single iterator per IterDataPipe constraint, feel free "
    "to comment on this issue: https://github.com/pytorch/data/issues/45."
)
_THROWN = "thrown by __iter__ of"


def described(pipe):
    """A pipe as errors show it: its class with those arguments that it keeps."""
    names = inspect.signature(type(pipe)).parameters
    kept = [(name, value) for name, value in inspect.getmembers(pipe) if name in names]
    shown = (f"{name}={value.__name__ if inspect.isfunction(value) else repr(value)}" for name, value in kept)
    return f"{type(pipe).__name__}({', '.join(shown)})"


def hook(cls):
    """Put the checks around what a class of pipes itself defines: `reset`, `__iter__` and `__next__`."""
    own = vars(cls)
    if "reset" in own:
        cls.reset = _counted_anew(own["reset"])
    if "__iter__" not in own:
        return
    if inspect.isgeneratorfunction(own["__iter__"]):
        cls.__iter__ = _generator(own["__iter__"])
        return
    steps = "__next__" in own
    if steps:
        cls.__next__ = _counted(own["__next__"])
    cls.__iter__ = _iterator(own["__iter__"], steps)


def _counted_anew(reset):
    @functools.wraps(reset)
    def counted_reset(*args, **kwargs):
        args[0]._number_of_samples_yielded = 0
        reset(*args, **kwargs)

    return counted_reset


def _counted(step):
    @functools.wraps(step)
    def counted_next(*args, **kwargs):
        result = step(*args, **kwargs)
        args[0]._number_of_samples_yielded += 1
        return result

    return counted_next


def _generator(function):
    @functools.wraps(function)
    def checked_generator(*args, **kwargs):
        pipe, samples = args[0], function(*args, **kwargs)
        number = _begin(pipe)
        try:
            response = samples.send(None)
            while True:
                pipe._number_of_samples_yielded += 1
                request = yield response
                _check_valid(pipe, number)
                response = samples.send(request)
        except StopIteration:
            return
        except Exception as error:
            _tell(error, pipe)
            raise

    return checked_generator


def _tell(error, pipe):
    """Say in an error which pipe it came from, once."""
    words = error.args[0] if error.args else None
    if not isinstance(words, str):
        error.args = (f"\nThis exception is {_THROWN} {described(pipe)}",)
    elif _THROWN not in words and "single iterator per IterDataPipe constraint" not in words:
        error.args = (f"{words}\nThis exception is {_THROWN} {described(pipe)}", *error.args[1:])


def _iterator(function, steps):
    @functools.wraps(function)
    def checked_iter(*args, **kwargs):
        pipe, samples = args[0], function(*args, **kwargs)
        return IteratorDecorator(samples, pipe, _begin(pipe), steps)

    return checked_iter


class IteratorDecorator:
    """The iterator of a pipe whose `__iter__` is no generator, valid until the pipe gives another."""

    def __init__(self, iterator, datapipe, iterator_id, has_next_method):
        self.iterator = iterator
        self.datapipe = datapipe
        self.iterator_id = iterator_id
        self.self_and_has_next_method = iterator is datapipe and has_next_method

    def __iter__(self):
        return self

    def __next__(self):
        _check_valid(self.datapipe, self.iterator_id)
        result = next(self.iterator)
        if not self.self_and_has_next_method:  # else its `__next__` counts
            self.datapipe._number_of_samples_yielded += 1
        return result

    def __getattr__(self, name):
        return getattr(self.iterator, name)


def _begin(pipe):
    """Reset a pipe for a new iterator; the number of that."""
    if getattr(pipe, "_is_child_datapipe", False) is True:
        if not hasattr(pipe, "_set_main_datapipe_valid_iterator_id"):
            raise RuntimeError("ChildDataPipe must have method `_set_main_datapipe_valid_iterator_id`.")
        pipe._set_main_datapipe_valid_iterator_id()
    else:
        pipe._valid_iterator_id = 0 if pipe._valid_iterator_id is None else pipe._valid_iterator_id + 1
        pipe.reset()
    return pipe._valid_iterator_id


def _check_valid(pipe, number):
    if getattr(pipe, "_is_child_datapipe", False) is True:
        if not hasattr(pipe, "_check_valid_iterator_id"):
            raise RuntimeError("ChildDataPipe must have method `_check_valid_iterator_id`.")
        if not pipe._check_valid_iterator_id(number):
            raise RuntimeError(
                "This iterator has been invalidated, because a new iterator has been created from one of the "
                f"ChildDataPipes of {described(pipe.main_datapipe)}.{_FEEDBACK}"
            )
    elif pipe._valid_iterator_id != number:
        raise RuntimeError(
            "This iterator has been invalidated because another iterator has been created from the same IterDataPipe: "
            f"{described(pipe)}\nThis may be caused by multiple references to the same IterDataPipe. We recommend "
            f"using `.fork()` if that is necessary.{_FEEDBACK}"
        )
