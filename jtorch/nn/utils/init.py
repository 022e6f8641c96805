"""skip_init: a module whose parameters are made without drawing their values."""

import inspect

__all__ = ["skip_init"]


def skip_init(module_cls, *args, **kwargs):
    """A module of this class, its parameters unspecified. kwargs: `device` is where they shall be.

    Raises: TypeError for what is no class, RuntimeError for what is no Module class or takes no device.
    """
    # A Module is known by what is needed of it here: layers import this folder, not the other way round.
    if not issubclass(module_cls, object) or not hasattr(module_cls, "to_empty"):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, device="meta", **kwargs).to_empty(device=device)
