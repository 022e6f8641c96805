"""Full backward hooks of a module: its inputs and outputs pass through places on the tape that call them."""

import warnings

from jtorch._tensor import Tensor
from jtorch.api.creation import zeros
from jtorch.autograd.grad_mode import is_grad_enabled
from jtorch.autograd.through import through

_NO_INPUT_REQUIRES_GRAD = (
    "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require "
    "gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
    "#torch.nn.Module.register_full_backward_hook for more details."
)


class BackwardHook:
    """The hooks of one call of a module: grad_output is kept until grad_input is there, then both go to the hooks."""

    def __init__(self, module, user_hooks, user_pre_hooks):
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self.grad_outputs = None
        self.n_inputs = 0
        self.input_places = None
        self.input_kinds = []  # shape, dtype, device of each
        self.n_outputs = 0
        self.output_places = None

    def watch_inputs(self, args):
        """The module's arguments, behind the place where the hooks see grad_input."""
        self.n_inputs = len(args)
        watched, self.input_places = _watch(args, self._at_inputs)
        self.input_kinds = [(args[i].shape, args[i].dtype, args[i].device) for i in self.input_places or ()]
        return watched

    def watch_outputs(self, result):
        """The module's result, behind the place where grad_output is caught."""
        outputs = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(outputs)
        outputs, self.output_places = _watch(outputs, self._at_outputs)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _at_outputs(self, grads):
        grad_outputs = _spread(grads, self.output_places, self.n_outputs)
        for hook in self.user_pre_hooks:
            changed = hook(self.module, grad_outputs)
            if changed is not None:
                _same_length("pre hook", "grad_output", changed, grad_outputs)
                grad_outputs = changed
        if self.input_places is None:
            warnings.warn(_NO_INPUT_REQUIRES_GRAD, stacklevel=2)
            self._call_without_inputs(grad_outputs)
        else:
            self.grad_outputs = grad_outputs
        return tuple(grad_outputs[i] for i in self.output_places)

    def _call_without_inputs(self, grad_outputs):
        for hook in self.user_hooks:
            changed = hook(self.module, (None,) * self.n_inputs, grad_outputs)
            if changed is not None and not (isinstance(changed, tuple) and all(g is None for g in changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None "
                    "for all gradients."
                )

    def _at_inputs(self, grads):
        if self.grad_outputs is None:
            # The gradient came another way than through the module's outputs, as in double backward.
            return grads
        # torch: an input that gets no gradient shows zeros, an output that gives none shows None.
        grads = [
            zeros(shape, dtype=dtype, device=device) if grad is None else grad
            for grad, (shape, dtype, device) in zip(grads, self.input_kinds, strict=True)
        ]
        grad_inputs = _spread(grads, self.input_places, self.n_inputs)
        for hook in self.user_hooks:
            changed = hook(self.module, grad_inputs, self.grad_outputs)
            if changed is not None:
                _same_length("hook", "grad_input", changed, grad_inputs)
                grad_inputs = changed
        self.grad_outputs = None
        return tuple(grad_inputs[i] for i in self.input_places)


def _watch(values, fn):
    """(values with their tensors behind one place on the tape, their positions); no positions if untouched."""
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not (is_grad_enabled() and any(values[i].requires_grad for i in places)):
        return values, None
    watched = list(values)
    for i, passed in zip(places, through("BackwardHookFunctionBackward", [values[i] for i in places], fn), strict=True):
        watched[i] = passed
    return (tuple(watched) if type(values) is tuple else type(values)(*watched)), places


def _spread(grads, places, length):
    spread = [None] * length
    for i, grad in zip(places, grads, strict=True):
        spread[i] = grad
    return tuple(spread)


def _same_length(kind, what, changed, expected):
    if len(changed) != len(expected):
        raise RuntimeError(
            f"Backward {kind} returned an invalid number of {what}, got {len(changed)}, but expected {len(expected)}"
        )


def _tensors(values):
    """The values as a tuple of Tensors, or None when they are not a Tensor or a tuple of them."""
    values = (values,) if isinstance(values, Tensor) else values
    return values if isinstance(values, tuple) and all(isinstance(v, Tensor) for v in values) else None


def warn_if_partial(inputs, result, node):
    """Warn, in torch's words, that a backward hook of the old kind misses gradients of this call."""
    outputs = _tensors(result)
    if outputs is None:
        return _warn(
            "Using non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors is "
            "deprecated and will be removed in future versions. This hook will be missing some of the grad_output. "
            "Please use register_full_backward_hook to get the documented behavior."
        )
    given = _tensors(inputs)
    if given is None:
        return _warn(
            "Using non-full backward hooks on a Module that does not take as input a single Tensor or a tuple of "
            "Tensors is deprecated and will be removed in future versions. This hook will be missing some of the "
            "grad_input. Please use register_full_backward_hook to get the documented behavior."
        )
    nodes = {out.grad_fn for out in outputs if out.grad_fn is not None}
    if not nodes or (len(nodes) == 1 and node not in nodes):
        return _warn(
            "Using a non-full backward hook when outputs are nested in python data structure is deprecated and will be "
            "removed in future versions. This hook will be missing some grad_output."
        )
    if len(nodes) > 1:
        return _warn(
            "Using a non-full backward hook when outputs are generated by different autograd Nodes is deprecated and "
            "will be removed in future versions. This hook will be missing some grad_output. Please use "
            "register_full_backward_hook to get the documented behavior."
        )
    expected = {x.grad_fn for x in given if x.grad_fn is not None}
    if {following for following, _ in node.next_functions} != expected:
        _warn(
            "Using a non-full backward hook when the forward contains multiple autograd Nodes is deprecated and "
            "will be removed in future versions. This hook will be missing some grad_input. Please use "
            "register_full_backward_hook to get the documented behavior."
        )
    return None


def _warn(message):
    warnings.warn(message, FutureWarning, stacklevel=5)
