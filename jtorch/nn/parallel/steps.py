"""Where a training step begins, for modules that record calls of their own before they read their parameters."""

from jtorch import modes
from jtorch.engine import flush


def begin_step(module):
    """Run what is pending if a parameter's update is among it, so that all of the next step is one program."""
    if not modes.local.grad:
        return
    for parameter in module.parameters():
        ref = parameter._storage.ref
        if parameter._rg and ref.stepped and ref.value is None:
            flush.boundary()
            return
