"""The ctx of an autograd.Function: what forward leaves for backward. It is the call's node on the tape."""

from jtorch import _tensor
from jtorch._tensor import Tensor, alias
from jtorch.autograd import saved_hooks
from jtorch.autograd.apply import apply, call, filled
from jtorch.autograd.grad_fn import StandIn
from jtorch.autograd.node import Hooks, Node, edge_of, next_sequence
from jtorch.autograd.tangents import Level, carry, tangent_of
from jtorch.autograd.tape import FREED, modified
from jtorch.recordable import Recordable


class FunctionCtx:
    """What a Function's forward, or its setup_context, may tell: tensors to save, and marks on inputs and outputs."""

    to_save: tuple | None = ()
    saved_for_forward: tuple = ()
    dirty_tensors: tuple = ()
    non_differentiable: tuple = ()
    materialize_grads = True

    def save_for_backward(self, *tensors):
        """Keep tensors (or None) for backward, which finds them in saved_tensors."""
        self.to_save = tensors

    def save_for_forward(self, *tensors):
        """Keep tensors for jvp, which finds them in saved_tensors."""
        self.saved_for_forward = tensors

    def mark_dirty(self, *args):
        """Say which inputs forward modified in place; they must be among the outputs."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args):
        """Say which outputs have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value):
        """Whether gradients that did not come are given to backward as zeros (the default) or as None."""
        self.materialize_grads = value


class Saved:
    """One saved tensor: as it is, or detached if it is an output of this very call, with its version and tangent."""

    __slots__ = ("tensor", "number", "storage", "version", "tangent")

    def __init__(self, tensor, node):
        own = tensor._grad_fn is node
        self.number = tensor._out_nr if own else None
        self.tensor = alias(tensor) if own else tensor
        self.storage = tensor._storage
        self.version = tensor._storage.version
        self.tangent = tangent_of(tensor)

    def unpack(self, node):
        """The tensor. Raises RuntimeError when it was modified in place since."""
        t = self.tensor
        now = self.storage.version
        if now != self.version:
            origin = t._grad_fn and (t._grad_fn.brief_name(), t._out_nr)
            if self.number is not None:
                origin = node.brief_name(), self.number
            raise RuntimeError(modified(_tensor.aval(t), origin, now, self.version))
        if self.number is None:
            return t
        out = alias(t)
        out._grad_fn, out._out_nr, out._rg = node, self.number, True
        if self.tangent is not None and Level.current >= 0:
            carry(out, self.tangent)
        return out


class Hidden:
    """One saved tensor that a saved-tensor hook packed, and its place in the graph: behind an edge, or of this call."""

    __slots__ = ("packed", "edge", "number")

    def __init__(self, tensor, node, hooks):
        own = tensor._grad_fn is node
        self.packed = saved_hooks.packed(tensor, *hooks)
        self.number = tensor._out_nr if own else None
        self.edge = None if own else edge_of(tensor)

    def unpack(self, node):
        """What the unpack hook gives, at the place in the graph where the tensor stood."""
        t = self.packed.tensor()
        if self.number is None and self.edge is None:
            return t
        out = alias(t)
        target, number = self.edge or (node, self.number)
        leaf = isinstance(target, Tensor)
        out._grad_fn, out._out_nr, out._rg = StandIn(target, out) if leaf else target, number, True
        return out


def keep(tensor, node):
    """A tensor as a call keeps it for backward; `unpack(node)` gives it back."""
    hooks = saved_hooks.current()
    return Saved(tensor, node) if hooks is None else Hidden(tensor, node, hooks)


