"""Workers: each has a copy of the dataset and random numbers of its own, and fetches the batches it is given."""

import copy
import importlib
import os
import pickle
import random
import sys
import traceback
import types
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from jtorch import dtypes
from jtorch.engine import host
from jtorch.rng import generator as rng
from jtorch.utils.data._utils import memory, pickling


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What a dataset may ask about the worker that it is used in."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


class _Current:
    info = None


def get_worker_info():
    """The WorkerInfo inside a worker, None in the main process."""
    return _Current.info


class Ended:
    """The answer of a worker whose part of a stream has ended."""


class ExceptionWrapper:
    """An exception of a worker, to be raised in the main process with the traceback it had."""

    def __init__(self, error, where):
        self.exc_type = type(error)
        self.exc_msg = "".join(traceback.format_exception(error))
        self.where = where

    def reraise(self):
        """Raise it: the same class with torch's words, RuntimeError where that class can't be made of words."""
        msg = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if self.exc_type is KeyError:
            msg = _Shown(msg)
        elif getattr(self.exc_type, "message", None):
            raise self.exc_type(message=msg)
        try:
            error = self.exc_type(msg)
        except Exception:
            raise RuntimeError(msg) from None
        raise error


class Unreadable(ExceptionWrapper):
    """What the main process met when it read a worker's batch, to be raised as it is."""

    def __init__(self, error):
        self._error = error

    def reraise(self):
        """Raise it."""
        raise self._error


class _Shown(str):
    """A string that is its own repr, since KeyError shows its argument's."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


@dataclass
class Job:
    """What a worker is started with: its number among `count`, and what makes the fetcher of its dataset."""

    dataset: Any
    init_fn: Any
    make_fetcher: Any
    number: int
    count: int
    base_seed: int


class Worker:
    """A worker: from an index it makes a batch, or what stands for one."""

    def __init__(self, job):
        self._job = job
        self._info = WorkerInfo(job.number, job.count, job.base_seed + job.number, job.dataset)
        self._failed = None
        with self._at_work():
            _seed(job.base_seed, job.number)
            try:
                if job.init_fn is not None:
                    job.init_fn(job.number)
                self._fetcher = job.make_fetcher(job.dataset)
            except Exception as error:
                self._failed = self._wrapped(error)

    def answer(self, index, stream):
        """The batch for what the sampler gave; Ended, or an ExceptionWrapper."""
        if self._failed is not None:
            failed, self._failed = self._failed, None
            return failed
        with self._at_work():
            try:
                return self._fetcher.fetch(index)
            except Exception as error:
                return Ended() if stream and isinstance(error, StopIteration) else self._wrapped(error)

    def resume(self, seed=None):
        """Begin a new pass over the dataset: with new seeds for its pipes, if it is made of them."""
        with self._at_work():
            if seed is not None:
                self._job.init_fn.again(seed)
            self._fetcher = self._job.make_fetcher(self._job.dataset)

    def _wrapped(self, error):
        return ExceptionWrapper(error, f"in DataLoader worker process {self._job.number}")

    @contextmanager
    def _at_work(self):
        _Current.info = self._info
        with host.work():
            yield


class Guest(Worker):
    """A worker within the main process, whose random numbers it leaves alone."""

    def __init__(self, job):
        job.dataset = copy.copy(job.dataset)
        self._random = None
        super().__init__(job)

    @contextmanager
    def _at_work(self):
        outside, info = _random_state(), _Current.info
        _Current.info = self._info
        if self._random is not None:
            _set_random_state(self._random)
        try:
            with host.work():
                yield
        finally:
            _Current.info = info
            self._random = _random_state()
            _set_random_state(outside)


def _seed(base_seed, number):
    random.seed(base_seed + number)
    rng.default.manual_seed(base_seed + number)
    # torch: mixes the worker's number into NumPy's seed as NumPy's SeedSequence does.
    words = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))


def _random_state():
    return random.getstate(), np.random.get_state(), rng.default.get_state()


def _set_random_state(states):
    random.setstate(states[0])
    np.random.set_state(states[1])
    rng.default.set_state(states[2])


def surroundings():
    """What a worker takes over of the main process: environment, folders, arguments, settings, the import hook."""
    compat = sys.modules.get("jtorch.compat")
    return {
        "environ": dict(os.environ),
        "cwd": os.getcwd(),
        "path": list(sys.path),
        "argv": list(sys.argv),
        "file": getattr(sys.modules["__main__"], "__file__", None),
        "dtype": dtypes.Default.float,
        "filters": [one for one in warnings.filters if one[2].__module__ == "builtins"],
        "compat": compat is not None and compat.is_active(),
    }


def _settle(given):
    os.environ.clear()
    # One thread for each worker, on the processor.
    os.environ.update(given["environ"] | {"JAX_PLATFORMS": "cpu", "NPROC": "1"})
    os.chdir(given["cwd"])
    sys.path[:] = given["path"]
    sys.argv[:] = given["argv"]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if given["file"] is not None:
        main.__file__ = given["file"]
    dtypes.Default.float = given["dtype"]
    warnings.filters[:] = given["filters"]
    if given["compat"]:
        importlib.import_module("jtorch.compat").activate()


def serve_worker(channel):
    """What a worker's process does until the main process closes the channel. It never returns."""
    code = 0
    try:
        _serve(channel)
    except EOFError:
        pass  # the main process is gone
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _serve(channel):
    body, files = channel.receive()
    given, numbers, stream, length = pickle.loads(body)
    channel.send(pickle.dumps(os.getpid()))
    _settle(given)
    try:
        dataset, init_fn, make_fetcher = pickling.unpack(files[0], length)
    except Exception as error:
        channel.send(pickle.dumps(f"{type(error).__name__}: {error}"))
        return
    arena = memory.Allocator.current = memory.Arena()
    worker = Worker(Job(dataset, init_fn, make_fetcher, *numbers))
    now = (0, None)
    while True:
        turn, at, index, free, gone = pickling.task(*channel.receive())
        arena.give_back(free, gone)
        if turn != now:
            worker.resume(turn[1])
            now = turn
        body, files = _message(arena, turn, at, worker.answer(index, stream), worker)
        channel.send(body, files)
        for fd in files:
            os.close(fd)


def _message(arena, turn, at, answer, worker):
    try:
        body, buffers = pickling.dump(answer)
    except Exception as error:
        body, buffers = pickling.dump(worker._wrapped(error))
    places = arena.place(buffers)
    numbers, lengths, files = arena.sent({number for number, _, _ in places})
    return pickle.dumps((turn, at, places, numbers, lengths)) + body, files
