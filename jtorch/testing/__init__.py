"""torch.testing: are two values close, and tensors to try things on."""

from jtorch.testing._deprecated import assert_allclose
from jtorch.testing.comparison import assert_close
from jtorch.testing.creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
