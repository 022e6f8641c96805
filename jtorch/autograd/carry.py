"""How a backward pass carries gradients: as bare Refs, or as Tensors on the tape; one by one, or batched."""

import jax

from jtorch._tensor import aval, read, record, wrap
from jtorch.autograd.apply import apply, call
from jtorch.autograd.inplace import COPY
from jtorch.autograd.tangents import Level
from jtorch.engine.ref import Ref
from jtorch.recordable import Recordable


class Accumulate(Recordable):
    """The sum of two gradients of one value."""

    name = "accumulate"
    grad_name = "AddBackward0"

    def call(self, ins, attrs, compute):
        return (ins[0] + ins[1],)


class Batched(Recordable):
    """A vjp for a batch of cotangents: their first dim is mapped over, the saved operands are shared."""

    _of: dict = {}

    def __init__(self, vjp):
        self.vjp_of_one = vjp
        self.name = f"{vjp.name}_batched"
        self.grad_name = vjp.grad_name
        self.lift = vjp.lift

    @classmethod
    def of(cls, vjp):
        """The batched form of a vjp, the same object each time."""
        return cls._of.get(vjp) or cls._of.setdefault(vjp, cls(vjp))

    def call(self, ins, attrs, compute):
        count = sum(attrs[4])
        rest = ins[count:]
        return jax.vmap(lambda *cotangents: self.vjp_of_one.call((*cotangents, *rest), attrs, compute))(*ins[:count])


ACCUMULATE = Accumulate()


def total(a, b):
    """The sum of two Refs."""
    return record(ACCUMULATE, (), (a, b), a.aval.device)[0][0]


class above:
    """What is done with sparse gradients, which are Tensors in every mode; set by sparse/gradients.py.

    total(a, b): the sum of two Tensors, one of which at least is sparse. copied(x): one that nobody else has.
    add_to(old, gradient): add a sparse gradient to a sparse one, in place.
    """

    total = None
    copied = None
    add_to = None


class Fast:
    """Gradients as bare Refs, off the tape: what backward() does unless a graph of the gradients is wanted."""

    batch = None
    graph = False

    @staticmethod
    def wrap(gradient):
        """The gradient as a Tensor."""
        return wrap(gradient) if type(gradient) is Ref else gradient

    @staticmethod
    def unwrap(tensor):
        """What a pass carries of a Tensor."""
        return tensor if tensor.is_sparse else read(tensor)

    @staticmethod
    def copied(gradient):
        """The gradient as a Tensor that nobody else has."""
        return wrap(gradient) if type(gradient) is Ref else above.copied(gradient)

    def pull(self, node, cotangents):
        """The gradients of a recorded call's operands that need one."""
        kept = node.tape
        present = tuple([c is not None for c in cotangents])
        ins = [c for c in cotangents if c is not None] + node.unpacked()
        return record(self.form(kept.vjp), kept.attrs(present), ins, kept.outs[0].device)[0]

    @staticmethod
    def form(vjp):
        """The op that pulls gradients back."""
        return vjp

    @staticmethod
    def add(a, b):
        """The sum of two gradients."""
        if type(a) is Ref and type(b) is Ref:
            return total(a, b)
        return Fast.unwrap(above.total(Fast.wrap(a), Fast.wrap(b)))


class Graph:
    """Gradients as Tensors on the tape (create_graph=True)."""

    batch = None
    graph = True

    def pull(self, node, cotangents):
        """The gradients of a recorded call's operands that need one."""
        kept = node.tape
        present = tuple([c is not None for c in cotangents])
        operands = [c for c in cotangents if c is not None] + node.saved_tensors()
        outs = apply(self.form(kept.vjp), operands, kept.attrs(present))
        return outs if isinstance(outs, tuple) else (outs,)

    @staticmethod
    def form(vjp):
        """The op that pulls gradients back."""
        return vjp

    @staticmethod
    def add(a, b):
        """The sum of two gradients."""
        return above.total(a, b) if a.is_sparse or b.is_sparse else call("add", a, b)

    @staticmethod
    def wrap(tensor):
        """The gradient as a Tensor: itself."""
        return tensor

    unwrap = wrap

    @staticmethod
    def copied(tensor):
        """The gradient as a Tensor that nobody else has."""
        if tensor.is_sparse:
            return above.copied(tensor)
        a = aval(tensor)
        return apply(COPY, (None, tensor), (a.shape, a.dtype.numpy))


class _Dual(Graph):
    """Gradients as Tensors off the tape: they carry tangents."""

    graph = False

    @staticmethod
    def copied(tensor):
        """The gradient as a Tensor that nobody else has. torch: without its tangent."""
        return wrap(read(tensor))


class _BatchedFast(Fast):
    def __init__(self, batch):
        self.batch = batch

    form = staticmethod(Batched.of)


class _BatchedGraph(Graph):
    def __init__(self, batch):
        self.batch = batch

    form = staticmethod(Batched.of)


FAST, GRAPH, DUAL = Fast(), Graph(), _Dual()


def mode_for(create_graph, batch=None):
    """How a backward pass carries gradients. batch: the size of their first dim when they are batched."""
    if batch is None:
        return GRAPH if create_graph else FAST if Level.current < 0 else DUAL
    return _BatchedFast(batch) if not create_graph and Level.current < 0 else _BatchedGraph(batch)
