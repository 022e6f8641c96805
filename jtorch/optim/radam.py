"""RAdam: Adam whose steps are rectified for the variance of its early mean squares."""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from jtorch.optim.counted import CountedOptimizer, check, check_betas, check_lr
from jtorch.optim.optax_op import is_zero
from jtorch.optim.pieces import lerp, mean_square, prepared, shrunk, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of RAdam's transformation."""

    maximize: bool
    decay: bool
    decoupled: bool


class MeanState(NamedTuple):
    """Means of gradients and of their squares, a list over the parameters each."""

    exp_avg: list
    exp_avg_sq: list


def transformation(options, numbers, steps, dtype):
    """Step -γ m̂ r √(1-β₂ᵗ) / (√v + ε) once ρₜ > 5, before that -γ m̂; r is the rectification of arXiv:1908.03265."""
    lr, beta1, beta2, eps, weight_decay = numbers
    longest = 2 / (1 - beta2) - 1

    def step(grads, state, params):
        means = [lerp(m, g, (1 - beta1).astype(dtype)) for g, m in zip(grads, state.exp_avg, strict=True)]
        squares = [mean_square(v, g, beta2, dtype) for g, v in zip(grads, state.exp_avg_sq, strict=True)]
        out = []
        for m, v, t in zip(means, squares, steps, strict=True):
            rest = 1 - beta2**t
            length = longest - 2 * t * beta2**t / rest
            steady = length > 5
            of = jnp.where(steady, length, 6.0)
            rect = jnp.sqrt((of - 4) * (of - 2) * longest / ((longest - 4) * (longest - 2) * of))
            adapted = jnp.sqrt(rest).astype(dtype) / (jnp.sqrt(v) + eps.astype(dtype)) * rect.astype(dtype)
            rated = m / (1 - beta1**t).astype(dtype) * lr.astype(dtype)
            out.append(-rated * jnp.where(steady, adapted, 1))
        return out, means, squares

    parts = prepared(options.maximize, options.decay and not options.decoupled, weight_decay, dtype)
    parts.append(stateful(MeanState, step))
    return optax.chain(*parts, *([shrunk(lr, weight_decay, dtype)] if options.decay and options.decoupled else []))


class RAdam(CountedOptimizer):
    """RAdam: https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html, after arXiv:1908.03265.

    Raises: ValueError for numbers out of range.
    """

    rule = staticmethod(transformation)
    later = {
        "foreach": None, "maximize": False, "differentiable": False, "decoupled_weight_decay": False,
        "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _describe(self, group, params):
        decay = group["weight_decay"]
        options = Options(bool(group["maximize"]), not is_zero(decay), bool(group["decoupled_weight_decay"]))
        numbers = (group["lr"], *group["betas"], group["eps"], decay)
        return options, numbers, {name: name for name in MeanState._fields}


@step_function(RAdam, "exp_avg exp_avg_sq step")
def radam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    state_steps,
    decoupled_weight_decay=False,
    foreach=None,
    differentiable=False,
    capturable=False,
    has_complex=False,
    maximize=False,
    *,
    beta1,
    beta2,
    lr,
    weight_decay,
    eps,
):
    """One step of RAdam on lists of tensors, which are changed in place."""