class BackwardCFunction(Node, FunctionCtx):
    """The node of a call of a Function; subclasses, one per Function, have its class as `_forward_cls`."""

    wants_none = True
    shown = outs = edges = slots = ()  # slots: the arguments that the edges belong to
    needs_input_grad: tuple = ()
    kept: tuple | None = None  # Saved, Hidden or None each, once the call is on the tape

    def __init__(self):
        self.hooks = None

    def note_inputs(self, args):
        """Note what the arguments of forward need."""
        self.arguments = [_tensor.aval(x) if isinstance(x, Tensor) else None for x in args]
        self.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)

    def enter_tape(self, args):
        """Take a place on the tape behind the arguments."""
        self.sequence = next_sequence()
        self.hooks = Hooks()
        self.slots = tuple(i for i, needed in enumerate(self.needs_input_grad) if needed)
        self.edges = [edge_of(args[i]) for i in self.slots]
        at = {i: place for place, i in enumerate(self.slots)}
        self.shown = tuple(at.get(i) for i, a in enumerate(self.arguments) if a is not None)

    def keep_saved(self):
        """Keep what save_for_backward was given, as it is now that the outputs stand on the tape."""
        kept = []
        for i, tensor in enumerate(self.to_save):
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {type(tensor).__name__}"
                )
            kept.append(None if tensor is None else keep(tensor, self))
        self.kept = tuple(kept)
        self.to_save = ()

    @property
    def saved_tensors(self):
        """The tensors given to save_for_backward. Raises RuntimeError when freed, or modified in place since."""
        if self.to_save is None:
            raise RuntimeError(FREED)
        if self.kept is None:
            return self.saved_for_forward
        return tuple(None if x is None else x.unpack(self) for x in self.kept)

    saved_variables = saved_tensors

    def release(self):
        if self.kept:
            self.to_save, self.kept = None, None

    def pull(self, cotangents, mode):
        if mode.batch is not None:
            return self._pull_each(cotangents, mode)
        given = [None if c is None else mode.wrap(c) for c in cotangents]
        return [None if g is None else mode.unwrap(g) for g in self.gradients(given)]

    def _pull_each(self, cotangents, mode):
        """A batch of cotangents, one after the other: what the user wrote knows nothing of batches."""
        given = [None if c is None else mode.wrap(c) for c in cotangents]
        rows = [self.gradients([None if g is None else g[i] for g in given]) for i in range(mode.batch)]
        columns = zip(*rows, strict=True)
        return [None if any(g is None for g in c) else mode.unwrap(call("stack", list(c))) for c in columns]

    def gradients(self, given):
        """Call the user's backward: one gradient or None per edge."""
        if self.materialize_grads:
            given = [filled(a, 0) if g is None and a is not None else g for g, a in zip(given, self.outs, strict=True)]
        found = self._forward_cls.pullback()(self, *given)
        found = found if isinstance(found, tuple) else (found,)
        self._check(found)
        return [self._fitted(found[i], i) for i in self.slots]

    def _check(self, found):
        count = len(self.arguments)
        if len(found) < count or any(g is not None for g in found[count:]):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {count}, got {len(found)})"
            )
        for i, (g, a) in enumerate(zip(found, self.arguments, strict=False)):
            if g is not None and a is None:
                raise RuntimeError(
                    f"function {self.name()} returned a gradient different than None at position {i + 1}, but the "
                    "corresponding forward input was not a Variable"
                )

    def _index(self, i):
        """The place of argument i among the tensors."""
        return sum(a is not None for a in self.arguments[:i])

    def _fitted(self, gradient, i):
        """A gradient with the shape and dtype of the operand it is for."""
        if gradient is None:
            return None
        if not isinstance(gradient, Tensor):
            raise RuntimeError(f"expected Variable or None (got {type(gradient).__name__})")
        want, have = self.arguments[i], _tensor.aval(gradient)
        if have.shape != want.shape:
            if not _reduces(have.shape, want.shape):
                raise RuntimeError(
                    f"Function {self.name()} returned an invalid gradient at index {self._index(i)} - got "
                    f"{list(have.shape)} but expected shape compatible with {list(want.shape)}"
                )
            gradient = apply(SUM_TO, (gradient,), (want.shape,))
        if have.device is not want.device:
            raise RuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {self._index(i)} - expected device "
                f"{want.device} but got {have.device}"
            )
        return gradient if have.dtype is want.dtype else gradient.to(want.dtype)


class SumTo(Recordable):
    """A tensor summed over the dims that a shape was broadcast along. attrs: the shape."""

    name = "sum_to"
    grad_name = "ExpandBackward0"

    def call(self, ins, attrs, compute):
        (x,), (shape,) = ins, attrs
        extra = x.ndim - len(shape)
        kept = tuple(i + extra for i, n in enumerate(shape) if n == 1 and x.shape[i + extra] != 1)
        return (x.sum((*range(extra), *kept)).reshape(shape),)


SUM_TO = SumTo()


def _reduces(have, want):
    """Whether a tensor of shape `want` broadcasts to shape `have`."""
    return len(have) >= len(want) and all(w in (1, h) for w, h in zip(reversed(want), reversed(have), strict=False))
