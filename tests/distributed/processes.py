"""One program in several processes, under torch with gloo and under jtorch."""

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.scripts import as_jtorch, same_line
from tests.sides import fail

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def together(path, size=2, args=(), rtol=1e-4):
    """Run a torch program in `size` processes under both, and assert that both print the same."""
    for _ in range(3):
        expected = run(path.read_text(), "torch.distributed.run", size, args)
        # torch's own fault now and then: a rank that has done its work aborts over a thread of gloo as it ends.
        if "terminate called without an active exception" not in expected.stderr:
            break
    actual = run(as_jtorch(path.read_text()), "jtorch.distributed.run", size, args)
    wanted, came = expected.stdout.splitlines(), actual.stdout.splitlines()
    assert expected.returncode == 0 and wanted, expected.stderr
    for one, other in zip(wanted, came, strict=False):
        if not same_line(one, other, rtol):
            fail(str(path), one, other)
    if len(wanted) != len(came) or actual.returncode:
        fail(str(path), expected.stdout, actual.stdout + actual.stderr)


def run(source, launcher, size, args=(), options=(), timeout=240):
    """Run a program by a launcher: what subprocess.run gives, without what gloo prints."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.py"
        file.write_text(source)
        command = [sys.executable, "-m", launcher, "--nproc-per-node", str(size), "--master-port", str(_port())]
        done = subprocess.run(
            [*command, *options, str(file), *args],
            cwd=folder, capture_output=True, text=True, timeout=timeout,
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", **_QUIET},
        )  # fmt: skip
    # The ranks' gloo writes its lines piece by piece: two of them may be mixed.
    done.stdout = re.sub(r"^.*(?:\[Gloo\]|peer ranks).*\n", "", done.stdout, flags=re.M)
    return done


_QUIET = {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}


def _port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
