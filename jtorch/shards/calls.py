"""What a call on DTensors does: moves the operands so that each rank can do its part of the work, and does it.

A rule (rules.py, handlers.py) says, for one dim of the mesh at a time, which placements the operands must have and
which the results then have. A call without a rule is done by every rank on the whole.
"""

import functools
from contextlib import contextmanager

from jtorch._tensor import Tensor, aval
from jtorch.api import overriding
from jtorch.shapes import broadcast_shapes
from jtorch.shards.dtensor import DTensor, dressed, plain
from jtorch.shards.layout import Layout, moved, replicated, shared
from jtorch.shards.placements import REPLICATE, Partial

RULES: dict = {}  # name of a function -> rule(call, mesh dim): (placements of operands, placement(s) of results)
ELEMENTWISE: set = set()  # rules of calls that work element by element: they may leave padding where it is
HANDLERS: dict = {}  # name of a function -> handler(func, args, kwargs), which does all of it


def rule(*names):
    """Decorator: a function is the rule of calls of these names."""

    def put(fn):
        RULES.update(dict.fromkeys(names, fn))
        return fn

    return put


def handler(*names):
    """Decorator: a function does the calls of these names."""

    def put(fn):
        HANDLERS.update(dict.fromkeys(names, fn))
        return fn

    return put


class Call:
    """A call, as rules look at it: its name, its arguments, and the layouts of the tensors among them, in order."""

    def __init__(self, name, args, kwargs, tensors):
        self.name = name
        self.args = args
        self.kwargs = kwargs
        self.tensors = tensors
        self.layouts = [x._layout for x in tensors]
        self.mesh = self.layouts[0].mesh
        self.shapes = [layout.shape for layout in self.layouts]

    def at(self, i):
        """The operands' placements on a mesh dim."""
        return [layout.placements[i] for layout in self.layouts]

    def given(self, number, name, default=None):
        """An argument by its place or its name."""
        return self.args[number] if number < len(self.args) else self.kwargs.get(name, default)

    def divides(self, size, i):
        """Whether a mesh dim cuts a size into parts without padding."""
        return size % self.mesh.shape[i] == 0


class _Implicit:
    """Whether plain tensors among DTensors are taken as whole ones that every rank has."""

    replication = False


@contextmanager
def implicit_replication():
    """Within it plain tensors among DTensors count as whole ones that every rank has."""
    before, _Implicit.replication = _Implicit.replication, True
    try:
        yield
    finally:
        _Implicit.replication = before


def title(func):
    """The name of a public function, or of an attribute that is read or written."""
    owner = getattr(func, "__self__", None)
    if not isinstance(owner, property):
        return func.__name__
    name = _attributes().get(owner, owner.fget.__name__)
    return name if func.__name__ == "__get__" else f"{name}.{func.__name__}"


@functools.cache
def _attributes():
    return {value: name for name, value in vars(Tensor).items() if isinstance(value, property)}


def dispatch(cls, func, types, args=(), kwargs=None):
    """`__torch_function__` of DTensor. Raises RuntimeError, as torch, for plain tensors among the operands."""
    kwargs = kwargs or {}
    name = title(func)
    with overriding.DisableTorchFunctionSubclass():
        if name in HANDLERS:
            return HANDLERS[name](func, args, kwargs)
        return general(func, name, args, kwargs)


def general(func, name, args, kwargs):
    """A call by its rule, or on the whole."""
    tensors = _tensors((*args, *kwargs.values()))
    mesh = next(x._layout.mesh for x in tensors if isinstance(x, DTensor))
    operands = [_operand(x, mesh, name) for x in tensors]
    call = Call(name, args, kwargs, operands)
    target = args[0] if writes(name) and args and isinstance(args[0], DTensor) else None
    found = RULES.get(name)
    needs, outs = [], []
    for i in range(mesh.ndim):
        need, out = found(call, i) if found else ([REPLICATE] * len(operands), REPLICATE)
        needs.append(need)
        outs.append(out)
    if target is not None:
        return _in_place(func, call, needs, outs, target)
    parts = _brought(call, needs, outs)
    args, kwargs = _with((args, kwargs), dict(zip(map(id, tensors), parts, strict=True)))
    shape = broadcast_shapes(*call.shapes) if found in ELEMENTWISE else None
    return _dressed_results(func(*args, **kwargs), mesh, outs, shape)


