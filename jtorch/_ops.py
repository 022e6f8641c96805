"""torch.ops: namespaces of operators, `aten` for torch's own and one for each library that users define."""

import functools
import inspect
import sys
from pathlib import Path

from jtorch import ops
from jtorch._schema import Schema
from jtorch._tensor import Tensor, aval
from jtorch.autograd.function import Function
from jtorch.autograd.grad_mode import no_grad

_NAMES = frozenset(
    "default Tensor Scalar self dim int out stable Tensor_Scalar Tensor_Tensor dim_IntList dim_int correction".split()
)


class OpOverload:
    """One operator: called with arguments that fit its schema, it runs the kernel of their device.

    Raises: RuntimeError for arguments that do not fit, NotImplementedError where no kernel is.
    """

    def __init__(self, packet, overload, call, schema=None):
        self.overloadpacket = packet
        self._overloadname = overload
        self._schema = schema
        self._call = call
        self.namespace = packet._namespace
        self.__name__ = f"{packet.__name__}.{overload}"

    def name(self):
        """`namespace::operator.overload`, without the overload where it is the default one."""
        tail = "" if self._overloadname == "default" else f".{self._overloadname}"
        return self.overloadpacket._qualified_op_name + tail

    def __call__(self, /, *args, **kwargs):
        return self._call(*args, **kwargs)

    def __str__(self):
        return f"{self.namespace}.{self.__name__}"

    def __repr__(self):
        return f"<OpOverload(op='{self.overloadpacket}', overload='{self._overloadname}')>"


class OpOverloadPacket:
    """All operators of one name. Called, it is the one that fits the arguments."""

    def __init__(self, namespace, name, call, schema=None):
        self._namespace = namespace
        self._qualified_op_name = f"{namespace}::{name}"
        self.__name__ = name
        self._call = call
        self._overloads = {"default": OpOverload(self, "default", call, schema)}

    def overloads(self):
        """The names of the overloads that were asked for so far."""
        return list(self._overloads)

    def __getattr__(self, name):
        if self._namespace != "aten" or name not in _NAMES:
            if name in (found := self.__dict__.get("_overloads", {})):
                return found[name]
            raise AttributeError(f"The underlying op of '{self}' has no overload name '{name}'")
        return self._overloads.setdefault(name, OpOverload(self, name, self._call))

    def __call__(self, /, *args, **kwargs):
        return self._call(*args, **kwargs)

    def __str__(self):
        return f"{self._namespace}.{self.__name__}"

    def __repr__(self):
        return f"<OpOverloadPacket(op='{self}')>"


class OpNamespace:
    """The operators of one library, as attributes."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        packet = _aten(name) if self.name == "aten" else None
        if packet is None:
            raise AttributeError(f"'_OpNamespace' '{self.name}' object has no attribute '{name}'")
        setattr(self, name, packet)
        return packet

    def __repr__(self):
        return f"<module 'torch.ops.{self.name}' from 'torch.ops'>"


OpNamespace.__name__ = OpNamespace.__qualname__ = "_OpNamespace"
OpNamespace.__module__ = "torch._ops"

# Operators that only torch's own code calls by these names.
_RENAMED = {
    "_to_copy": lambda self, **kwargs: self.to(**kwargs, copy=True),
    "alias": lambda self: self.view_as(self),
    "_pin_memory": lambda self, device=None: self.pin_memory(),
    "slice": lambda self, dim=0, start=None, end=None, step=1: self[(slice(None),) * dim + (slice(start, end, step),)],
    "index": lambda self, indices: self[tuple(slice(None) if i is None else i for i in indices)],
    "_softmax": lambda self, dim, half_to_float: self.softmax(dim),
    "_log_softmax": lambda self, dim, half_to_float: self.log_softmax(dim),
    "_unsafe_view": lambda self, size: self.reshape(size),
}


def _aten(name):
    """torch's own operator of a name: the function or method that torch has under it. None where there is none."""
    home = sys.modules["jtorch"]
    for place in (home, home.nn.functional, Tensor):
        found = getattr(place, name, None)
        if inspect.isfunction(found):
            return OpOverloadPacket("aten", name, found)
    if name in _RENAMED:
        return OpOverloadPacket("aten", name, _RENAMED[name])
    return OpOverloadPacket("aten", name, functools.partial(_refuse, name)) if name in _names_of_aten() else None


@functools.cache
def _names_of_aten():
    """All operators of torch, from operators.txt: libraries name them in tables, whether they call them or not."""
    return frozenset((Path(__file__).parent / "operators.txt").read_text().split())


