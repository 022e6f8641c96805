"""The steps of optimizers as functions on lists of tensors: `optim.adam.adam` and its siblings."""

import functools
import inspect

from jtorch import modes
from jtorch._tensor import Tensor
from jtorch.autograd.apply import call
from jtorch.autograd.inplace import update
from jtorch.optim.clock import Clock

# Options that a function takes one by one and a group holds as a pair.
_PAIRS = {
    "betas": ("beta1", "beta2"),
    "eps": ("eps1", "eps2"),
    "etas": ("etaminus", "etaplus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}
_HINTS = ("has_complex", "has_sparse_grad")
_clock = Clock()  # one for all: what steps it has seen it need not read


def step_function(optimizer, states, **constants):
    """Decorator of a signature: what it declares is a step of `optimizer`, a class, on lists that are changed in place.

    states: the names that the lists after parameters and gradients have in the optimizer's state. A list may be empty,
    or hold None, which the step replaces. constants: options that the function does not take.
    """
    fields = states.split()

    def decorate(declared):
        signature = inspect.signature(declared)

        @functools.wraps(declared)
        def step(*args, **kwargs):
            declared(*args, **kwargs)  # raises for arguments that it does not take
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            params, grads, *lists = given.args[: 2 + len(fields)]
            options = dict(list(given.arguments.items())[2 + len(fields) :]) | constants
            _step(optimizer, params, grads, dict(zip(fields, lists, strict=True)), options)

        return step

    return decorate


def _step(optimizer, params, grads, lists, options):
    """Take one step of an optimizer that is there for it alone."""
    if not all(isinstance(step, Tensor) for step in lists.get("step", ())):
        raise RuntimeError("API has changed, `state_steps` argument must contain a list of singleton tensors")
    scale, found = options.pop("grad_scale", None), options.pop("found_inf", None)
    if not options.get("fused") and not (scale is None and found is None):
        raise AssertionError("Expected grad_scale and found_inf to be None")
    if scale is not None:
        inverse = scale.double().reciprocal().float()
        if found is not None:
            inverse = call("masked_fill", inverse, found != 0, 1.0)
        update("unscale_gradients", grads, grads, inverse)
    group = {"params": params} | {name: value for name, value in options.items() if name not in _HINTS}
    for name, parts in _PAIRS.items():
        if parts[0] in group:
            group[name] = tuple(group.pop(part) for part in parts)
    made = object.__new__(optimizer)
    # torch: in grad mode writes go on the tape, or are refused; its fused kernels know of no tape.
    made.defaults = group | {"differentiable": modes.local.grad and not options.get("fused")}
    made.state = {
        param: {name: values[i] for name, values in lists.items() if values and values[i] is not None}
        for i, param in enumerate(params)
    }
    made._clock, made._found = _clock, found
    if params:
        made._run([(group, params, grads)])
    for name, values in lists.items():
        if values:
            values[:] = [made.state[param].get(name) for param in params]
