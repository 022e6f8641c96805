"""torch.testing._internal: what tests of libraries take from torch's own."""

from jtorch.testing._internal import common_utils
