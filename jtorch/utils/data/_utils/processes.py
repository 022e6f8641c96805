"""The workers as the main process sees them: in processes of their own, or, where that can't be, within it."""

import io
import math
import os
import pickle
import selectors
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace

from jtorch.utils.data._utils import pickling
from jtorch.utils.data._utils.channel import Channel
from jtorch.utils.data._utils.forkserver import ForkServer
from jtorch.utils.data._utils.memory import Mappings
from jtorch.utils.data._utils.worker import Guest, Unreadable, surroundings

_JOIN = 5  # seconds for a worker to end by itself
_AT_ONCE = 16  # tasks on their way to a worker, so few that they fit into its channel and sending never waits


class Unloadable(Exception):
    """A worker can't have what it needs, as a module that it does not find."""


class WorkerProcess:
    """One worker in a process of its own, with some of the methods of `multiprocessing.Process`."""

    def __init__(self, server, message, files, keep):
        self._server = server
        self._channel, theirs = Channel.pair()
        self.memory = Mappings(keep)
        self._pid = self._code = None
        self._waiting = deque()  # tasks that have not been sent
        self._sent = 0  # tasks that have been sent and not answered
        try:
            server.fork(theirs)
        finally:
            theirs.close()
        self._channel.send(message, files)

    def fileno(self):
        """The file that can be read when the worker has answered or ended."""
        return self._channel.fileno()

    @property
    def pid(self):
        """The number of the process, None before it has come to life."""
        return self._pid

    def give(self, *task):
        """Give the worker a task: (turn, number of the batch, index). A new pass has a new turn."""
        self._waiting.append(task)
        self._feed()

    def _feed(self):
        while self._waiting and self._sent < _AT_ONCE:
            body, files = pickling.message(*self._waiting.popleft(), *self.memory.returned())
            try:
                self._channel.send(body, files)
                self._sent += 1
            except EOFError:
                self._waiting.clear()  # that it has ended is seen when its answer is taken
            finally:
                for fd in files:
                    os.close(fd)

    def take(self):
        """(turn, number of the batch, answer), None when there is none yet.

        Raises: EOFError when the worker has ended, Unloadable when it can't begin.
        """
        body, files = self._channel.receive()
        file = io.BytesIO(body)
        head = pickle.load(file)
        if self._pid is None:
            self._pid = head
            return None
        if isinstance(head, str):
            raise Unloadable(head)
        turn, at, places, numbers, lengths = head
        self.memory.add(numbers, lengths, files)
        self._sent -= 1
        self._feed()
        try:
            return turn, at, pickle.load(file, buffers=self.memory.arrays(places))
        except Exception as error:  # whatever the user's own objects raise when they are made again
            return turn, at, Unreadable(error)

    def forget(self):
        """Drop the tasks that have not been sent."""
        self._waiting.clear()

    @property
    def exitcode(self):
        """How it ended, negative for a signal; None while it runs."""
        return self._ended(0)

    def _ended(self, wait):
        if self._code is None and self._pid is not None:
            try:
                self._code = self._server.ended(self._pid, wait)
            except EOFError:
                self._code = 1  # the server is gone, and with it the exit codes
        return self._code

    def is_alive(self):
        """Whether the process is there."""
        return self.exitcode is None

    def join(self, timeout=None):
        """Wait for its end."""
        self._ended(math.inf if timeout is None else timeout)

    def terminate(self):
        """End it by SIGTERM."""
        self._signal(signal.SIGTERM)

    def kill(self):
        """End it by SIGKILL."""
        self._signal(signal.SIGKILL)

    def _signal(self, number):
        if self._pid is not None and self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def close(self):
        """Let it end: it reads that there are no more tasks."""
        self._channel.hang_up()


class Processes:
    """Workers in processes of their own. Raises what pickling raises for what can't be taken there."""

    def __init__(self, job, stream, ahead):
        fd, length, modules = pickling.pack(job.dataset, job.init_fn, job.make_fetcher)
        self.workers = []
        self._turn = (0, None)  # the number of the pass, and the seed of its pipes
        self._ready = selectors.DefaultSelector()
        try:
            server, given = ForkServer.get(), surroundings()
            server.prepare(modules)
            for number in range(job.count):
                message = pickle.dumps((given, (number, job.count, job.base_seed), stream, length))
                worker = WorkerProcess(server, message, [fd], ahead + 2)
                self.workers.append(worker)
                self._ready.register(worker, selectors.EVENT_READ, number)
        finally:
            os.close(fd)

    def give(self, number, at, index):
        """Give a worker a task."""
        self.workers[number].give(self._turn, at, index)

    def take(self, timeout=None):
        """(number of the batch, answer) of whoever answers first, None when the time is over.

        Raises: RuntimeError when a worker has ended, Unloadable when they can't begin.
        """
        until = None
        while True:
            if until is None and timeout is not None and all(worker.pid for worker in self.workers):
                until = time.monotonic() + timeout  # the time in which the fork server starts does not count
            ready = self._ready.select(None if until is None else max(0, until - time.monotonic()))
            if not ready:
                return None
            worker = self.workers[ready[0][0].data]
            try:
                taken = worker.take()
            except EOFError:
                self._ready.unregister(worker)
                raise _lost(worker) from _cause(worker)
            if taken is not None and taken[0] == self._turn:
                return taken[1:]

    def resume(self, seed):
        """Begin a new pass; what is still made for the last one is thrown away."""
        self._turn = (self._turn[0] + 1, seed)
        for worker in self.workers:
            worker.forget()

    def close(self):
        """Let the workers end and wait for it."""
        self._ready.close()
        for worker in self.workers:
            worker.close()
        until = time.monotonic() + _JOIN
        for worker in self.workers:
            worker.join(max(0, until - time.monotonic()))
            worker.kill()


def _lost(worker):
    if worker.pid is None:
        return Unloadable("their process could not be started")
    return RuntimeError(f"DataLoader worker (pid(s) {worker.pid}) exited unexpectedly")


def _cause(worker):
    code = worker._ended(_JOIN) or 0
    if code < 0:
        return RuntimeError(f"DataLoader worker (pid {worker.pid}) is killed by signal: {signal.strsignal(-code)}. ")
    if code > 0:
        return RuntimeError(
            f"DataLoader worker (pid {worker.pid}) exited unexpectedly with exit code {code}. Details are lost due to "
            "multiprocessing. Rerunning with num_workers=0 may give better error trace."
        )
    return None


class Guests:
    """Workers within the main process: each batch is made when it is asked for."""

    def __init__(self, job, stream, ahead):
        self.workers = [Guest(replace(job, number=number)) for number in range(job.count)]
        self._stream = stream
        self._tasks = deque()

    def give(self, number, at, index):
        """Give a worker a task."""
        self._tasks.append((number, at, index))

    def take(self, timeout=None):
        """(number of the batch, answer) of the oldest task."""
        number, at, index = self._tasks.popleft()
        return at, self.workers[number].answer(index, self._stream)

    def resume(self, seed):
        """Begin a new pass."""
        self._tasks.clear()
        for worker in self.workers:
            worker.resume(seed)

    def close(self):
        """There is nothing to end."""
