"""spawn: run a function in several processes, and raise here what goes wrong in one of them."""

import multiprocessing
import multiprocessing.connection
import signal
import sys
import time
import traceback

from jtorch.errors import warn

__all__ = [
    "ProcessContext", "ProcessException", "ProcessExitedException", "ProcessRaisedException", "SpawnContext", "spawn",
    "start_processes",
]  # fmt: skip

_PATIENCE = 30  # seconds for a process to end after it was asked to


def refuse_fork(method):
    """Raises: RuntimeError for the start method fork."""
    if method == "fork":
        raise RuntimeError(
            "jtorch starts no processes by fork: JAX has threads, and a forked process would wait for them for ever. "
            "Use the start method 'spawn' or 'forkserver'"
        )


class ProcessException(Exception):
    """A process did not end well: which one, by its number and its id."""

    def __init__(self, msg, error_index, error_pid):
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid = msg, error_index, error_pid

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.error_pid)


class ProcessRaisedException(ProcessException):
    """The function raised in a process."""


class ProcessExitedException(ProcessException):
    """A process ended with an exit code, or by a signal."""

    def __init__(self, msg, error_index, error_pid, exit_code, signal_name=None):
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.error_pid, self.exit_code, self.signal_name)


def _run(fn, i, args, tell):
    try:
        fn(i, *args)
    except KeyboardInterrupt:
        pass  # the main process ended it
    except Exception:
        tell.send(traceback.format_exc())
        sys.exit(1)


class ProcessContext:
    """The processes that start_processes started."""

    def __init__(self, processes, reports):
        self.processes, self._reports = processes, reports
        self.sentinels = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self):
        """The ids of the processes."""
        return [process.pid for process in self.processes]

    def join(self, timeout=None, grace_period=None):
        """Wait until a process ends; whether all have. When one failed, the others are ended and its error is raised.

        timeout: seconds to wait. grace_period: seconds that the others get to end by themselves.
        Raises: ProcessRaisedException, ProcessExitedException.
        """
        for sentinel in multiprocessing.connection.wait(self.sentinels, timeout) if self.sentinels else ():
            index = self.sentinels.pop(sentinel)
            self.processes[index].join()
            if self.processes[index].exitcode != 0:
                self._end(grace_period)
                raise self._error(index)
        return not self.sentinels

    def _end(self, grace_period):
        if grace_period is not None:
            self._wait(grace_period)
        for end in ("terminate", "kill"):
            for process in self.processes:
                if process.is_alive():
                    getattr(process, end)()
            self._wait(_PATIENCE if grace_period is None else grace_period)

    def _wait(self, seconds):
        until = time.monotonic() + seconds
        for process in self.processes:
            process.join(max(0, until - time.monotonic()))

    def _error(self, index):
        process, report = self.processes[index], self._reports[index]
        code = process.exitcode
        try:
            text = f"\n\n-- Process {index} terminated with the following error:\n{report.recv()}"
            return ProcessRaisedException(text, index, process.pid)
        except EOFError:
            pass  # it said nothing
        if code >= 0:
            return ProcessExitedException(f"process {index} terminated with exit code {code}", index, process.pid, code)
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"<Unknown signal {-code}>"
        return ProcessExitedException(f"process {index} terminated with signal {name}", index, process.pid, code, name)


class SpawnContext(ProcessContext):
    """ProcessContext (renamed in torch)."""

    def __init__(self, processes, error_files):
        warn("SpawnContext is renamed to ProcessContext since 1.4 release.")
        super().__init__(processes, error_files)


def start_processes(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Run `fn(i, *args)` in nprocs processes, i from 0. join: wait for all; else the ProcessContext is returned.

    fn must be one that pickle finds: a function of a module, or of the script. Raises as ProcessContext.join, and
    RuntimeError for the start method fork.
    """
    refuse_fork(start_method)
    python = multiprocessing.get_context(start_method)
    processes, reports = [], []
    for i in range(nprocs):
        report, tell = python.Pipe(duplex=False)
        process = python.Process(target=_run, args=(fn, i, args, tell), daemon=daemon)
        process.start()
        tell.close()
        processes.append(process)
        reports.append(report)
    context = ProcessContext(processes, reports)
    if not join:
        return context
    while not context.join():
        pass
    return None


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """start_processes with fresh interpreters."""
    if start_method != "spawn":
        warn(
            f"This method only supports start_method=spawn (got: {start_method}).\nTo use a different start_method "
            "use:\n\t\t torch.multiprocessing.start_processes(...)",
            FutureWarning,
        )
    return start_processes(fn, args, nprocs, join, daemon)
