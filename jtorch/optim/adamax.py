"""Adamax: Adam with the largest of past gradients in place of their mean square."""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from jtorch.optim.counted import CountedOptimizer, check, check_betas, check_lr
from jtorch.optim.optax_op import is_zero
from jtorch.optim.pieces import lerp, prepared, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of Adamax's transformation."""

    maximize: bool
    decay: bool


class LargestState(NamedTuple):
    """Means of gradients, and the largest ones with decay, a list over the parameters each."""

    exp_avg: list
    exp_inf: list


def transformation(options, numbers, steps, dtype):
    """m = β₁m + (1-β₁)g, u = max(β₂u, |g| + ε), step -γ / (1 - β₁ᵗ) · m / u."""
    lr, beta1, beta2, eps, weight_decay = numbers

    def step(grads, state, params):
        means = [lerp(m, g, (1 - beta1).astype(dtype)) for g, m in zip(grads, state.exp_avg, strict=True)]
        keep, floor = beta2.astype(dtype), eps.astype(dtype)
        largest = [jnp.maximum(keep * u, jnp.abs(g) + floor) for g, u in zip(grads, state.exp_inf, strict=True)]
        rates = [(-lr / (1 - beta1**t)).astype(dtype) for t in steps]
        return [r * (m / u) for r, m, u in zip(rates, means, largest, strict=True)], means, largest

    return optax.chain(*prepared(options.maximize, options.decay, weight_decay, dtype), stateful(LargestState, step))


class Adamax(CountedOptimizer):
    """Adamax: https://pytorch.org/docs/stable/generated/torch.optim.Adamax.html, after arXiv:1412.6980.

    Raises: ValueError for numbers out of range.
    """

    rule = staticmethod(transformation)
    later = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay: float = 0,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check("epsilon value", eps)
        check_betas(betas)
        check("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _describe(self, group, params):
        options = Options(bool(group["maximize"]), not is_zero(group["weight_decay"]))
        fields = {"exp_avg": "exp_avg", "exp_inf": "exp_inf"}
        return options, (group["lr"], *group["betas"], group["eps"], group["weight_decay"]), fields


@step_function(Adamax, "exp_avg exp_inf step")
def adamax(
    params,
    grads,
    exp_avgs,
    exp_infs,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    eps,
    beta1,
    beta2,
    lr,
    weight_decay,
):
    """One step of Adamax on lists of tensors, which are changed in place."""
