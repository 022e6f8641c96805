"""no_grad, enable_grad, set_grad_enabled, inference_mode: whether calls are put on the tape."""

import functools
import inspect
import warnings

from jtorch import modes
from jtorch.modes import local

__all__ = [
    "enable_grad", "inference_mode", "no_grad", "set_grad_enabled", "set_multithreading_enabled",
]  # fmt: skip


class Switch:
    """A context manager and decorator (of functions, generator functions and classes) that sets the grad mode."""

    def __enter__(self):
        self._stack().append((local.grad, local.inference))
        self._enter()
        return self

    def __exit__(self, *exc):
        local.grad, local.inference = self._stack().pop()

    def _stack(self):
        stack = self.__dict__.get("previous")
        if stack is None:
            stack = self.previous = []
        return stack

    def _enter(self):
        raise NotImplementedError

    def clone(self):
        """A fresh one of the same setting."""
        return type(self)()

    def __call__(self, orig_func):
        if inspect.isgeneratorfunction(orig_func):
            return self._wrap_generator(orig_func)
        if inspect.isclass(orig_func):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods. To preserve the current behavior of class decoration, you can directly "
                "decorate the `__init__` method and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
            return self._wrap(lambda *args, **kwargs: orig_func(*args, **kwargs))
        return self._wrap(orig_func)

    def _wrap(self, fn):
        @functools.wraps(fn)
        def wrapped(*args, **kwargs):
            with self.clone():
                return fn(*args, **kwargs)

        return wrapped

    def _wrap_generator(self, fn):
        @functools.wraps(fn)
        def wrapped(*args, **kwargs):
            generator = fn(*args, **kwargs)
            step, given = generator.send, None
            while True:
                try:
                    with self.clone():
                        item = step(given)
                except StopIteration as stop:
                    return stop.value
                try:
                    step, given = generator.send, (yield item)
                except GeneratorExit:
                    with self.clone():
                        generator.close()
                    raise
                except BaseException as error:
                    step, given = generator.throw, error

        return wrapped


def _maybe_decorate(cls, fn):
    made = object.__new__(cls)
    return made if fn is None else made(fn)


class no_grad(Switch):
    """Calls inside are not put on the tape. As torch.no_grad: `with no_grad():`, `@no_grad()`, `@no_grad`."""

    def __new__(cls, orig_func=None):
        return _maybe_decorate(cls, orig_func)

    def _enter(self):
        local.grad = False


class enable_grad(Switch):
    """Calls inside are put on the tape again. As torch.enable_grad."""

    def __new__(cls, orig_func=None):
        return _maybe_decorate(cls, orig_func)

    def _enter(self):
        local.grad = True


class set_grad_enabled(Switch):
    """Sets the grad mode at once; as a context manager it puts the old one back. As torch.set_grad_enabled."""

    def __init__(self, mode):
        self.mode = bool(mode)
        self._stack().append((local.grad, local.inference))
        local.grad = self.mode

    def __enter__(self):
        local.grad = self.mode
        return self

    def clone(self):
        return type(self)(self.mode)

    def __call__(self, orig_func):
        local.grad, local.inference = self._stack().pop()
        return super().__call__(orig_func)

    def __repr__(self):
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"


class inference_mode(Switch):
    """no_grad whose results can never be used with autograd. As torch.inference_mode."""

    def __new__(cls, mode=True):
        made = object.__new__(cls)
        if callable(mode):
            made.mode = True
            return made(mode)
        return made

    def __init__(self, mode=True):
        self.mode = mode

    def clone(self):
        return type(self)(self.mode)

    def _enter(self):
        modes.enter_rare()
        local.inference, local.grad = self.mode, not self.mode

    def __exit__(self, *exc):
        super().__exit__(*exc)
        modes.leave_rare()


def is_grad_enabled():
    """Whether calls are put on the tape in this thread."""
    return local.grad


def is_inference_mode_enabled():
    """Whether this thread is inside inference_mode."""
    return local.inference


class set_multithreading_enabled(Switch):
    """Kept for torch's sake: backward runs in the thread that calls it."""

    def __init__(self, mode):
        self.mode = mode

    def _enter(self):
        pass

    def clone(self):
        return type(self)(self.mode)
