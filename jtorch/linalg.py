"""torch.linalg: factorizations, linear systems, norms of matrices."""

from jtorch.api import everything, put, variants
from jtorch.errors import LinAlgError as LinAlgError

globals().update(variants.functions("linalg"))
globals().update(put.DOORS["linalg"])
del everything, put, variants
