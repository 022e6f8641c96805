"""One program in several processes, by torch's launcher or by jtorch's."""

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


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
    # The ranks' gloo writes its lines piece by piece: two may stand on one line, the number that ends one after it.
    done.stdout = re.sub(r"^.*(?:\[Gloo\]|peer ranks).*\n+(?:\d*\n)*", "", done.stdout, flags=re.M)
    return done


_QUIET = {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}


def _port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
