"""no_grad, enable_grad, set_grad_enabled, inference_mode: whether calls are put on the tape."""

import functools
import inspect
import warnings

from jtorch import modes
from jtorch._tensor import Tensor
from jtorch.modes import local

__all__ = [
    "enable_grad", "enforce_grad_layout_policy", "inference_mode", "no_grad", "set_grad_enabled",
    "set_multithreading_enabled",
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


class _Setting(Switch):
    """A switch of torch's engine that is set at once; as a context manager or decorator it puts the old value back."""

    name: str

    def __init__(self, mode):
        self.mode = mode
        self.prev = getattr(local, self.name)
        setattr(local, self.name, mode)

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        setattr(local, self.name, self.prev)

    def clone(self):
        return type(self)(self.mode)


class set_multithreading_enabled(_Setting):
    """Kept for torch's sake: backward runs in the thread that calls it. torch: a decorator leaves it set."""

    name = "multithreading"


class _Undone(_Setting):
    """One that a decorator sets only inside the function."""

    def __call__(self, orig_func):
        setattr(local, self.name, self.prev)
        return super().__call__(orig_func)


class enforce_grad_layout_policy(_Undone):
    """Whether a leaf's new gradient lies in memory as the leaf does (the default), or contiguous."""

    name = "grad_layout"

    def __init__(self, enable=True):
        super().__init__(enable)


class _force_original_view_tracking(_Undone):
    """Kept for torch's sake: views always go back to their base by the ops that made them."""

    name = "view_replay"


class _unsafe_preserve_version_counter(Switch):
    """Writes into these tensors inside are not counted. Backward has the values that were saved all the same."""

    def __init__(self, tensors):
        self.tensors = (tensors,) if isinstance(tensors, Tensor) else tensors
        if not isinstance(self.tensors, tuple):
            raise AssertionError("Expected tensors to be a tuple")
        self.versions = tuple(t._storage.version for t in self.tensors)

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        for tensor, version in zip(self.tensors, self.versions, strict=True):
            tensor._storage.version = version


def is_multithreading_enabled():
    """What set_multithreading_enabled was last told in this thread."""
    return local.multithreading


def is_view_replay_enabled():
    """Whether torch would be made to repeat views; here they always are."""
    return local.view_replay
