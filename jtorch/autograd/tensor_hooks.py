"""Hooks on gradients: registering them on tensors, and running them during backward with torch's checks."""

import weakref

from jtorch import _tensor
from jtorch._tensor import Tensor
from jtorch.autograd.apply import refresh
from jtorch.autograd.hooks import RemovableHandle
from jtorch.autograd.node import Hooks, hooks_of


def _hooks_for(tensor):
    """Where the hooks of a tensor that requires grad are kept: with the leaf, or with the node it is an output of."""
    refresh(tensor, ask=True)
    node = tensor._grad_fn
    if node is None:
        return hooks_of(tensor)
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks


def add_hook(tensor, hook):
    """Register a hook on a tensor's gradient. Raises RuntimeError when it does not require grad."""
    if not tensor.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    hooks = _hooks_for(tensor).tensor
    handle = RemovableHandle(hooks)
    hooks[handle.id] = (tensor._out_nr, hook)
    return handle


def add_post_hook(tensor, hook):
    """Register a hook called after a leaf's gradient was added up. Raises RuntimeError for other tensors."""
    if not tensor.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if tensor._grad_fn is not None:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    hooks = hooks_of(tensor).accumulated
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def retain(tensor):
    """Keep the gradient of a tensor that is no leaf. Raises RuntimeError when it does not require grad."""
    if not tensor.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    refresh(tensor, ask=True)
    if tensor._grad_fn is None or tensor._retains:
        return
    tensor._retains = True
    _hooks_for(tensor).retained[tensor._out_nr] = weakref.ref(tensor)


def move_retained(tensor, node, number):
    """A tensor that keeps its gradient becomes output `number` of another node: it keeps that one's from now on."""
    if not tensor._retains:
        return
    forget_retained(tensor)
    if node.hooks is None:
        node.hooks = Hooks()
    node.hooks.retained[number] = weakref.ref(tensor)


def forget_retained(tensor):
    """The node of a tensor keeps its gradient no more."""
    node = tensor._grad_fn
    if node is not None and node.hooks is not None:
        node.hooks.retained.pop(tensor._out_nr, None)


def run_tensor_hooks(hooks, gradients, mode):
    """Run the tensor hooks of a node or leaf, then keep the gradients that are to be retained. Changes the list."""
    for number, hook in list(hooks.tensor.values()):
        given = None if gradients[number] is None else mode.wrap(gradients[number])
        result = hook(given)
        if result is not None:
            _check_result(hook, given, result)
            given = result
        # torch: a hook that writes into the gradient it is given changes it, whatever it returns.
        gradients[number] = None if given is None else mode.unwrap(given)
    for number, kept in hooks.retained.items():
        tensor = kept()
        if tensor is not None and gradients[number] is not None:
            new = mode.copied(gradients[number])
            tensor._grad = new if tensor._grad is None else tensor._grad + new


def run_before_hooks(hooks, gradients, mode):
    """Run a node's prehooks on the gradients of its outputs. Changes the list."""
    for hook in list(hooks.before.values()):
        given = _wrapped(gradients, mode)
        result = hook(given)
        gradients[:] = _unwrapped(given if result is None else _check_results(hook, given, result), mode)


def run_after_hooks(hooks, inputs, outputs, mode):
    """Run a node's hooks on (gradients of its operands, gradients of its outputs); the former as they are then."""
    outputs = _wrapped(outputs, mode)
    for hook in list(hooks.after.values()):
        given = _wrapped(inputs, mode)
        result = hook(given, outputs)
        inputs = _unwrapped(given if result is None else _check_results(hook, given, result), mode)
    return inputs


def _wrapped(gradients, mode):
    return tuple(None if g is None else mode.wrap(g) for g in gradients)


def _unwrapped(gradients, mode):
    return [None if g is None else mode.unwrap(g) for g in gradients]


def _name(hook):
    return getattr(hook, "__name__", "<unknown>")


def _check_results(hook, given, results):
    if not isinstance(results, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(results).__name__}'")
    if len(results) != len(given):
        raise RuntimeError(
            f"hook '{_name(hook)}' has returned an incorrect number of values "
            f"(got {len(results)}, but expected {len(given)})"
        )
    for old, new in zip(given, results, strict=True):
        if new is not None:
            _check_result(hook, old, new)
    return results


def _check_result(hook, old, new):
    if old is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if not isinstance(new, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'")
    have, want = _tensor.aval(new), _tensor.aval(old)
    if have.dtype is not want.dtype or have.device is not want.device:
        raise RuntimeError(f"hook '{_name(hook)}' has changed the type of value (was {_kind(want)} got {_kind(have)})")
    if have.shape != want.shape:
        raise RuntimeError(f"hook '{_name(hook)}' has changed the size of value")


def _kind(aval):
    return f"torch.{'cuda.' if aval.device.type == 'cuda' else ''}{aval.dtype.label}Tensor"
