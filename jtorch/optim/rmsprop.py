"""RMSprop: steps by gradients over the root of their mean square."""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from jtorch.optim.counted import CountedOptimizer, check, check_lr
from jtorch.optim.optax_op import is_zero
from jtorch.optim.pieces import lerp, mean_square, prepared, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of RMSprop's transformation."""

    maximize: bool
    decay: bool
    momentum: bool
    centered: bool


class RootState(NamedTuple):
    """Mean squares, momenta and means of gradients, a list over parameters each."""

    square_avg: list
    momentum_buffer: list
    grad_avg: list


def transformation(options, numbers, steps, dtype):
    """v = αv + (1-α)g², b = μb + g / (√v + ε), step -γb; centered: √(v - m²) of the mean m in place of √v."""
    lr, alpha, eps, weight_decay, momentum = numbers

    def step(grads, state, params):
        squares = [mean_square(v, g, alpha, dtype) for g, v in zip(grads, state.square_avg, strict=True)]
        means, buffers, roots = state.grad_avg, state.momentum_buffer, squares
        if options.centered:
            means = [lerp(m, g, (1 - alpha).astype(dtype)) for g, m in zip(grads, means, strict=True)]
            roots = [v - m * m for v, m in zip(squares, means, strict=True)]
        out = [g / (jnp.sqrt(v) + eps.astype(dtype)) for g, v in zip(grads, roots, strict=True)]
        if options.momentum:
            out = buffers = [momentum.astype(dtype) * b + u for u, b in zip(out, buffers, strict=True)]
        return [(-lr).astype(dtype) * u for u in out], squares, buffers, means

    parts = prepared(options.maximize, options.decay, weight_decay, dtype)
    return optax.chain(*parts, stateful(RootState, step))


class RMSprop(CountedOptimizer):
    """RMSprop: https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html, centered: arXiv:1308.0850.

    Raises: ValueError for numbers below zero.
    """

    rule = staticmethod(transformation)
    on_xla = (True, True)
    later = {
        "momentum": 0, "centered": False, "foreach": None, "maximize": False, "differentiable": False,
        "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        check("epsilon value", eps)
        check("momentum value", momentum)
        check("weight_decay value", weight_decay)
        check("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _describe(self, group, params):
        decay, momentum, centered = group["weight_decay"], group["momentum"], bool(group["centered"])
        options = Options(bool(group["maximize"]), not is_zero(decay), momentum > 0, centered)
        names = ["square_avg"] + ["momentum_buffer"] * options.momentum + ["grad_avg"] * centered
        return options, (group["lr"], group["alpha"], group["eps"], decay, momentum), {name: name for name in names}


@step_function(RMSprop, "square_avg grad_avg momentum_buffer step")
def rmsprop(
    params,
    grads,
    square_avgs,
    grad_avgs,
    momentum_buffer_list,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    lr,
    alpha,
    eps,
    weight_decay,
    momentum,
    centered,
):
    """One step of RMSprop on lists of tensors, which are changed in place."""
