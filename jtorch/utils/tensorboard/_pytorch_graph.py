"""The graph of a model for TensorBoard: the calls that one forward records, each in the modules it was made in."""

import inspect
from collections import Counter

from tensorboardX.proto.attr_value_pb2 import AttrValue
from tensorboardX.proto.graph_pb2 import GraphDef
from tensorboardX.proto.node_def_pb2 import NodeDef
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboardX.proto.versions_pb2 import VersionDef

from jtorch._tensor import Tensor, read
from jtorch.engine import flush
from jtorch.engine.host import HostTrace
from jtorch.engine.trace import local
from jtorch.engine.trie import Number
from jtorch.utils.tensorboard.summary import say

_PRODUCER = 22  # torch: the version of TensorFlow's graphs whose form this is


class _Watched(HostTrace):
    """A trace whose calls are noted when they run, so that a model which reads values is seen whole."""

    __slots__ = ("seen",)

    def __init__(self, device, seen):
        super().__init__(device)
        self.seen = seen

    def ran(self):
        """Note the calls that have run."""
        self.seen.note(self)
        super().ran()


class _Traces(dict):
    """Traces by device, each made when it is asked for."""

    def __init__(self, seen):
        super().__init__()
        self._seen = seen

    def get(self, device):
        """The trace of a device."""
        if device not in self:
            self[device] = trace = _Watched(device, self._seen)
            self._seen.mark(trace)
        return self[device]


class _Seen:
    """What was recorded: nodes of TensorBoard's graph, and which of them made which value."""

    def __init__(self):
        self.nodes = []
        self.scopes = []  # of modules being called
        self.marks = []  # (trace, its count of calls, scope from there on)
        self.makers = {}  # id of a Ref or an array -> name of the node that made it
        self.kept = []  # what those ids stand for
        self.names = Counter()
        self.over = False

    @property
    def scope(self):
        """Where calls are made now."""
        return "/".join(self.scopes)

    def enter(self, name):
        """A module begins its forward."""
        self.scopes.append(name)
        self._mark_all()

    def leave(self):
        """A module has ended its forward."""
        self.scopes.pop()
        self._mark_all()

    def _mark_all(self):
        for trace in local.traces.values():
            self.mark(trace)

    def mark(self, trace):
        """The calls of a trace are made here from now on."""
        self.marks.append((trace, trace.count, self.scope))

    def keep(self, value, name):
        """Remember which node made a value."""
        self.kept.append(value)
        self.makers[id(value)] = name

    def add(self, name, op, inputs=(), shape=None, attributes=""):
        """Add a node; its name, with a number where there is one of that name."""
        self.names[name] += 1
        if self.names[name] > 1:
            name = f"{name}.{self.names[name]}"
        attr = {"attr": AttrValue(s=attributes.encode())}
        if shape is not None:
            sizes = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])
            attr["_output_shapes"] = AttrValue(list=AttrValue.ListValue(shape=[sizes]))
        self.nodes.append(NodeDef(name=name, op=op, input=inputs, attr=attr))
        return name

    def end(self):
        """Note nothing more, and hold nothing."""
        self.over = True
        self.kept.clear()

    def note(self, trace):
        """Turn a trace's calls into nodes."""
        if self.over:
            return
        marks = [(count, scope) for one, count, scope in self.marks if one is trace]
        self.marks = [mark for mark in self.marks if mark[0] is not trace]
        root, made = self.scopes[0] if self.scopes else "", {}
        entered = iter(trace.inputs)
        for number, step in enumerate(trace.node.path()):
            while marks and marks[0][0] <= number:
                root = marks.pop(0)[1]
            for slot, aval in step.entered:
                made[slot] = self._input(next(entered)[1], aval, root)
            inputs = [made[at] for at in step.ins if type(at) is int]
            name = self.add(
                f"{root}/{step.sig.op.name}", f"aten::{step.sig.op.name}", inputs, step.sig.outs[0].shape, _facts(step)
            )
            for i in range(len(step.sig.outs)):
                made[step.first + i] = name
        for slot, weak in enumerate(trace.refs):
            ref = weak()
            if ref is not None and slot in made:
                self.keep(ref, made[slot])
                if ref.value is not None:
                    self.keep(ref.value, made[slot])
        if self.scopes:
            self.marks.append((trace, 0, self.scope))

    def _input(self, array, aval, scope):
        name = self.makers.get(id(array))
        if callable(name):  # a parameter, which becomes a node where it is used for the first time
            name = name()
            self.makers[id(array)] = name
        if name is None:
            name = self.add(f"{scope}/constant", "prim::Constant", (), aval.shape)
            self.keep(array, name)
        return name


