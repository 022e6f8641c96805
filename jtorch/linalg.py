"""torch.linalg: the ops of the table that live behind this door."""

from jtorch.api import everything, variants

globals().update(variants.functions("linalg"))
del everything, variants
