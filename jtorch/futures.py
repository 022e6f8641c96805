"""torch.futures: results that are not there yet."""

import threading
from typing import Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")


class Future(Generic[T]):
    """A result that somebody sets once, and that others wait for or are called with. devices: taken and not needed."""

    def __init__(self, *, devices=None):
        self._changed = threading.Condition()
        self._done = False
        self._result = self._error = None
        self._callbacks = []

    def done(self):
        """Whether there is a result or an error."""
        return self._done

    def wait(self):
        """The result, when it is there. Raises the error that was set instead."""
        with self._changed:
            self._changed.wait_for(self.done)
        return self.value()

    def value(self):
        """The result that is there. Raises the error that was set, RuntimeError where there is nothing yet."""
        if not self._done:
            raise RuntimeError("the Future has no result yet: wait() waits for one")
        if self._error is not None:
            raise self._error
        return self._result

    def _complete(self, result, error):
        with self._changed:
            if self._done:
                raise RuntimeError(
                    "Attempting to mark a completed Future as complete again. Note that a Future can only be marked "
                    "completed once."
                )
            self._done, self._result, self._error = True, result, error
            self._changed.notify_all()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def set_result(self, result):
        """Set the result, and call those who wait. Raises RuntimeError for a second one."""
        self._complete(result, None)

    def set_exception(self, result):
        """Set the error that waiting raises. Raises AssertionError for what is no exception."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(None, result)

    def add_done_callback(self, callback):
        """Call a function with this Future when there is a result; at once if there is one."""
        with self._changed:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def then(self, callback):
        """The Future of what a function makes of this one when it is done; its error where it raises."""
        out = Future()

        def complete(done):
            try:
                result = callback(done)
            except Exception as error:
                out.set_exception(error)
            else:
                out.set_result(result)

        self.add_done_callback(complete)
        return out


def collect_all(futures):
    """A Future of the list of these Futures, done when all of them are."""
    out, left, lock = Future(), len(futures), threading.Lock()

    def one_more(_):
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            out.set_result(futures)

    for future in futures:
        future.add_done_callback(one_more)
    if not futures:
        out.set_result([])
    return out


def wait_all(futures):
    """The results of Futures, when all are there. Raises the first error among them."""
    return [future.wait() for future in collect_all(futures).wait()]
