"""Programs, and facts about calls, kept from one process to the next: found by what calls are, without tracing."""

import contextlib
import functools
import hashlib
import json
import os
import platform
import sys
import tempfile
import types
import zlib
from importlib import metadata
from pathlib import Path

import jax
import numpy as np
from jax.experimental import serialize_executable

from jtorch import devices, dtypes, meshes, modes
from jtorch.engine.ref import Aval
from jtorch.recordable import Recordable

_HOME = Path(__file__).resolve().parents[1]
_OURS = _HOME.name + "."


class Folder:
    """Where they lie; `path` is None while none are kept."""

    path: str | None = None


class _Untold(Exception):
    """Something that another process could not know by what is said of it."""


def told(x):
    """A text that means the same in every process. Raises _Untold."""
    kind = type(x)
    tell = _PLAIN.get(kind)
    if tell is not None:
        return tell(x)
    if isinstance(x, tuple) and (kind is tuple or kind.__module__.startswith(_OURS)):
        return f"{kind.__qualname__}({','.join(map(told, x))})"
    if isinstance(x, (dtypes.dtype, np.dtype, devices.Device)):
        return f"{kind.__name__} {x}"
    if isinstance(x, types.FunctionType):
        return _named(x, x.__module__, x.__qualname__)
    if not kind.__module__.startswith(_OURS):
        raise _Untold
    if isinstance(x, Recordable):
        return _op(x)
    if hasattr(x, "told"):
        return f"{kind.__qualname__} {told(x.told())}"
    raise _Untold


def _aval(x):
    return f"{x.dtype.name}{told(x.shape)}{x.device}"


_PLAIN = {
    type(None): str, bool: str, int: str, complex: repr, bytes: repr, type(Ellipsis): str,
    str: repr, float: lambda x: repr(x) + "f", Aval: _aval,
    frozenset: lambda x: f"set({','.join(sorted(map(told, x)))})",
    slice: lambda x: f"slice{told((x.start, x.stop, x.step))}",
}  # fmt: skip


def _named(x, module, name):
    """A function's place, where it can be found again by it."""
    if not module.startswith(_OURS) or getattr(sys.modules.get(module), name, None) is not x:
        raise _Untold
    return f"{module}.{name}"


@functools.lru_cache(4096)
def _op(op):
    name = op.told()
    if name is None:
        raise _Untold
    return name if type(name) is str else f"{type(op).__name__} {told(name)}"


@functools.cache
def _surroundings():
    """What a program depends on beside its calls: code, versions, processor, settings that stay."""
    files = sorted((str(p.relative_to(_HOME)), p.stat().st_mtime_ns, p.stat().st_size) for p in _HOME.rglob("*.py"))
    versions = [sys.version, *map(metadata.version, ("jax", "jaxlib", "numpy", "optax"))]
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
    except OSError:
        processor = [platform.processor(), platform.machine()]
    flags = {name: value for name, value in os.environ.items() if name.startswith(("XLA_", "JAX_", "JTORCH_SIM"))}
    return repr((files, versions, processor, sorted(flags.items())))


def _settings():
    """JAX's settings that may change what it makes of a function."""
    return {name: str(value) for name, value in jax.config.values.items() if "cache" not in name and "log" not in name}


def _name(text):
    settings = json.dumps([_settings(), modes.exact_convolutions], sort_keys=True)
    return hashlib.sha256("\n".join((_surroundings(), settings, text)).encode()).hexdigest()


def name(path, live, donate, options):
    """The name of a path's program, or None where it cannot be kept. donate: which arguments it takes over."""
    if Folder.path is None or meshes.Used.several or meshes.Used.crew or jax.process_count() > 1:
        return None
    try:
        calls = [
            f"{told(s.sig.op)}{told(s.sig.attrs)}{told(s.ins)}{told(s.sig.compute)}{told(s.entered)}{told(_mode(s))}"
            for s in path
        ]
    except _Untold:
        return None
    return _name("\n".join([*calls, told(live), told(donate), repr(sorted(options.items()))]))


def _mode(step):
    key = step.key[1] if step.key[0] == "any" else step.key
    return key[-1] if type(key[-1]) is frozenset else None


def load(name, inputs, outputs):
    """The executable of this name, with so many inputs and outputs, or None."""
    try:
        packed = (Path(Folder.path) / name).read_bytes()
    except OSError:
        return None
    ins, outs = (jax.tree.structure(x) for x in (((0,) * inputs, {}), [0] * outputs))
    here = [devices.jax_device(devices.CPU)]  # by itself JAX takes all devices of its default platform
    try:
        unpacked = zlib.decompress(packed)
        return serialize_executable.deserialize_and_load(unpacked, ins, outs, "cpu", here)
    except Exception:  # whatever is wrong with the file: the program is compiled, and written anew
        return None


def save(name, executable):
    """Keep an executable that was compiled in this process. What can't be written is left."""
    try:
        packed = zlib.compress(serialize_executable.serialize(executable)[0], 1)
        write(name, packed)
    except (OSError, ValueError, NotImplementedError, jax.errors.JaxRuntimeError):
        return


def write(name, content):
    """Write a file of this name, which other processes see whole or not at all."""
    folder = Path(Folder.path)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(content)
    os.replace(file.name, folder / name)


class _Facts:
    """What is known of calls, by their names; read when it is first asked for. room: how many may be added."""

    folder: str | None = None
    file = ""
    known: dict = {}
    room = 0


_MOST = 20_000  # lines in the file of facts


def recall(*call):
    """(the name of what is asked about a call, the answer if it is known); the name is None where it has none."""
    if Folder.path is None:
        return None, None
    try:
        text = told(call)
    except _Untold:
        return None, None
    if _Facts.folder != Folder.path:
        _read()
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    return name, _Facts.known.get(name)


def _read():
    _Facts.folder, _Facts.known = Folder.path, {}
    _Facts.file = os.path.join(Folder.path, f"facts-{_name('')[:16]}")
    try:
        lines = Path(_Facts.file).read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        with contextlib.suppress(ValueError):  # of a process that was stopped while it wrote
            name, answer = json.loads(line)
            _Facts.known[name] = answer
    _Facts.room = _MOST - len(lines)


def remember(name, answer):
    """Keep an answer, of what JSON has. name: as recall gives it."""
    _Facts.room -= 1
    if name is None or _Facts.room < 0:
        return
    with contextlib.suppress(OSError):
        os.makedirs(Folder.path, exist_ok=True)
        with open(_Facts.file, "a") as file:
            file.write(json.dumps([name, answer]) + "\n")
