"""The fork server: a process that has imported jtorch and started nothing, of which every worker is a fork.

Importing jtorch takes more than a second of processor time, a fork some milliseconds. The server runs no op and starts
no thread, so forking it is safe, which forking the main program is not once JAX has started.
"""

import gc
import importlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from jtorch.utils.data._utils.channel import Channel
from jtorch.utils.data._utils.worker import serve_worker

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_START = """
import json, sys
given = json.loads(sys.argv.pop())
sys.path[:] = given["path"]
import jtorch
from jtorch.utils.data._utils.forkserver import serve
serve(**given)
"""
_POLL = 0.002  # seconds between looks at a worker that is ending
_GRACE = 5  # seconds for samples that are being made when the main process is gone


class ForkServer:
    """The main process's handle on its fork server."""

    _current = None

    def __init__(self):
        self._channel, theirs = Channel.pair()
        self._owner = os.getpid()
        # A worker works on the processor, by one thread, whatever the program itself does.
        env = os.environ | {"JAX_PLATFORMS": "cpu"} | dict.fromkeys(_ONE_THREAD, "1")
        self._imported = set()
        # Ctrl-C is the main process's to answer. The server ignores it once it has begun.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                _command(theirs.fileno(), sys.path), env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()

    @staticmethod
    def possible():
        """Whether this system can fork and knows where its Python is."""
        return hasattr(os, "fork") and bool(sys.executable)

    @classmethod
    def get(cls):
        """The program's fork server, started when there is none."""
        now = cls._current
        if now is None or now._owner != os.getpid() or now._process.poll() is not None:
            now = cls._current = cls()
        return now

    def fork(self, end):
        """Have a worker forked that takes over one end of a channel. It is not waited for."""
        self._channel.send(pickle.dumps(("fork",)), [end.fileno()])

    def prepare(self, modules):
        """Have modules imported in the server that its forks would import, one by one and in each pass again."""
        fresh = [name for name in modules if name not in self._imported]
        if fresh:
            self._imported.update(fresh)
            self._channel.send(pickle.dumps(("import", fresh)))

    def ended(self, pid, wait):
        """The exit code of a worker, negative for a signal; None if it is still there after `wait` seconds.

        Each question has a channel of its own for the answer: a loader that is collected may ask amid another question.
        Raises EOFError when the server is gone.
        """
        answer, theirs = Channel.pair()
        try:
            self._channel.send(pickle.dumps(("ended", pid, wait)), [theirs.fileno()])
        finally:
            theirs.close()
        try:
            return pickle.loads(answer.receive()[0])
        finally:
            answer.close()


def _command(fd, path, **more):
    return [sys.executable, "-c", _START, json.dumps({"fd": fd, "path": path, **more})]


def serve(fd, path, refused=(), ended=()):
    """What the server does until the main process is gone.

    refused: modules not to import, since one of them started a thread; ended: [(pid, exit code)] of workers, None for
    those that are at work.
    """
    channel, ended = Channel.of(fd), dict(ended)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: _reap(ended))
    _settle()
    while True:
        try:
            body, files = channel.receive()
        except EOFError:
            _end(ended)
            return
        kind, *about = pickle.loads(body)
        if kind == "import":
            _import([name for name in about[0] if name not in refused])
            if threads() > 1:
                # Such a process can't be forked: the server begins anew, without these modules.
                os.set_inheritable(fd, True)
                os.execv(sys.executable, _command(fd, path, refused=[*refused, *about[0]], ended=list(ended.items())))
            continue
        end = Channel.of(files[0])
        if kind == "ended":
            _tell(end, *about, ended)
        elif pid := os.fork():
            ended.setdefault(pid)
        else:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            channel.close()
            serve_worker(end)
        end.close()


def threads():
    """How many threads this process has, those of libraries too where the system tells."""
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else threading.active_count()


def _import(names):
    for name in names:
        with suppress(Exception):  # whoever needs the module meets the error
            importlib.import_module(name)
    _settle()


def _settle():
    """Keep the garbage collector from what is there, so that forks go on sharing its memory."""
    gc.collect()
    gc.freeze()


def _reap(ended):
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = os.waitstatus_to_exitcode(found[1])
    except ChildProcessError:
        pass


def _tell(end, pid, wait, ended):
    """Answer with a worker's exit code, or None when it still runs after some seconds."""
    until = time.monotonic() + wait
    while ended.get(pid) is None and time.monotonic() < until:
        time.sleep(_POLL)
    code = ended.get(pid)
    if code is not None:
        del ended[pid]  # another process may come to have this number
    with suppress(EOFError):
        end.send(pickle.dumps(code))


def _end(ended):
    """Wait for the workers, which read that the main process is gone, and kill those that do not look for long."""
    until = time.monotonic() + _GRACE
    while None in ended.values() and time.monotonic() < until:
        time.sleep(_POLL)
    for pid, code in list(ended.items()):
        if code is None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
