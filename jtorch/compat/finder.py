"""The import hook: while it is on, `torch` and `torchvision` are jtorch, for this process or for some modules of it."""

import builtins
import importlib.abc
import importlib.machinery
import importlib.metadata
import sys

from jtorch import version
from jtorch.compat.missing import MissingModule, explain
from jtorch.compat.names import ROOTS, in_torch, module, ours, theirs
from jtorch.serialization import safetensors

_VERSIONS = {"torch": version.__version__, "torchvision": f"0.28.0+jtorch.{version.jtorch}"}


class _Distribution(importlib.metadata.Distribution):
    """What importlib.metadata says of torch: its version."""

    def __init__(self, name):
        self._text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {_VERSIONS[name]}\n"

    def read_text(self, filename):
        return self._text if filename == "METADATA" else None

    def locate_file(self, path):
        return path


class _Loader(importlib.abc.Loader):
    """Gives jtorch's module for a name of torch, and leaves it as it is."""

    def __init__(self, hook):
        self._hook = hook
        self._spec = None

    def create_module(self, spec):
        found = module(spec.name)
        if found is None:
            return MissingModule(spec.name)
        self._spec = found.__spec__
        return found

    def exec_module(self, module):
        if isinstance(module, MissingModule):
            return
        module.__spec__ = self._spec
        self._hook.adopt(module)


# What stands in for functions that read memory at a tensor's data_ptr(), which is no address here.
_INSTEAD = {"safetensors.torch": {"save": safetensors.save, "save_file": safetensors.save_file}}


class _Partly(importlib.abc.Loader):
    """Loads another package's module and puts functions of jtorch's in the place of some of its own."""

    def __init__(self, loader, functions):
        self._loader = loader
        self._functions = functions

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        vars(module).update(self._functions)


class _Finder(importlib.metadata.DistributionFinder):
    """Finds torch's modules and its distribution while the hook is on."""

    def __init__(self):
        self._undo = {}

    def find_spec(self, fullname, path=None, target=None):
        if fullname in _INSTEAD:
            spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
            if spec is not None:
                spec.loader = _Partly(spec.loader, _INSTEAD[fullname])
            return spec
        if ours(fullname) is None or (module(fullname) is None and not in_torch(fullname)):
            return None
        return importlib.machinery.ModuleSpec(fullname, _Loader(self))

    def find_distributions(self, context=importlib.metadata.DistributionFinder.Context()):  # noqa: B008
        """The distributions `torch` and `torchvision`."""
        return [_Distribution(name) for name in _VERSIONS if context.name in (None, name)]

    def adopt(self, module):
        """Make one of jtorch's modules a home of torch's names: its lacks are explained, its submodules found."""
        name = module.__name__
        if id(module) in self._undo:
            return
        undo = [explain(module)]
        if name == "jtorch":
            module.torch = module  # torch: `import torch.x` inside of it left its own name there
            undo.append(lambda: delattr(module, "torch"))
        if not hasattr(module, "__path__"):  # a file here, a folder in torch: torch.cuda.amp
            module.__path__ = []
            undo.append(lambda: delattr(module, "__path__"))
        module.__name__ = theirs(name)  # libraries ask what the module that they imported is called
        undo.append(lambda: setattr(module, "__name__", name))
        self._undo[id(module)] = undo

    def leave(self):
        """Take away what was added to jtorch's modules, and torch's names from sys.modules."""
        for undo in self._undo.values():
            for step in undo:
                step()
        self._undo.clear()
        for name in [name for name in sys.modules if ours(name) is not None]:
            parent, _, last = (ours(name) or "").rpartition(".")
            if isinstance(sys.modules[name], MissingModule) and parent in sys.modules:
                vars(sys.modules[parent]).pop(last, None)
            del sys.modules[name]


class _On:
    finder: _Finder | None = None


class _Scoped:
    """`__import__` as it is for everybody else, but for some modules torch is jtorch."""

    def __init__(self, scope):
        self._scope = scope
        self._import = builtins.__import__

    def __call__(self, name, globals=None, locals=None, fromlist=(), level=0):
        importer = (globals or {}).get("__name__") or ""
        if level or ours(name) is None or not any((importer + ".").startswith(s + ".") for s in self._scope):
            return self._import(name, globals, locals, fromlist, level)
        if module(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}: jtorch does not have it", name=name)
        return module(name if fromlist else name.partition(".")[0])


class Activation:
    """An import hook that is on. As a context manager it is off again at the end."""

    def __init__(self, turn_off):
        self._turn_off = turn_off

    def deactivate(self):
        """Turn it off; a second time does nothing."""
        turn_off, self._turn_off = self._turn_off, lambda: None
        turn_off()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.deactivate()


def activate(scope=None):
    """Let `import torch` and `import torchvision` mean jtorch, and return the Activation that ends it.

    scope: None for the whole process; or the name of a package, or several, whose modules alone get jtorch when they
        say `import torch` (PyTorch itself may be there for all others).
    What torch has and jtorch lacks can be imported; it raises NotImplementedError or AttributeError when it is used.
    Raises: RuntimeError for the whole process when PyTorch is imported already.
    """
    if scope is not None:
        hook = _Scoped((scope,) if isinstance(scope, str) else tuple(scope))
        builtins.__import__ = hook
        return Activation(lambda: _unhook(hook))
    if _On.finder is None:
        _refuse_beside_torch()
        _On.finder = _Finder()
        sys.meta_path.insert(0, _On.finder)
    return Activation(deactivate)


def deactivate():
    """Turn off the hook of the whole process. What was imported by then stays jtorch's."""
    if _On.finder is not None:
        sys.meta_path.remove(_On.finder)
        _On.finder.leave()
        _On.finder = None


def is_active():
    """Whether `import torch` means jtorch in the whole process."""
    return _On.finder is not None


def _unhook(hook):
    if builtins.__import__ is hook:
        builtins.__import__ = hook._import
    else:
        hook._scope = ()  # somebody hooked in after it: it stays, and does nothing


def _refuse_beside_torch():
    loaded = [root for root in ROOTS if root in sys.modules]
    if loaded:
        raise RuntimeError(
            f"{loaded[0]} is imported already, so `import {loaded[0]}` cannot mean jtorch in this process: call "
            "jtorch.compat.activate() before, or give it a scope"
        )
