"""Hooks on modules: how they are registered, on one module or on all, and a call that runs them."""

import warnings
from collections import OrderedDict
from functools import partial

from jtorch._tensor import Tensor
from jtorch.autograd.hooks import RemovableHandle
from jtorch.nn.modules.module_backward import BackwardHook, warn_if_partial

ANY_HOOKS: list = []  # not empty once a hook that a call must run was registered, on whatever module


class HookDict(OrderedDict):
    """Hooks that a call must run, by id. Filling one tells every module to look for hooks when it is called."""

    def __setitem__(self, key, hook):
        ANY_HOOKS[:] = [True]
        super().__setitem__(key, hook)

    def __repr__(self):
        return repr(OrderedDict(self))

    def __reduce__(self):
        # torch: what a module is saved with; __setstate__ makes a HookDict of it again.
        return OrderedDict, (), None, None, iter(self.items())


_global_buffer_registration_hooks: OrderedDict = OrderedDict()
_global_module_registration_hooks: OrderedDict = OrderedDict()
_global_parameter_registration_hooks: OrderedDict = OrderedDict()
_global_backward_pre_hooks = HookDict()
_global_backward_hooks = HookDict()
_global_forward_pre_hooks = HookDict()
_global_forward_hooks = HookDict()
_global_forward_hooks_always_called: OrderedDict = OrderedDict()
_global_forward_hooks_with_kwargs: OrderedDict = OrderedDict()


class _Global:
    """Whether the global backward hooks are full ones; None before the first."""

    is_full_backward_hook: bool | None = None


