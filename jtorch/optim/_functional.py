"""The steps of optimizers as functions on lists of tensors, in one place."""

from jtorch.optim.adadelta import adadelta
from jtorch.optim.adagrad import adagrad
from jtorch.optim.adam import adam
from jtorch.optim.adamax import adamax
from jtorch.optim.adamw import adamw
from jtorch.optim.asgd import asgd
from jtorch.optim.nadam import nadam
from jtorch.optim.radam import radam
from jtorch.optim.rmsprop import rmsprop
from jtorch.optim.rprop import rprop
from jtorch.optim.sgd import sgd

__all__ = [
    "adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "nadam", "radam", "rmsprop", "rprop", "sgd",
]  # fmt: skip
