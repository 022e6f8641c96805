"""torch.special: special functions of each element."""

from jtorch.api import everything, put, variants

globals().update(variants.functions("special"))
globals().update(put.DOORS["special"])
del everything, put, variants
