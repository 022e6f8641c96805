"""Averages of a model's weights over training, and the schedule and statistics that go with them.

Stochastic weight averaging: https://arxiv.org/abs/1803.05407.
"""

import itertools
import math
from copy import deepcopy

from jtorch._tensor import from_host
from jtorch.api.foreach import FUNCTIONS
from jtorch.autograd.grad_mode import no_grad
from jtorch.nn.modules.batchnorm import _BatchNorm
from jtorch.nn.modules.module import Module
from jtorch.optim.lr_scheduler.base import LRScheduler, per_group

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def _check_decay(decay):
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def _is_inexact(tensor):
    return tensor.is_floating_point() or tensor.is_complex()


def get_ema_multi_avg_fn(decay=0.999):
    """A function that moves a list of averages towards a list of values: a ← decay·a + (1-decay)·x.

    Raises: ValueError for a decay outside of [0, 1].
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        if _is_inexact(ema_param_list[0]):
            FUNCTIONS["_foreach_lerp_"](ema_param_list, current_param_list, 1 - decay)
            return
        for average, value in zip(ema_param_list, current_param_list, strict=True):
            average.copy_(average * decay + value * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn():
    """A function that takes one more list of values into a list of means: a ← a + (x-a) / (n+1)."""

    @no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        for average, value in zip(averaged_param_list, current_param_list, strict=True):
            if _is_inexact(average):
                average.lerp_(value, 1 / (num_averaged + 1))
            else:
                average.copy_(average + (value - average) / (num_averaged + 1))

    return swa_update


def get_ema_avg_fn(decay=0.999):
    """A function of an average and a value: decay·a + (1-decay)·x. Raises: ValueError for a decay outside of [0, 1]."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """A function of a mean of n values and one more: a + (x-a) / (n+1)."""

    @no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's, one value more at each update_parameters.

    https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
    avg_fn: what an average becomes, of it, a value and how many values it has; multi_avg_fn: the same for lists, in
    place. Without either it is the mean. use_buffers: whether buffers are averaged too, instead of copied.
    Attributes: module, and n_averaged, a count as a buffer.
    Raises: AssertionError for both functions at once.
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", from_host(0, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers
        self._begun = False  # whether n_averaged is known not to be 0, so that no step need read it

    def forward(self, *args, **kwargs):
        """What the averaged model gives."""
        return self.module(*args, **kwargs)

    def _load_from_state_dict(self, *args, **kwargs):
        self._begun = False
        super()._load_from_state_dict(*args, **kwargs)

    def update_parameters(self, model):
        """Take a model's present parameters into the averages; the first ones are copied."""
        own, given = _detached(self.module, self.use_buffers), _detached(model, self.use_buffers)
        given = [value.to(average.device) for average, value in zip(own, given, strict=False)]
        self._begun = self._begun or bool(self.n_averaged != 0)
        with no_grad():
            if not self._begun:
                for average, value in zip(own, given, strict=True):
                    average.copy_(value)
            else:
                self._average(own, given)
            if not self.use_buffers:
                for average, value in zip(self.module.buffers(), model.buffers(), strict=True):
                    average.detach().copy_(value.detach().to(average.device))
            self.n_averaged += 1

    def _average(self, own, given):
        if self.avg_fn is not None:
            for average, value in zip(own, given, strict=True):
                average.copy_(self.avg_fn(average, value, self.n_averaged.to(average.device)))
            return
        act = self.multi_avg_fn or get_swa_multi_avg_fn()
        groups: dict = {}
        for average, value in zip(own, given, strict=True):
            group = groups.setdefault((average.device, average.dtype), ([], []))
            group[0].append(average)
            group[1].append(value)
        for (device, _), (averages, values) in groups.items():
            act(averages, values, self.n_averaged.to(device))


def _detached(model, use_buffers):
    """The tensors of a model that are averaged, outside of the graph."""
    tensors = itertools.chain(model.parameters(), model.buffers() if use_buffers else ())
    return [tensor.detach() for tensor in tensors]


@no_grad()
def update_bn(loader, model, device=None):
    """Work out the running statistics of a model's batch normalizations anew, in one pass over a loader.

    Each batch is a tensor, or a list or tuple whose first item is given to the model.
    """
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None
    for batch in loader:
        batch = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(batch if device is None else batch.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present lr to swa_lr within anneal_epochs, along a cosine or a line; from then on swa_lr.

    https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.SWALR.html
    Raises: ValueError for another strategy, and for epochs that are no int from 0.
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        for value, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = value
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._set_anneal_func(anneal_strategy)
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _set_anneal_func(self, strategy):
        self._anneal_strategy = strategy
        self.anneal_func = _along_cosine if strategy == "cos" else _along_line

    def _part(self, step):
        return self.anneal_func(max(0, min(1, step / max(1, self.anneal_epochs))))

    def get_lr(self):
        """The learning rate of each group at this step."""
        self._check_called_within_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            lr, goal = group["lr"], group["swa_lr"]
            start = goal if before == 1 else (lr - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates

    def state_dict(self):
        """What a run needs to go on, without the optimizer."""
        return {k: v for k, v in vars(self).items() if k not in ("optimizer", "anneal_func")}

    def load_state_dict(self, state_dict):
        """Take back what state_dict gave."""
        self.__dict__.update(state_dict)
        self._set_anneal_func(self._anneal_strategy)


def _along_line(t):
    return t


def _along_cosine(t):
    return (1 - math.cos(math.pi * t)) / 2