def _refuse(name, *args, **kwargs):
    raise NotImplementedError(f"jtorch has no torch.ops.aten.{name} to call; it is there to be named")


_namespaces: dict = {}


def namespace(name):
    """The namespace of a name, a new and empty one if there is none yet."""
    return _namespaces.setdefault(name, OpNamespace(name))


ops.Namespaces.find = staticmethod(namespace)


class Operator:
    """An operator that a user defines: its schema and what was registered for it.

    kernels: device type -> function; "" for all devices; "Autograd" for one that sees to gradients itself.
    fake: for shapes alone, on the meta device. backward, setup, vmap: as those of autograd.Function.
    """

    def __init__(self, space, name, schema):
        self.qualname = f"{space}::{name}"
        self.schema = Schema.parse(f"{self.qualname}{schema}")
        self.kernels: dict = {}
        self.fake = self.backward = self.setup = self.vmap = None
        self.title = self.qualname
        self.checks = False
        self._node = None
        packet = OpOverloadPacket(space, name, self, self.schema)
        self.overload = packet.default = packet._overloads["default"]
        setattr(namespace(space), name, packet)
        OPERATORS[self.qualname] = self

    def __call__(self, /, *args, **kwargs):
        given = self.schema.bind(args, kwargs)
        own = self.kernels.get("Autograd") or self.kernels.get("CompositeImplicitAutograd")
        if own is not None:
            return own(*given.args, **given.kwargs)
        if any(argument.mutated for argument in self.schema.arguments):
            with no_grad():
                return self.run(given.args, given.kwargs)
        return self.node().apply(*given.args, *given.kwargs.values())

    def run(self, args, kwargs):
        """Call the kernel. Raises: RuntimeError where a result is an argument, NotImplementedError without a kernel."""
        tensors = [x for x in _flat((*args, *kwargs.values())) if isinstance(x, Tensor)]
        kind = next((d for d in (aval(x).device.type for x in tensors) if d != "cpu"), "cpu")
        result = self._kernel(kind)(*args, **kwargs)
        storages = {id(x._storage) for x in tensors}
        if self.checks and any(isinstance(x, Tensor) and id(x._storage) in storages for x in _flat((result,))):
            raise RuntimeError(
                f"{self.title.partition('::')[2]} (with implementation in {self.kernels.get('')}): The output of this "
                "custom operator (1) must not also be an input to this custom operator and (2) may not alias any "
                "inputs to this custom operator or other returns."
            )
        return result

    def _kernel(self, kind):
        if kind == "meta":
            if self.fake is None:
                raise RuntimeError(
                    f"There was no fake impl registered for {self.title}. This is necessary for torch.compile/export/"
                    f"fx tracing to work. Please use `{self.qualname.partition('::')[2]}.register_fake` to add an fake "
                    "impl."
                )
            return self.fake
        found = self.kernels.get(kind) or self.kernels.get("")
        if found is None:
            raise NotImplementedError(
                f"Could not run '{self.qualname}' with arguments from the '{kind.upper()}' backend. It has kernels "
                f"for: {', '.join(self.kernels) or 'none'}."
            )
        return found

    def node(self):
        """The autograd.Function through which the operator is called."""
        if self._node is None:
            self._node = _function(self)
        return self._node

    def changed(self):
        """Note that what was registered has changed."""
        self._node = None


OPERATORS: dict = {}


def _flat(values):
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        else:
            yield value


def _function(op):
    keywords = [argument.name for argument in op.schema.arguments if argument.keyword_only]

    def split(inputs):
        at = len(inputs) - len(keywords)
        return inputs[:at], dict(zip(keywords, inputs[at:], strict=True))

    def forward(*inputs):
        return op.run(*split(inputs))

    def setup_context(ctx, inputs, output):
        if op.setup is not None:
            args, kwargs = split(inputs)
            named = {"keyword_only_inputs": kwargs} if keywords else {}
            op.setup(ctx=ctx, inputs=args, output=output, **named)

    def backward(ctx, *grads):
        if op.backward is None:
            raise RuntimeError(
                f"Trying to backward through {op.overload} but no autograd formula was registered. Please use "
                "register_autograd to add one."
            )
        found = op.backward(ctx, *grads)
        return (*found, *(None for _ in keywords)) if isinstance(found, tuple) else found

    body = {"forward": staticmethod(forward), "setup_context": staticmethod(setup_context)}
    body["backward"] = staticmethod(backward)
    if op.vmap is not None:
        body["vmap"] = staticmethod(op.vmap)
    space, _, name = op.qualname.partition("::")
    return type(f"GeneratedBackwardFor_{space}_{name}_default", (Function,), body)