def writes(name):
    """Whether a function writes into its first argument."""
    return (name.endswith("_") and not name.endswith("__")) or name in _WRITING


_WRITING = tuple(f"__i{name}__" for name in "add sub mul truediv and or xor pow mod floordiv".split())


def _tensors(values):
    found = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors(value)
    return found


def _operand(x, mesh, name):
    if isinstance(x, DTensor):
        if x._layout.mesh is not mesh and x._layout.mesh != mesh:
            raise RuntimeError(f"{name}: DTensors on different meshes, {mesh} and {x._layout.mesh}")
        return x
    if aval(x).shape and not _Implicit.replication:
        form = "Tensor" if name in ("add", "sub", "mul", "div") else "default"
        raise RuntimeError(
            f"aten.{name}.{form} got mixed torch.Tensor and DTensor, need to convert all torch.Tensor to DTensor "
            "before calling distributed operators!"
        )
    return Whole(x, Layout(mesh, replicated(mesh), aval(x).shape))


class Whole:
    """A plain tensor that every rank has, among DTensors."""

    def __init__(self, tensor, layout):
        self.tensor, self._layout = tensor, layout


def _brought(call, needs, outs):
    """The operands' parts as the rule wants them."""
    mesh, parts = call.mesh, []
    for k, x in enumerate(call.tensors):
        target = [need[k] for need in needs]
        part = x.tensor if isinstance(x, Whole) else x
        rg = part._rg
        part = moved(part, x._layout, target)
        for i, placement in enumerate(target):
            if rg and placement == REPLICATE and _differ(outs[i], needs[i]):
                part = shared(part, mesh, i)
        parts.append(part)
    return parts


def _differ(out, need):
    """Whether ranks do different work: then the gradient of what they all have is still to be added up."""
    outs = out if isinstance(out, (list, tuple)) else [out]
    return any(placement != REPLICATE for placement in (*outs, *need))


def _with(value, places):
    """Arguments with tensors replaced. places: {id of a tensor: what stands for it}."""
    if isinstance(value, Tensor):
        return places.get(id(value), value)
    if isinstance(value, dict):
        return {key: _with(item, places) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_with(item, places) for item in value)
    return value


def whole_shape(x, mesh, placements):
    """The shape of the whole of which a part has this shape, where no part has padding."""
    sizes = list(aval(x).shape)
    for placement, count in zip(placements, mesh.shape, strict=True):
        if placement.is_shard():
            sizes[placement.dim] *= count
    return sizes


def _dressed_results(result, mesh, outs, shape=None):
    if isinstance(result, Tensor):
        placements = [out[0] if isinstance(out, list) else out for out in outs]
        shape = whole_shape(result, mesh, placements) if shape is None else shape
        return dressed(result, Layout(mesh, placements, shape))
    if not isinstance(result, (list, tuple)):
        return result
    each = [[out[n] if isinstance(out, list) else out for out in outs] for n in range(len(result))]
    items = [_dressed_results(item, mesh, own, shape) for item, own in zip(result, each, strict=True)]
    return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)


def _in_place(func, call, needs, outs, target):
    """A call that writes into its first argument, whose layout stays."""
    layout = target._layout
    own = layout.placements
    if tuple(outs) == own and [need[0] for need in needs] == list(own):
        parts = _brought(call, needs, outs)
        args, kwargs = _with((call.args, call.kwargs), dict(zip(map(id, call.tensors), parts, strict=True)))
        func(target, *args[1:], **kwargs)
        return target
    if any(isinstance(p, Partial) for p in own):
        raise RuntimeError(f"{call.name}: in-place operations that require placement changes are not supported")
    whole = [[REPLICATE] * len(call.tensors)] * call.mesh.ndim
    parts = _brought(call, whole, [REPLICATE] * call.mesh.ndim)
    parts[0] = parts[0].clone() if parts[0] is target else parts[0]
    places = dict(zip(map(id, call.tensors), parts, strict=True))
    args, kwargs = _with((call.args, call.kwargs), places)
    result = func(*args, **kwargs)
    plain(target).copy_(moved(result, Layout(call.mesh, replicated(call.mesh), layout.shape), own))
    return target


DTensor.__torch_function__ = classmethod(dispatch)
