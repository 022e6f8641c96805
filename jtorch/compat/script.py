"""Run a Python script or module as Python would, with torch meaning jtorch, in the processes that it spawns as well."""

import builtins
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from jtorch.compat.finder import activate
from jtorch.errors import is_own

_RUNNING = "JTORCH_RUNNING"  # the program, for the processes that it spawns: a script's path, or -m and a module's name


class _Spec(ModuleSpec):
    """The main module's spec. A spawned process imports the module that it names, which turns on the hook there."""

    def __init__(self, package):
        super().__init__("jtorch.compat.child", None)
        self._package = package

    @property
    def parent(self):
        """The package that relative imports start from."""
        return self._package


def run_script(path, arguments):
    """Run a script as `python path arguments…` would. Raises what it raises, and FileNotFoundError without the file."""
    code = _script(path)
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    os.environ[_RUNNING] = os.path.abspath(path)
    _run(code, path, "")


def run_module(name, arguments):
    """Run a module as `python -m name arguments…` would. Raises what it raises, and ImportError without the module."""
    activate()
    sys.path[0] = os.getcwd()
    spec, code = _module(name)
    sys.argv = [spec.origin, *arguments]
    os.environ[_RUNNING] = f"-m{name}"
    _run(code, spec.origin, spec.parent)


def child_code():
    """The code of the program that spawned this process, with the hook turned on for it."""
    activate()
    program = os.environ[_RUNNING]
    if not program.startswith("-m"):
        sys.argv[0] = program
    return _module(program[2:])[1] if program.startswith("-m") else _script(program)


def _script(path):
    with open(path, "rb") as file:
        return compile(file.read(), path, "exec", dont_inherit=True)


def _module(name):
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    code = spec.loader.get_code(spec.name) if spec is not None and spec.loader is not None else None
    if spec is None or code is None:
        raise ImportError(f"No module named {name}, or it cannot be run", name=name)
    return spec, code


def _run(code, path, package):
    activate()
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins, __spec__=_Spec(package), __package__=package or None)
    sys.modules["__main__"] = main
    sys.excepthook = _show
    exec(code, main.__dict__)


def _show(kind, error, trace):
    """Show an error that nobody caught as Python would: from the program's first line on, without what runs it."""
    while trace is not None and (is_own(name := trace.tb_frame.f_code.co_filename) or name.startswith("<frozen")):
        trace = trace.tb_next
    sys.__excepthook__(kind, error if trace is None else error.with_traceback(trace), trace)
