"""ModuleTracker: which modules are at work, in their forward or their backward."""

import weakref

from jtorch._tensor import Tensor
from jtorch.autograd import full_walk
from jtorch.autograd.graph import register_multi_grad_hook
from jtorch.nn.modules.module_hooks import register_module_forward_hook, register_module_forward_pre_hook
from jtorch.utils._pytree import tree_leaves

__all__ = ["ModuleTracker"]


class ModuleTracker:
    """Context manager: `parents` has the names of the modules that are at work, and always "Global".

    A module's name is its class's, one within another's is that of the outer one with the attribute: `Net.fc`.
    """

    def __init__(self):
        self._parents = {"Global"}
        self._names = weakref.WeakKeyDictionary()
        self._walked = weakref.WeakSet()
        self._walk = None  # the backward pass in which names were added
        self._hooks = []

    @property
    def parents(self):
        """The names of the modules that are at work now. What a backward pass leaves behind ends with it."""
        walk = full_walk.running()
        if self._walk is not None and (walk is None or walk is not self._walk()):
            self._parents, self._walk = {"Global"}, None
        return self._parents

    @property
    def is_bw(self):
        """Whether a backward pass is running."""
        return full_walk.running() is not None

    def _name(self, module):
        name = self._names.setdefault(module, type(module).__name__)
        if module not in self._walked:
            self._walked.add(module)
            for attribute, child in module.named_children():
                self._names[child] = f"{name}.{attribute}"
                self._name(child)
        return name

    def _enter(self, name):
        def enter(*args):
            parents, walk = self.parents, full_walk.running()
            parents.add(name)
            if walk is not None:
                self._walk = weakref.ref(walk)

        return enter

    def _leave(self, name):
        return lambda *args: self.parents.discard(name)

    def _before(self, module, inputs):
        name = self._name(module)
        self._enter(name)()
        self._on_gradients(inputs, self._leave(name))

    def _after(self, module, inputs, output):
        name = self._name(module)
        self._leave(name)()
        self._on_gradients(output, self._enter(name))

    def _on_gradients(self, values, hook):
        tensors = [x for x in tree_leaves(values) if isinstance(x, Tensor) and x.requires_grad]
        if tensors:
            self._hooks.append(register_multi_grad_hook(tensors, hook))

    def __enter__(self):
        self._handles = [
            register_module_forward_pre_hook(self._before),
            register_module_forward_hook(self._after),
        ]
        return self

    def __exit__(self, *args):
        for handle in (*self._handles, *self._hooks):
            handle.remove()
        self._hooks.clear()
