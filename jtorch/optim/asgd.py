"""ASGD: stochastic gradient descent that also averages the parameters it passes."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax

from jtorch._tensor import Tensor
from jtorch.optim.counted import CountedOptimizer, check, check_lr
from jtorch.optim.optax_op import is_zero
from jtorch.optim.pieces import prepared, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of ASGD's transformation."""

    maximize: bool
    decay: bool


class AverageState(NamedTuple):
    """Learning rates, weights of the newest parameter in the average, and averages, a list over the parameters each."""

    eta: list
    mu: list
    ax: list


def transformation(options, numbers, steps, dtype):
    """θ = (1 - λη)θ - ηg, a = a + μ(θ - a), then η = γ / (1 + λγt)^α and μ = 1 / max(1, t - t₀)."""
    lr, lambd, alpha, t0, weight_decay = numbers

    def step(grads, state, params):
        out, averages = [], []
        for g, p, eta, mu, average in zip(grads, params, state.eta, state.mu, state.ax, strict=True):
            eta = eta.astype(jnp.float64)
            new = p * (1 - lambd * eta).astype(dtype) - eta.astype(dtype) * g
            averages.append(jnp.where(mu == 1, new, average + (new - average) * mu.astype(dtype)))
            out.append(new - p)
        etas = [lr / (1 + lambd * lr * t) ** alpha for t in steps]
        return out, etas, [1 / jnp.maximum(1.0, t - t0) for t in steps], averages

    return optax.chain(*prepared(options.maximize, options.decay, weight_decay, dtype), stateful(AverageState, step))


class ASGD(CountedOptimizer):
    """Averaged SGD: https://pytorch.org/docs/stable/generated/torch.optim.ASGD.html, after Polyak & Juditsky 1992.

    The averages are `state[p]["ax"]`. Raises: ValueError for numbers below zero.
    """

    rule = staticmethod(transformation)
    stepping = "params, mus, etas, and state_steps"
    beside = True
    later = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=1e-2,
        lambd=1e-4,
        alpha=0.75,
        t0=1e6,
        weight_decay: float = 0,
        foreach=None,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, name, param, group):
        if name == "ax":
            return super()._begin(name, param, group)
        lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
        return np.full((), lr if name == "eta" else 1.0, self._step_place(group, param)[1].numpy)

    def _describe(self, group, params):
        options = Options(bool(group["maximize"]), not is_zero(group["weight_decay"]))
        numbers = (group["lr"], group["lambd"], group["alpha"], group["t0"], group["weight_decay"])
        return options, numbers, {name: name for name in AverageState._fields}


@step_function(ASGD, "ax mu eta step")
def asgd(
    params,
    grads,
    axs,
    mus,
    etas,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    lambd,
    lr,
    t0,
    alpha,
    weight_decay,
):
    """One step of ASGD on lists of tensors, which are changed in place."""
