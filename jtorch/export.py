"""torch.export: a module as one StableHLO program with its state, which runs wherever JAX does."""

import io
import itertools
import json
import zipfile
from collections.abc import Mapping

import jax
import numpy as np

from jtorch import dtypes
from jtorch._tensor import aval, from_host, host
from jtorch.autograd.grad_mode import no_grad
from jtorch.interop import export_module, from_jax, to_jax
from jtorch.nn.modules.module import Module
from jtorch.nn.parameter import Parameter

__all__ = ["Dim", "ExportedProgram", "export", "load", "save"]


class Dim:
    """A size that is not fixed when a module is exported: `Dim("batch", min=1, max=64)`, or `Dim.AUTO` without a name.

    The same Dim in several places is one size. Dim.STATIC, an int and None keep the size of the example.
    """

    AUTO: "Dim"
    DYNAMIC: "Dim"
    STATIC: "Dim"

    def __init__(self, name, *, min=None, max=None):
        self.__name__ = name
        self.min = 0 if min is None else min
        self.max = max

    def __repr__(self):
        return f"Dim('{self.__name__}', min={self.min}{'' if self.max is None else f', max={self.max}'})"


Dim.AUTO, Dim.DYNAMIC, Dim.STATIC = Dim("AUTO"), Dim("DYNAMIC"), Dim("STATIC")


class _Sizes:
    """The shapes to export for: those of the examples, with a symbol for each Dim."""

    def __init__(self):
        self.scope = None
        self.names = {}  # id of a Dim -> (it, its symbol)
        self.fresh = itertools.count()

    def collect(self, tree, spec):
        """Note the Dims that are asked for in a tree of examples."""
        for _, asked in _paired(tree, spec):
            for dim in asked.values():
                self._symbol(dim)

    def _symbol(self, dim):
        if dim in (Dim.AUTO, Dim.DYNAMIC):
            return f"dim{next(self.fresh)}"
        return self.names.setdefault(id(dim), (dim, dim.__name__))[1]

    def structs(self, tree, spec):
        """The examples as shapes and dtypes."""
        if self.scope is None:
            bounds = [f"{name} >= {max(dim.min, 1)}" for dim, name in self.names.values()]
            bounds += [f"{name} <= {dim.max}" for dim, name in self.names.values() if dim.max is not None]
            self.scope = jax.export.SymbolicScope(bounds)
        made = iter([self._struct(x, asked) for x, asked in _paired(tree, spec)])
        return jax.tree.map(lambda x: next(made), tree)

    def _struct(self, x, asked):
        sizes = ", ".join(self._symbol(asked[i]) if i in asked else str(n) for i, n in enumerate(x.shape))
        shape = jax.export.symbolic_shape(f"({sizes}{',' if len(x.shape) == 1 else ''})", scope=self.scope)
        return jax.ShapeDtypeStruct(shape, x.dtype)


def _paired(tree, spec):
    """[(example array, {dim: Dim})] of a tree and what dynamic_shapes says of it."""
    if hasattr(tree, "shape"):
        given = dict(enumerate(spec)) if isinstance(spec, (list, tuple)) else dict(spec or {})
        return [(tree, {i: d for i, d in given.items() if isinstance(d, Dim) and d is not Dim.STATIC})]
    if isinstance(tree, Mapping):
        return [pair for key in sorted(tree) for pair in _paired(tree[key], spec and spec.get(key))]
    if isinstance(tree, (list, tuple)):
        specs = (spec.values() if isinstance(spec, Mapping) else spec) or itertools.repeat(None)
        return [pair for x, s in zip(tree, specs, strict=False) for pair in _paired(x, s)]
    return []


def export(mod, args, kwargs=None, *, dynamic_shapes=None, strict=False):
    """An ExportedProgram of a module, as it is now, for arguments of these shapes and dtypes.

    dynamic_shapes: per argument, by position or by name, which dims are a Dim. Raises ValueError for what is no Module.
    """
    if not isinstance(mod, Module):
        raise ValueError(f"Expected `mod` to be an instance of `torch.nn.Module`, got {type(mod)}.")
    fn, params = export_module(mod)
    written = []

    def run(state, args, kwargs):
        given = {name: state[name] for name in params}
        buffers = {name: state[name] for name in fn.buffers}
        out, after = fn(given, *args, buffers=buffers, **kwargs)
        written[:] = [name for name in after if after[name] is not buffers[name]]
        return out, {name: after[name] for name in written}

    state = {**params, **fn.buffers}
    example = to_jax(tuple(args)), to_jax(dict(kwargs or {}))
    sizes = _Sizes()
    specs = _split(dynamic_shapes, example)
    for tree, spec in zip(example, specs, strict=True):
        sizes.collect(tree, spec)
    structs = [sizes.structs(tree, spec) for tree, spec in zip(example, specs, strict=True)]
    exported = jax.export.export(jax.jit(run))(jax.tree.map(_struct, state), *structs)
    return ExportedProgram(exported, {name: _detached(t) for name, t in _members(mod)}, list(params))


