"""torch.return_types: the named tuples that ops with several results return."""

from jtorch.api import everything, returns

__all__ = sorted(cls.__name__ for cls in returns.MADE.values())

globals().update({cls.__name__: cls for cls in returns.MADE.values()})
del everything, returns
