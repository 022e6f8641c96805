"""autograd.Function: calls whose gradient the user writes."""

import functools
import inspect
import warnings

from jax.core import Tracer

from jtorch import _tensor, dtypes, modes
from jtorch._tensor import Tensor, View, alias
from jtorch.autograd import anomaly_mode, function_jax, function_levels
from jtorch.autograd.apply import call, filled, refresh
from jtorch.autograd.function_ctx import BackwardCFunction, FunctionCtx
from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.inplace import hand_over
from jtorch.autograd.levels import lift
from jtorch.autograd.tangents import Level, carry, tangent_of
from jtorch.autograd.views import same_again
from jtorch.errors import warn

__all__ = [
    "BackwardCFunction",
    "Function",
    "FunctionCtx",
    "FunctionMeta",
    "InplaceFunction",
    "NestedIOFunction",
    "once_differentiable",
]


class FunctionMeta(type):
    """Makes, for each Function, the class of its nodes: `_backward_cls`, called `<Name>Backward`."""

    def __init__(cls, name, bases, attrs):
        super().__init__(name, bases, attrs)
        cls._backward_cls = type(f"{name}Backward", (BackwardCFunction,), {"_forward_cls": cls})
        cls._backward_cls.__module__ = "torch.autograd.function"


class Function(metaclass=FunctionMeta):
    """A call with forward and backward written by the user; subclass it and call `apply`.

    forward(ctx, *args), or forward(*args) with setup_context(ctx, inputs, output); backward(ctx, *grads) gives one
    gradient or None per argument of forward. As torch.autograd.Function. Inside a JAX transform it is a jax.custom_vjp.
    """

    generate_vmap_rule = False

    def __init__(self, *args, **kwargs):
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself. Instantiating an autograd function will raise an error in a future "
            "version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args, **kwargs):
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            "function with static forward method. (Example: "
            "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @staticmethod
    def forward(*args, **kwargs):
        """Compute the result."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Leave for backward what it needs."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """One gradient per argument of forward."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """One tangent per output, from a tangent or None per argument of forward."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info, in_dims, *args):
        """What the call is under vmap: (output, out_dims)."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set "
            "generate_vmap_rule=True."
        )

    @classmethod
    def pullback(cls):
        """The user's backward, or vjp. Raises RuntimeError when there are both."""
        base = Function.__dict__["backward"].__func__
        if cls.backward is not base and cls.vjp is not base:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only "
                "implement one of them."
            )
        return cls.backward if cls.backward is not base else cls.vjp

    @classmethod
    def only_pushes(cls):
        """Whether the user wrote a jvp, and neither backward nor vjp."""
        return cls.jvp is not Function.jvp and cls.backward is Function.backward and cls.vjp is Function.vjp

    @classmethod
    def apply(cls, *args, **kwargs):
        """Run forward and, if an argument requires grad, put the call on the tape."""
        if kwargs or cls.split():
            args = _positional(cls, args, kwargs)
        level = None
        if modes.rare and (modes.local.level or function_levels.highest(args) is not None):
            found = function_levels.apply(cls, args, cls.vmap is not Function.vmap)
            if found is not None:
                return found
            args, level = lift(args)
        for x in args:
            if isinstance(x, Tensor):
                refresh(x)
        ctx = cls._backward_cls()
        ctx.note_inputs(args)
        tracked = modes.local.grad and any(ctx.needs_input_grad)
        if (
            level is None
            and not tracked
            and any(isinstance(x, Tensor) and isinstance(x._storage.ref.value, Tracer) for x in args)
        ):
            return function_jax.apply(cls, args, cls.only_pushes())
        if tracked:
            ctx.enter_tape(args)
        below = None if level is None else function_levels.call_below(cls, level, args)
        with no_grad():
            result = cls.run_forward(ctx, args) if level is None else below(ctx)
        single = not isinstance(result, tuple)
        outs = _outputs(ctx, args, (result,) if single else result, tracked)
        if Level.current >= 0:
            _push_forward(cls, ctx, args, outs)
        if tracked:
            ctx.keep_saved()
            if anomaly_mode.is_enabled():
                anomaly_mode.note(ctx)
        return outs[0] if single else outs

    @classmethod
    def split(cls):
        """Whether forward is written without ctx, beside setup_context."""
        return cls.setup_context is not Function.setup_context

    @classmethod
    def run_forward(cls, ctx, args):
        """Call what the user wrote."""
        if not cls.split():
            return cls.forward(ctx, *args)
        result = cls.forward(*args)
        cls.setup_context(ctx, args, result)
        return result


