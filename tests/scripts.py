"""One script run under torch and under jtorch, and what counts as the same output."""

import contextlib
import functools
import io
import os
import random
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import jtorch
from tests.sides import fail


def script(source, *args, rtol=1e-4, timeout=300):
    """Run one source, a path or text, under torch and under jtorch and assert that both print the same.

    Only the import lines are changed for jtorch. Numbers may differ by rtol, or by one in their last printed digit;
    whole numbers and text must be equal. Returns torch's output.
    """
    __tracebackhide__ = True
    path = source if isinstance(source, Path) else None
    text = path.read_text() if path else source
    expected = _execute(text, "torch", args, path, timeout)
    actual = _execute(as_jtorch(text), "jtorch", args, path, timeout)
    same_lines(path or "script", expected.splitlines(), actual.splitlines(), rtol)
    return expected


def printed(source, name, args, folder):
    """The lines that a script prints, run in this process as in one of its own: seeded, in a new folder."""
    folder.mkdir()
    path = folder / f"{name}.py"
    path.write_text(source)
    out, before, argv = io.StringIO(), os.getcwd(), sys.argv
    for seeded in (random.seed, np.random.seed, torch.manual_seed, jtorch.manual_seed):
        seeded(0)
    sys.argv = [str(path), *args.split()]
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(path), run_name="__main__")
    finally:
        os.chdir(before)
        sys.argv = argv
        for set_default_device in (torch.set_default_device, jtorch.set_default_device):
            set_default_device(None)
    return out.getvalue().splitlines()


def same_lines(title, expected, actual, rtol=1e-4):
    """Assert that two outputs are the same, line by line and number by number."""
    __tracebackhide__ = True
    for line, (one, other) in enumerate(zip(expected, actual, strict=False), 1):
        if not same_line(one, other, rtol):
            fail(f"{title}: line {line} of the output", one, other)
    if len(expected) != len(actual):
        fail(f"{title}: number of lines printed", len(expected), len(actual))


def as_jtorch(source):
    """A torch script's source with its imports of torch turned into imports of jtorch."""
    source = re.sub(r"^(\s*)import torch(?=\s*(?:#.*)?$)", r"\1import jtorch as torch", source, flags=re.M)
    source = re.sub(r"^(\s*)import torch(\.[\w.]+ as )", r"\1import jtorch\2", source, flags=re.M)
    source = re.sub(
        r"^(\s*)import torch(\.[\w.]+)(?=\s*(?:#.*)?$)", r"\1import jtorch\2, jtorch as torch", source, flags=re.M
    )
    source = re.sub(
        r"^(\s*)import torchvision(?=\s*(?:#.*)?$)", r"\1from jtorch import vision as torchvision", source, flags=re.M
    )
    source = re.sub(r"^(\s*)import torchvision(\.[\w.]+ as )", r"\1import jtorch.vision\2", source, flags=re.M)
    source = re.sub(r"^(\s*)from torchvision\b", r"\1from jtorch.vision", source, flags=re.M)
    return re.sub(r"^(\s*)from torch\b", r"\1from jtorch", source, flags=re.M)


def same_line(expected, actual, rtol):
    """Whether two printed lines have the same text and, within rtol or one last digit, the same numbers."""
    if expected == actual:
        return True
    if _NUMBER.split(expected) != _NUMBER.split(actual):
        return False
    return all(map(functools.partial(_same_number, rtol), _NUMBER.findall(expected), _NUMBER.findall(actual)))


_NUMBER = re.compile(r" *[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")


def _same_number(rtol, expected, actual):
    one, other = expected.strip(), actual.strip()
    if one == other:
        return True
    if not re.search(r"[.eE]", one) or not re.search(r"[.eE]", other):
        return False
    mantissa, _, exponent = one.lower().partition("e")
    digit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(one) - float(other)) <= max(rtol * abs(float(one)), 1.001 * digit)


def _execute(source, name, args, path, timeout):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / (path.name if path else "script.py")
        file.write_text(source)
        root = str(Path(__file__).parent.parent)
        paths = [root, *([str(path.parent)] if path else []), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            [sys.executable, str(file), *map(str, args)],
            cwd=folder, env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in paths if p)},
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
    if done.returncode:
        output = f"{done.stdout}\n{done.stderr}"
        raise AssertionError(f"{path or 'script'} fails under {name} ({done.returncode}):\n{output}")
    return done.stdout
