"""Names of jtorch.nn.modules: every layer, container and loss."""

from jtorch.nn.modules.activation import *
from jtorch.nn.modules.adaptive import *
from jtorch.nn.modules.batchnorm import *
from jtorch.nn.modules.channelshuffle import *
from jtorch.nn.modules.container import *
from jtorch.nn.modules.conv import *
from jtorch.nn.modules.distance import *
from jtorch.nn.modules.dropout import *
from jtorch.nn.modules.flatten import *
from jtorch.nn.modules.fold import *
from jtorch.nn.modules.instancenorm import *
from jtorch.nn.modules.linear import *
from jtorch.nn.modules.linear_cross_entropy_options import *
from jtorch.nn.modules.loss import *
from jtorch.nn.modules.module import Module
from jtorch.nn.modules.normalization import *
from jtorch.nn.modules.padding import *
from jtorch.nn.modules.pixelshuffle import *
from jtorch.nn.modules.pooling import *
from jtorch.nn.modules.rnn import *
from jtorch.nn.modules.sparse import *
from jtorch.nn.modules.transformer import *
from jtorch.nn.modules.upsampling import *
from jtorch.nn.modules.utils import own_constructor as _own_constructor

__all__ = [name for name, value in globals().items() if isinstance(value, type)]
for _name in __all__:
    if issubclass(globals()[_name], Module):
        _own_constructor(globals()[_name])
