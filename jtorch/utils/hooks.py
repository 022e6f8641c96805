"""torch.utils.hooks: the handles of hooks, and what becomes of hooks in a pickle."""

from jtorch.autograd.hooks import RemovableHandle
from jtorch.errors import warn

__all__ = ["RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]


def unserializable_hook(f):
    """The hook itself, marked as one that a pickle leaves out, with a warning."""
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor):
    """Warn where a pickle of a tensor leaves out hooks that are not marked by unserializable_hook."""
    for hook in (tensor._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the "
                "function with @torch.utils.hooks.unserializable_hook to suppress this warning"
            )
