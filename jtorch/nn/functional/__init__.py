"""torch.nn.functional: layers and losses as functions."""

from jtorch.nn.functional.activation import *
from jtorch.nn.functional.attention import *
from jtorch.nn.functional.attention import _canonical_mask as _canonical_mask
from jtorch.nn.functional.attention import _none_or_dtype as _none_or_dtype
from jtorch.nn.functional.conv import *
from jtorch.nn.functional.distance import *
from jtorch.nn.functional.dropout import *
from jtorch.nn.functional.linear import *
from jtorch.nn.functional.loss import *
from jtorch.nn.functional.norm import *
from jtorch.nn.functional.pooling import *
from jtorch.nn.functional.refused import with_words as _with_words
from jtorch.nn.functional.sparse import *
from jtorch.nn.functional.vision import *

globals().update(_with_words(globals()))
