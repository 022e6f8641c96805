"""NAdam: Adam with Nesterov momentum, whose first beta warms up."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax

from jtorch.optim.counted import CountedOptimizer, check, check_betas, check_lr
from jtorch.optim.optax_op import is_zero
from jtorch.optim.pieces import lerp, mean_square, prepared, shrunk, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of NAdam's transformation."""

    maximize: bool
    decay: bool
    decoupled: bool


class MomentumState(NamedTuple):
    """Products of past momenta, means of gradients and of their squares, a list over the parameters each."""

    mu_product: list
    exp_avg: list
    exp_avg_sq: list


def transformation(options, numbers, steps, dtype):
    """μₜ = β₁(1 - ½·0.96^(tψ)), step -γ / (√v̂ + ε) · ((1-μₜ)g / (1-Πμ) + μₜ₊₁m / (1-Πμ·μₜ₊₁))."""
    lr, beta1, beta2, eps, weight_decay, momentum_decay = numbers

    def momentum(t):
        return beta1 * (1.0 - 0.5 * 0.96 ** (t * momentum_decay))

    def step(grads, state, params):
        means = [lerp(m, g, (1 - beta1).astype(dtype)) for g, m in zip(grads, state.exp_avg, strict=True)]
        squares = [mean_square(v, g, beta2, dtype) for g, v in zip(grads, state.exp_avg_sq, strict=True)]
        out, products = [], []
        for g, m, v, product, t in zip(grads, means, squares, state.mu_product, steps, strict=True):
            now, later = momentum(t), momentum(t + 1)
            # torch: the product is kept in float32, whatever the parameter's dtype.
            product = (product * now.astype(product.dtype)).astype(jnp.float32).astype(jnp.float64)
            root = jnp.sqrt(v / (1 - beta2**t).astype(dtype)) + eps.astype(dtype)
            by_gradient = (-lr * (1 - now) / (1 - product)).astype(dtype)
            by_mean = (-lr * later / (1 - product * later)).astype(dtype)
            out.append(by_gradient * (g / root) + by_mean * (m / root))
            products.append(product)
        return out, products, means, squares

    parts = prepared(options.maximize, options.decay and not options.decoupled, weight_decay, dtype)
    parts.append(stateful(MomentumState, step))
    return optax.chain(*parts, *([shrunk(lr, weight_decay, dtype)] if options.decay and options.decoupled else []))


class NAdam(CountedOptimizer):
    """NAdam: https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html, after Dozat 2016.

    Raises: ValueError for numbers out of range.
    """

    rule = staticmethod(transformation)
    stepping = "params, mu_products and state_steps"
    later = {
        "maximize": False, "foreach": None, "capturable": False, "differentiable": False,
        "decoupled_weight_decay": False,
    }  # fmt: skip

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay: float = 0,
        momentum_decay=4e-3,
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
        check("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _begin(self, name, param, group):
        if name != "mu_product":
            return super()._begin(name, param, group)
        return np.ones((), self._step_place(group, param)[1].numpy)

    def _describe(self, group, params):
        decay = group["weight_decay"]
        options = Options(bool(group["maximize"]), not is_zero(decay), bool(group["decoupled_weight_decay"]))
        numbers = (group["lr"], *group["betas"], group["eps"], decay, group["momentum_decay"])
        return options, numbers, {name: name for name in MomentumState._fields}


@step_function(NAdam, "exp_avg exp_avg_sq mu_product step")
def nadam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    mu_products,
    state_steps,
    decoupled_weight_decay=False,
    foreach=None,
    capturable=False,
    differentiable=False,
    has_complex=False,
    maximize=False,
    *,
    beta1,
    beta2,
    lr,
    weight_decay,
    momentum_decay,
    eps,
):
    """One step of NAdam on lists of tensors, which are changed in place."""
