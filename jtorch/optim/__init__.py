"""Optimizers, as torch.optim has them: each an Optax transformation, applied in one recorded op."""

from jtorch.optim import lr_scheduler
from jtorch.optim.adam import Adam
from jtorch.optim.adamw import AdamW
from jtorch.optim.from_optax import from_optax
from jtorch.optim.optimizer import Optimizer
from jtorch.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "from_optax", "lr_scheduler"]
