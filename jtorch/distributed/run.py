"""torchrun: `python -m jtorch.distributed.run --nproc-per-node N script.py` starts N ranks and looks after them."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from jtorch.groups.store import new_secret

_GRACE = 10  # seconds that ranks have to end after they were asked to


def parser():
    """torchrun's arguments, of which those of rendezvous backends other than static and c10d are not taken."""
    made = argparse.ArgumentParser("torchrun", description="Start the ranks of a distributed program.")

    def add(name, **options):
        made.add_argument(f"--{name}", f"--{name.replace('-', '_')}", **options)

    add("nnodes", default="1")
    add("nproc-per-node", default="1")
    add("node-rank", type=int, default=0)
    add("master-addr", default="127.0.0.1")
    add("master-port", type=int, default=29500)
    add("max-restarts", type=int, default=0)
    add("monitor-interval", type=float, default=0.1)
    add("rdzv-backend", default="static", choices=["static", "c10d"])
    add("rdzv-endpoint", default="")
    add("rdzv-id", default="none")
    add("role", default="default")
    add("log-dir", default=None)
    made.add_argument(
        "-r", "--redirects", default="0", help="what goes to files: 1 stdout, 2 stderr, 3 both; or 0:3,1:1"
    )
    made.add_argument("-t", "--tee", default="0", help="as --redirects, but it is shown as well")
    add("local-ranks-filter", default="", help="the local ranks whose output is shown, with commas")
    for name in ("rdzv-conf", "start-method", "event-log-handler", "local-addr", "logs-specs", "numa-binding",
                 "signals-to-handle", "shutdown-timeout", "duplicate-stdout-filters",
                 "duplicate-stderr-filters"):  # fmt: skip
        add(name, default=None, help="taken, and without meaning here")
    add("virtual-local-rank", action="store_true", help="LOCAL_RANK is 0 in each")
    add("run-path", action="store_true", help="taken: the script is run by its path anyway")
    made.add_argument("--standalone", action="store_true", help="one node on a free port")
    made.add_argument("-m", "--module", action="store_true", help="the script is the name of a module")
    made.add_argument("--no-python", "--no_python", action="store_true", help="the script is run as it is")
    made.add_argument("training_script")
    made.add_argument("training_script_args", nargs=argparse.REMAINDER)
    for action in made._actions:  # torch: PET_NNODES and its like stand for arguments that are not given
        told = os.environ.get(f"PET_{action.dest.upper()}")
        if told is not None and action.dest != "help":
            action.default = told if action.nargs != 0 else told == "1"
    return made


class ChildFailedError(RuntimeError):
    """A rank ended with an error, and the others were ended."""


def main(args=None):
    """Run a program as torchrun does. Returns when all ranks have ended well; raises SystemExit(1) otherwise."""
    given = parser().parse_args(args)
    nodes = int(str(given.nnodes).rpartition(":")[2])
    count = _processes(given.nproc_per_node)
    host, _, port = given.rdzv_endpoint.rpartition(":") if given.rdzv_endpoint else (given.master_addr, "", "")
    port = int(port or given.master_port)
    if given.standalone or (nodes == 1 and given.rdzv_endpoint.endswith(":0")):
        host, port = "127.0.0.1", 0
    secret = os.environ.get("JTORCH_STORE_KEY") or (new_secret() if nodes == 1 else "jtorch")
    run_id = given.rdzv_id if given.rdzv_id != "none" else uuid.uuid4().hex
    for attempt in range(given.max_restarts + 1):
        env = {
            "MASTER_ADDR": host, "MASTER_PORT": str(port or _free_port()), "WORLD_SIZE": str(nodes * count),
            "LOCAL_WORLD_SIZE": str(count), "GROUP_RANK": str(given.node_rank), "GROUP_WORLD_SIZE": str(nodes),
            "ROLE_NAME": given.role, "ROLE_WORLD_SIZE": str(nodes * count), "JTORCH_STORE_KEY": secret,
            "TORCHELASTIC_RESTART_COUNT": str(attempt), "TORCHELASTIC_MAX_RESTARTS": str(given.max_restarts),
            "TORCHELASTIC_RUN_ID": run_id, "TORCHELASTIC_USE_AGENT_STORE": "False",
        }  # fmt: skip
        failed = _Ranks(given, count, env).watch(given.monitor_interval)
        if failed is None:
            return
        _say(f"rank {failed.rank} (local rank {failed.local}, pid {failed.process.pid}) ended with {failed.ending()}")
        if attempt < given.max_restarts:
            _say(f"all ranks start again: {attempt + 1} of {given.max_restarts} restarts")
    _say(f"{given.training_script} FAILED: the first to fail was rank {failed.rank}, {failed.ending()}")
    raise SystemExit(1)


def _say(text):
    sys.stderr.write(f"[run] {text}\n")
    sys.stderr.flush()