def _facts(step):
    """The attributes of a call, as text."""
    op, attrs = step.sig.op, iter(step.sig.attrs)
    names = [p.name for p in getattr(op, "params", ()) if not p.recorded]
    facts = dict(zip(names, attrs, strict=False))
    numbers = [at.value for at in step.ins if type(at) is Number]
    if numbers:
        facts["numbers"] = numbers
    return str(facts).replace("'", " ")


def graph(model, args, verbose=False, use_strict_trace=True):
    """(GraphDef, bytes of the run's metadata) of a model called in eval mode with these arguments."""
    flush.boundary()
    seen = _Seen()
    training = model.training
    before = local.trace, local.traces
    inputs = args if isinstance(args, (tuple, list)) else (args,)
    local.trace, local.traces = None, _Traces(seen)
    hooks = list(_hooks(model, seen))
    try:
        model.train(False)
        _note_given(model, inputs, seen)
        outputs = model(*inputs)
        for trace in list(local.traces.values()):
            seen.note(trace)
        for i, output in enumerate(_tensors(outputs), 1):
            maker = seen.makers.get(id(read(output)))
            seen.add(f"output/output.{i}", "IO Node", [maker] if isinstance(maker, str) else [], output.shape)
        seen.end()
        del outputs, output
        flush.boundary()  # what the model has kept of it, as in a cache, gets its values; nothing else runs
    except RuntimeError as error:
        say(error)
        say("Error occurs, No graph saved")
        raise
    finally:
        flush.discard()
        local.trace, local.traces = before
        model.train(training)
        for hook in hooks:
            hook.remove()
    found = GraphDef(node=seen.nodes, versions=VersionDef(producer=_PRODUCER))
    if verbose:
        say(found)
    return found, _field(_field(_field(b"/device:CPU:0")))


def _field(content):
    """A protocol buffer whose field 1 holds these bytes: RunMetadata of StepStats of DeviceStepStats of a device."""
    return b"\x0a" + bytes([len(content)]) + content


def _hooks(model, seen):
    """Hooks on every module that say when its forward begins and ends."""
    for path, module in model.named_modules():
        name = type(module).__name__ + (f"[{path.rpartition('.')[2]}]" if path else "")
        yield module.register_forward_pre_hook(lambda *_, name=name: seen.enter(name))
        yield module.register_forward_hook(lambda *_: seen.leave(), always_call=True)


def _note_given(model, inputs, seen):
    """Name the values that are there before the forward: inputs, parameters and buffers."""
    names = list(inspect.signature(model.forward).parameters)
    for i, value in enumerate(inputs):
        for tensor in _tensors(value):
            name = f"input/{names[i] if i < len(names) else 'input'}"
            seen.keep(flush.value(read(tensor)), seen.add(name, "IO Node", (), tensor.shape))
    for path, module in model.named_modules():
        scope, here = [type(model).__name__], model
        for part in path.split(".") if path else ():
            here = getattr(here, part)
            scope.append(f"{type(here).__name__}[{part}]")
        for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            place = "/".join([*scope, name, name])
            seen.keep(
                flush.value(read(tensor)),
                lambda place=place, shape=tensor.shape: seen.add(place, "prim::GetAttr", (), shape),
            )


def _tensors(value):
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (tuple, list)):
        return []
    return [tensor for item in value for tensor in _tensors(item)]