def _register(hooks, hook, prepend=False, **marks):
    """Put hook into hooks; marks: name -> (dict, whether the hook belongs into it too)."""
    handle = RemovableHandle(hooks, extra_dict=[marked for marked, _ in marks.values()])
    hooks[handle.id] = hook
    ANY_HOOKS[:] = [True]  # hooks may be a plain dict, put there by the user
    for marked, wanted in marks.values():
        if wanted:
            marked[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_module_buffer_registration_hook(hook) -> RemovableHandle:
    """Call `hook(module, name, buffer)` whenever any module registers a buffer; it may return another buffer."""
    return _register(_global_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook) -> RemovableHandle:
    """Call `hook(module, name, submodule)` whenever any module registers a submodule; it may return another."""
    return _register(_global_module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook) -> RemovableHandle:
    """Call `hook(module, name, parameter)` whenever any module registers a parameter; it may return another."""
    return _register(_global_parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module; it may return other arguments."""
    return _register(_global_forward_pre_hooks, hook)


def register_module_forward_hook(hook, *, with_kwargs: bool = False, always_call: bool = False) -> RemovableHandle:
    """Call `hook(module, args, output)` after the forward of every module; it may return another output."""
    return _register(
        _global_forward_hooks,
        hook,
        with_kwargs=(_global_forward_hooks_with_kwargs, with_kwargs),
        always_call=(_global_forward_hooks_always_called, always_call),
    )


def register_module_full_backward_pre_hook(hook) -> RemovableHandle:
    """Call `hook(module, grad_output)` before the backward of every module; it may return another grad_output."""
    return _register(_global_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` once a module's input gradients are there, for every module.

    Raises: RuntimeError when global hooks of the old kind are there.
    """
    return _register_global_backward(hook, full=True)


def register_module_backward_hook(hook) -> RemovableHandle:
    """As `register_module_full_backward_hook`, of the old kind: it sees the gradients of the last op only."""
    return _register_global_backward(hook, full=False)


def _register_global_backward(hook, full):
    if _Global.is_full_backward_hook is not None and _Global.is_full_backward_hook is not full:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a "
            "global Module hook. Please use only one of them."
        )
    _Global.is_full_backward_hook = full
    return _register(_global_backward_hooks, hook)


class Hooks:
    """The part of Module that registers hooks on itself."""

    _backward_pre_hooks: OrderedDict
    _backward_hooks: OrderedDict
    _is_full_backward_hook: bool | None
    _forward_hooks: OrderedDict
    _forward_hooks_with_kwargs: OrderedDict
    _forward_hooks_always_called: OrderedDict
    _forward_pre_hooks: OrderedDict
    _forward_pre_hooks_with_kwargs: OrderedDict

    def register_forward_pre_hook(self, hook, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; it may return other arguments.

        `with_kwargs` makes it `hook(module, args, kwargs)`, which may return (args, kwargs); with `prepend` it runs
        first.
        """
        return _register(
            self._forward_pre_hooks, hook, prepend, with_kwargs=(self._forward_pre_hooks_with_kwargs, with_kwargs)
        )

    def register_forward_hook(
        self, hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; it may return another output.

        `with_kwargs` makes it `hook(module, args, kwargs, output)`; `always_call` runs it even if forward raised.
        """
        return _register(
            self._forward_hooks,
            hook,
            prepend,
            with_kwargs=(self._forward_hooks_with_kwargs, with_kwargs),
            always_call=(self._forward_hooks_always_called, always_call),
        )

    def register_full_backward_pre_hook(self, hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the module's backward; it may return another grad_output."""
        return _register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` once the gradients of the inputs are there.

        It may return another grad_input. Raises: RuntimeError when the module has a backward hook of the old kind.
        """
        self._choose_backward(full=True)
        return _register(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook) -> RemovableHandle:
        """As `register_full_backward_hook`, of the old kind: it sees the gradients of the module's last op only."""
        self._choose_backward(full=False)
        return _register(self._backward_hooks, hook)

    def _choose_backward(self, full):
        if self._is_full_backward_hook is not None and self._is_full_backward_hook is not full:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a "
                "single Module. Please use only one of them."
            )
        self._is_full_backward_hook = full

    def _backward_hooks_of_kind(self, full):
        shared = _global_backward_hooks.values() if _Global.is_full_backward_hook is full else ()
        own = self._backward_hooks.values() if self._is_full_backward_hook is full else ()
        return [*shared, *own]


class HookedCall:
    """One call of a module that has hooks; holds what they may replace on the way: arguments and result."""

    def __init__(self, module, args, kwargs):
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.result = None
        self.ran = set()

    def run(self):
        """The module's output, with all hooks run. After an exception the hooks marked always_call still run."""
        try:
            return self._run()
        except Exception:
            self._run_always_called(_global_forward_hooks, _global_forward_hooks_always_called, (), "global module")
            own = self.module
            self._run_always_called(
                own._forward_hooks, own._forward_hooks_always_called, own._forward_hooks_with_kwargs, "module"
            )
            raise

    def _run(self):
        module = self.module
        pre_hooks = [*_global_backward_pre_hooks.values(), *module._backward_pre_hooks.values()]
        full, partial = module._backward_hooks_of_kind(True), module._backward_hooks_of_kind(False)
        self._before()
        backward = BackwardHook(module, full, pre_hooks) if full or pre_hooks else None
        if backward is not None:
            self.args = backward.watch_inputs(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        self._after()
        if backward is not None:
            if not isinstance(self.result, (Tensor, tuple)):
                warnings.warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                    f"but received {type(self.result)}",
                    stacklevel=4,
                )
            self.result = backward.watch_outputs(self.result)
        if partial:
            self._hook_last_node(partial)
        return self.result

    def _before(self):
        module = self.module
        for key, hook in (*_global_forward_pre_hooks.items(), *module._forward_pre_hooks.items()):
            if key in module._forward_pre_hooks_with_kwargs:
                changed = hook(module, self.args, self.kwargs)
                if changed is None:
                    continue
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                self.args, self.kwargs = changed
            else:
                changed = hook(module, self.args)
                if changed is not None:
                    self.args = changed if isinstance(changed, tuple) else (changed,)

    def _after(self):
        own = self.module
        for key, hook in (*_global_forward_hooks.items(), *own._forward_hooks.items()):
            if key in own._forward_hooks_always_called or key in _global_forward_hooks_always_called:
                self.ran.add(key)
            with_kwargs = key in own._forward_hooks_with_kwargs or key in _global_forward_hooks_with_kwargs
            self._call_forward_hook(hook, with_kwargs)

    def _call_forward_hook(self, hook, with_kwargs):
        given = (self.args, self.kwargs, self.result) if with_kwargs else (self.args, self.result)
        changed = hook(self.module, *given)
        if changed is not None:
            self.result = changed

    def _run_always_called(self, hooks, always, with_kwargs, owner):
        for key, hook in hooks.items():
            if key not in always or key in self.ran:
                continue
            try:
                self._call_forward_hook(hook, key in with_kwargs)
            except Exception as error:
                warnings.warn(
                    f"{owner} forward hook with ``always_call=True`` raised an exception "
                    f"that was silenced as another error was raised in forward: {error}",
                    stacklevel=4,
                )

    def _hook_last_node(self, hooks):
        first = self.result
        while not isinstance(first, Tensor):
            first = next(v for v in first.values() if isinstance(v, Tensor)) if isinstance(first, dict) else first[0]
        node = first.grad_fn
        if node is None:
            return
        for hook in hooks:
            node.register_hook(partial(hook, self.module))
        warn_if_partial(self.args, self.result, node)
