"""LazyModuleMixin: layers whose widths are those of the first input they see."""

import itertools

from jtorch.autograd.grad_mode import no_grad
from jtorch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Put before a Module class: the first call makes parameters and buffers (`initialize_parameters`), and the module
    becomes a `cls_to_become`.

    A state dict with their values makes them too.
    Raises: RuntimeError when a parameter has still no shape after `initialize_parameters`.
    """

    cls_to_become: type | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def _members(self):
        return itertools.chain(self._parameters.items(), self._buffers.items())

    def _leave_open(self, *names, buffer=False, device=None, dtype=None):
        """Put members without shape under these names."""
        make = UninitializedBuffer if buffer else UninitializedParameter
        for name in names:
            setattr(self, name, make(device=device, dtype=dtype))

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        # torch: what has no shape yet is saved as it is, and extra state is not.
        for name, tensor in self._members():
            if tensor is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = tensor if is_lazy(tensor) or keep_vars else tensor.detach()

    def _lazy_load_hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        for name, tensor in self._members():
            given = state_dict.get(prefix + name)
            if tensor is not None and given is not None and is_lazy(tensor) and not is_lazy(given):
                with no_grad():
                    tensor.materialize(given.shape)

    def initialize_parameters(self, *args, **kwargs):
        """Give shapes and values to what has none, from the arguments of the first call."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self):
        """Whether a parameter or buffer still waits for its shape."""
        return any(is_lazy(tensor) for _, tensor in self._members())

    def _infer_parameters(self, module, args, kwargs=None):
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _replicate_for_data_parallel(self):
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. "
            "Run a dummy forward pass to correctly initialize the modules"
        )