def _positional(cls, args, kwargs):
    """The arguments of apply in the order of forward's parameters, with its defaults filled in."""
    signature = inspect.signature(cls.forward)
    if not cls.split():
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def _outputs(ctx, args, outs, tracked):
    """The outputs with their place on the tape. Raises RuntimeError where dirty marks are wrong."""
    dirty = _ids(ctx.dirty_tensors, "mark_dirty")
    constant = _ids(ctx.non_differentiable, "mark_non_differentiable")
    inputs = {id(x) for x in args if isinstance(x, Tensor)}
    if not dirty <= inputs:
        warn(
            "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated "
            "should be passed to ctx.mark_dirty()."
        )
    if not dirty <= {id(out) for out in outs}:
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are "
            "modified inplace must all be outputs of the Function."
        )
    storages = {id(x._storage) for x in args if isinstance(x, Tensor)}
    ctx.outs = tuple(_tensor.aval(out) if isinstance(out, Tensor) else None for out in outs)
    made = []
    for number, out in enumerate(outs):
        if isinstance(out, Tensor):
            changed = id(out) in dirty & inputs
            if id(out) in inputs and not changed:
                out = same_again(out)
            if tracked and id(outs[number]) not in constant and _tensor.aval(out).dtype.category >= dtypes.FLOAT:
                _place(out, ctx, number, changed, storages)
        made.append(out)
    return tuple(made)


def _ids(tensors, mark):
    for x in tensors:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{mark} can only accept variables, but argument ")
    return {id(x) for x in tensors}


def _place(out, ctx, number, changed, storages):
    """Let an output be result `number` of the call."""
    if changed:
        if out._rg and out._grad_fn is None:
            raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
        hand_over(out, ctx, number)
        return
    out._grad_fn, out._out_nr, out._rg = ctx, number, True
    if out._view is not None and id(out._storage) in storages:
        out._view.made = View.CUSTOM
        out._view.graph = out._storage.graph


def _push_forward(cls, ctx, args, outs):
    """Give the outputs the tangents that the user's jvp makes of those of the arguments."""
    tangents = [tangent_of(x) for x in args]
    if all(t is None for t in tangents):
        return
    if Level.batch is None:
        found = _jvp(cls, ctx, args, tangents)
    else:
        # What the user wrote knows nothing of batches.
        rows = [_jvp(cls, ctx, args, [t if t is None else t[i] for t in tangents]) for i in range(Level.batch)]
        columns = zip(*rows, strict=True)
        found = [None if any(t is None for t in c) else call("stack", list(c)) for c in columns]
    for out, tangent in zip(outs, found, strict=True):
        if isinstance(out, Tensor) and tangent is not None:
            carry(out, tangent)


def _jvp(cls, ctx, args, tangents):
    given = [
        filled(_tensor.aval(x), 0) if t is None and isinstance(x, Tensor) and ctx.materialize_grads else t
        for t, x in zip(tangents, args, strict=True)
    ]
    found = cls.jvp(ctx, *given)
    return found if isinstance(found, tuple) else (found,)


def once_differentiable(fn):
    """Decorator of a backward that can't itself be differentiated."""

    @functools.wraps(fn)
    def wrapper(ctx, *args, **kwargs):
        with no_grad():
            outputs = fn(ctx, *args, **kwargs)
        if not (modes.local.grad and any(isinstance(x, Tensor) and x.requires_grad for x in args)):
            return outputs
        single = not isinstance(outputs, tuple)
        several = (outputs,) if single else outputs
        blocked = DelayedError.apply(len(several), *several, *args)
        return blocked[0] if single else blocked

    return wrapper


class DelayedError(Function):
    """Its outputs are the first of its inputs; it raises when it is differentiated."""

    @staticmethod
    def forward(ctx, count, *inputs):
        return tuple(alias(x) if isinstance(x, Tensor) else x for x in inputs[:count])

    @staticmethod
    def backward(ctx, *grads):
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


class InplaceFunction(Function):
    """A Function that may work in place; kept for torch's sake."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """A Function of nested tensors, from before forward and backward were static; kept for torch's sake."""

    def forward_extended(self, *input):
        """Compute the result."""
        raise NotImplementedError

    def backward_extended(self, *grad_output):
        """One gradient per input."""
        raise NotImplementedError
