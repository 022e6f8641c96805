"""Names of jtorch.nn: layers, containers, losses, parameters; functional, init and utils."""

from jtorch.nn import attention, common_types, functional, grad, init, modules, parallel, parameter, utils
from jtorch.nn.modules import *
from jtorch.nn.modules.utils import factory_kwargs
from jtorch.nn.parallel import DataParallel
from jtorch.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