def _processes(text):
    if text in ("auto", "cpu", "gpu"):
        return os.cpu_count() or 1
    return int(text)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _streams(text, local):
    """(stdout, stderr) that an argument such as "3" or "0:1,1:2" means for a local rank."""
    told = dict(part.split(":") for part in text.split(",")) if ":" in text else {str(local): text}
    bits = int(told.get(str(local), 0))
    return bool(bits & 1), bool(bits & 2)


class _Rank:
    """One process of the program."""

    def __init__(self, given, local, count, env):
        self.local = local
        self.rank = given.node_rank * count + local
        own = {"RANK": self.rank, "LOCAL_RANK": 0 if given.virtual_local_rank else local, "ROLE_RANK": self.rank}
        everything = os.environ | env | {key: str(value) for key, value in own.items()}
        everything.setdefault("OMP_NUM_THREADS", "1")
        self._copying = []
        told = zip(_NAMES, _streams(given.redirects, local), _streams(given.tee, local), strict=True)
        outputs = [self._output(given, env, *one) for one in told]
        self.process = subprocess.Popen(
            _command(given), env=everything, start_new_session=True, stdout=outputs[0][0], stderr=outputs[1][0],
        )  # fmt: skip
        for (_, file), name in zip(outputs, _NAMES, strict=True):
            if file is not None:
                self._copy(name, file, f"[{given.role}{local}]:")

    def _output(self, given, env, name, redirected, teed):
        """(what a stream of the process is given, the file that gets a copy of it)."""
        shown = given.local_ranks_filter.split(",") if given.local_ranks_filter else [str(self.local)]
        if not redirected and not teed:
            return (None if str(self.local) in shown else subprocess.DEVNULL), None
        home = given.log_dir or tempfile.gettempdir()
        folder = os.path.join(home, env["TORCHELASTIC_RUN_ID"], f"attempt_{env[_RESTART]}", str(self.local))
        os.makedirs(folder, exist_ok=True)
        file = open(os.path.join(folder, f"{name}.log"), "wb", buffering=0)
        return (subprocess.PIPE, file) if teed else (file, None)

    def _copy(self, name, file, title):
        """Copy a stream into a file and show it, line by line."""
        stream, shown = getattr(self.process, name), getattr(sys, name)

        def run():
            for line in stream:
                file.write(line)
                shown.write(title + line.decode(errors="replace"))
                shown.flush()

        self._copying.append(threading.Thread(target=run, daemon=True))
        self._copying[-1].start()

    def finish(self):
        """Wait until all that it printed is shown."""
        for thread in self._copying:
            thread.join(_GRACE)

    def ending(self):
        """How it ended, in words."""
        code = self.process.returncode
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def end(self, how):
        """Send a signal to it and to what it started."""
        try:
            os.killpg(self.process.pid, how)
        except ProcessLookupError:
            pass


_NAMES = "stdout", "stderr"
_RESTART = "TORCHELASTIC_RESTART_COUNT"
# The rank's program begins once the process will be ended with its parent, however that ends: 1 is PR_SET_PDEATHSIG.
# A process of its own does it, since JAX does not bear a fork that runs Python in between.
_BOUND = """import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


def _command(given):
    start = [] if given.no_python else [sys.executable, "-u"]
    if given.module:
        start.append("-m")
    bound = [sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid())] if sys.platform == "linux" else []
    return [*bound, *start, given.training_script, *given.training_script_args]


class _Ranks:
    """The ranks of one attempt."""

    def __init__(self, given, count, env):
        self._stopped = None
        self._before = {}
        for how in (signal.SIGTERM, signal.SIGINT):
            if threading.current_thread() is threading.main_thread():
                self._before[how] = signal.signal(how, self._stop)
        self.all = [_Rank(given, local, count, env) for local in range(count)]

    def _stop(self, how, frame):
        self._stopped = how

    def watch(self, interval):
        """Wait for all; None, or the first that failed, once the others have been ended."""
        try:
            while True:
                codes = [rank.process.poll() for rank in self.all]
                failed = next((rank for rank, code in zip(self.all, codes, strict=True) if code), None)
                if failed is not None or all(code == 0 for code in codes):
                    return failed
                if self._stopped is not None:
                    _say(f"got signal {self._stopped}: all ranks are ended")
                    raise SystemExit(128 + self._stopped)
                time.sleep(interval)
        finally:
            self._end()

    def _end(self):
        running = [rank for rank in self.all if rank.process.poll() is None]
        for rank in running:
            rank.end(signal.SIGTERM)
        until = time.monotonic() + _GRACE
        for rank in running:
            try:
                rank.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                rank.end(signal.SIGKILL)
                rank.process.wait()
        for rank in self.all:
            rank.finish()
        for how, handler in self._before.items():
            signal.signal(how, handler)


if __name__ == "__main__":
    main()
