"""torchrun: `python -m jtorch.distributed.run --nproc-per-node N script.py` starts N ranks and looks after them."""

import argparse
import os
import signal
import socket
import subprocess
import sys
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
    made.add_argument("-r", "--redirects", default="0")
    made.add_argument("-t", "--tee", default="0")
    made.add_argument("--standalone", action="store_true", help="one node on a free port")
    made.add_argument("-m", "--module", action="store_true", help="the script is the name of a module")
    made.add_argument("--no-python", "--no_python", action="store_true", help="the script is run as it is")
    made.add_argument("training_script")
    made.add_argument("training_script_args", nargs=argparse.REMAINDER)
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
            "TORCHELASTIC_RUN_ID": run_id,
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


class _Rank:
    """One process of the program."""

    def __init__(self, given, local, count, env):
        self.local = local
        self.rank = given.node_rank * count + local
        own = {"RANK": self.rank, "LOCAL_RANK": local, "ROLE_RANK": self.rank}
        everything = os.environ | env | {key: str(value) for key, value in own.items()}
        everything.setdefault("OMP_NUM_THREADS", "1")
        self._output = None
        if given.log_dir is not None:
            folder = os.path.join(given.log_dir, env["TORCHELASTIC_RUN_ID"], f"attempt_{env[_RESTART]}", str(local))
            os.makedirs(folder, exist_ok=True)
            self._output = open(os.path.join(folder, "output.log"), "w")
        self.process = subprocess.Popen(
            _command(given), env=everything, start_new_session=True, stdout=self._output,
            stderr=subprocess.STDOUT if self._output else None,
        )  # fmt: skip

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


_RESTART = "TORCHELASTIC_RESTART_COUNT"


def _command(given):
    start = [] if given.no_python else [sys.executable, "-u"]
    if given.module:
        start.append("-m")
    return [*start, given.training_script, *given.training_script_args]


class _Ranks:
    """The ranks of one attempt."""

    def __init__(self, given, count, env):
        self._stopped = None
        for how in (signal.SIGTERM, signal.SIGINT):
            if threading.current_thread() is threading.main_thread():
                signal.signal(how, self._stop)
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


if __name__ == "__main__":
    main()
