"""Packages that need not be installed: what stands for them where they are, and where they are not."""

import subprocess
import sys

import pytest

from jtorch.optional import Package

WITHOUT_SAFETENSORS = """
import sys
sys.modules["safetensors"] = None
import jtorch as torch
from jtorch.serialization.safetensors import load_file, save_file
open(sys.argv[1], "wb").close()
for what in (lambda: load_file(sys.argv[1]), lambda: save_file({}, sys.argv[1]), lambda: torch.load(sys.argv[1])):
    try:
        what()
    except (ImportError, RuntimeError) as error:
        print(type(error).__name__, error)
"""


def test_a_package_that_is_here():
    path = Package("os.path", "not said")
    assert path.here
    assert path.join("a", "b") == "a/b"
    with pytest.raises(AttributeError, match="no_such_name"):
        path.no_such_name  # noqa: B018


def test_a_package_that_is_not():
    lacking = Package("no_such_package.part", "pip install it")
    assert not lacking.here
    with pytest.raises(ImportError, match="pip install it") as caught:
        lacking.anything  # noqa: B018
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_without_safetensors(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SAFETENSORS, str(tmp_path / "a.safetensors")],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert [line.split()[0] for line in said] == ["ImportError", "ImportError", "RuntimeError"], done.stderr
    assert all("pip install" in line for line in said)