def _split(spec, example):
    """What dynamic_shapes says of the positional arguments, and of those by name."""
    args, kwargs = example
    if isinstance(spec, Mapping):
        names = list(spec)
        return tuple(spec[n] for n in names if n not in kwargs), {n: spec[n] for n in names if n in kwargs}
    return tuple(spec or ())[: len(args)], dict(zip(kwargs, tuple(spec or ())[len(args) :], strict=False))


def _struct(x):
    return jax.ShapeDtypeStruct(x.shape, x.dtype)


def _members(mod):
    yield from mod.named_parameters()
    yield from mod.named_buffers()


def _detached(t):
    return t.detach().clone()


class ExportedProgram:
    """A module as a program: `module()` is a module again, a call takes Tensors or arrays. As torch.export's.

    exported: the jax.export.Exported. state_dict: its parameters and buffers by name. parameters: which are parameters.
    """

    def __init__(self, exported, state, parameters):
        self.exported = exported
        self.state_dict = state
        self._parameters = parameters
        self._module = None

    def __call__(self, *args, **kwargs):
        if self._module is None:
            self._module = self.module()
        return self._module(*args, **kwargs)

    def named_parameters(self):
        """(name, parameter) of each."""
        return ((name, self.state_dict[name]) for name in self._parameters)

    def named_buffers(self):
        """(name, buffer) of each."""
        return ((name, t) for name, t in self.state_dict.items() if name not in self._parameters)

    def module(self):
        """A module with the state as parameters and buffers, whose call runs the program."""
        return _Loaded(self)


class _Loaded(Module):
    """An exported program as a module."""

    def __init__(self, program):
        super().__init__()
        for name, tensor in program.state_dict.items():
            self._add(name, tensor.clone(), name in program._parameters)
        self.__dict__["_call"] = from_jax(program.exported.call)

    def _add(self, path, tensor, is_parameter):
        *way, name = path.split(".")
        owner = self
        for part in way:
            if part not in owner._modules:
                owner.add_module(part, Module())
            owner = owner._modules[part]
        if is_parameter:
            owner.register_parameter(name, Parameter(tensor, requires_grad=tensor.is_floating_point()))
        else:
            owner.register_buffer(name, tensor)

    def forward(self, *args, **kwargs):
        """Run the program; buffers that it changes are written."""
        state = dict(_members(self))
        out, after = self.__dict__["_call"](state, args, kwargs)
        with no_grad():
            for name, value in after.items():
                state[name].copy_(value)
        return out


_PROGRAM, _META, _STATE = "program.jax", "meta.json", "state/"


def save(ep, f, *, extra_files=None):
    """Write an ExportedProgram to a path or file: its program, serialized by jax.export, and its state.

    Raises TypeError for what is none.
    """
    if not isinstance(ep, ExportedProgram):
        kind = type(ep).__name__
        raise TypeError(f"The 'ep' parameter must be an instance of 'ExportedProgram', got '{kind}' instead.")
    state = {name: (list(aval(t).shape), aval(t).dtype.name) for name, t in ep.state_dict.items()}
    with zipfile.ZipFile(f, "w") as archive:
        archive.writestr(_PROGRAM, bytes(ep.exported.serialize(vjp_order=1)))
        archive.writestr(_META, json.dumps({"state": state, "parameters": ep._parameters}))
        for name, tensor in ep.state_dict.items():
            archive.writestr(_STATE + name, np.ascontiguousarray(host(tensor)).tobytes())
        for name, content in (extra_files or {}).items():
            archive.writestr(f"extra/{name}", content)


def load(f, *, extra_files=None):
    """The ExportedProgram in a path or file that `save` wrote. extra_files: a dict whose values are filled in."""
    with zipfile.ZipFile(io.BytesIO(f.read()) if hasattr(f, "read") else f) as archive:
        exported = jax.export.deserialize(bytearray(archive.read(_PROGRAM)))
        meta = json.loads(archive.read(_META))
        state = {}
        for name, (shape, dtype) in meta["state"].items():
            kind = next(d for d in dtypes.ALL if d.name == dtype)
            array = np.frombuffer(archive.read(_STATE + name), kind.numpy).reshape(shape)
            state[name] = from_host(array.copy(), kind)
        for name in extra_files or ():
            extra_files[name] = archive.read(f"extra/{name}").decode()
    return ExportedProgram(exported, state, meta["parameters"])
