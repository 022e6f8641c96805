"""Policies that say which inner modules FullyShardedDataParallel gathers by themselves."""


class ModuleWrapPolicy:
    """Modules of some classes."""

    def __init__(self, module_classes):
        self._classes = tuple(module_classes)

    def __call__(self, module, recurse, *args, **kwargs):
        return recurse or isinstance(module, self._classes)


def always_wrap_policy(*args, **kwargs):
    """Every module."""
    return True


def transformer_auto_wrap_policy(module, recurse, nonwrapped_numel, transformer_layer_cls):
    """Modules of a transformer's layer classes."""
    return recurse or isinstance(module, tuple(transformer_layer_cls))


def size_based_auto_wrap_policy(module, recurse, nonwrapped_numel, min_num_params=int(1e8), force_leaf_modules=None,
                                exclude_wrap_modules=None):  # fmt: skip
    """Modules of at least so many parameters."""
    return nonwrapped_numel >= min_num_params


__all__ = ["ModuleWrapPolicy", "always_wrap_policy", "size_based_auto_wrap_policy", "transformer_auto_wrap_policy"]
