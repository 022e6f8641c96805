"""torch.backends.xnnpack: not used."""

from jtorch.backends import switches


def _refuse(value):
    raise RuntimeError("Assignment not supported")


switches.become(__name__, enabled=switches.Switch(lambda: False, _refuse))
