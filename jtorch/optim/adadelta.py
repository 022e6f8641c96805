"""Adadelta: steps by gradients scaled with the root mean squares of past steps and of past gradients."""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from jtorch.optim.counted import CountedOptimizer, check, check_lr
from jtorch.optim.optax_op import is_zero
from jtorch.optim.pieces import mean_square, prepared, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of Adadelta's transformation."""

    maximize: bool
    decay: bool


class DeltaState(NamedTuple):
    """Mean squares of gradients and of steps, a list over the parameters each."""

    square_avg: list
    acc_delta: list


def transformation(options, numbers, steps, dtype):
    """v = ρv + (1-ρ)g², δ = √(u + ε) / √(v + ε) · g, u = ρu + (1-ρ)δ², step -γδ."""
    lr, rho, eps, weight_decay = numbers

    def step(grads, state, params):
        squares = [mean_square(v, g, rho, dtype) for g, v in zip(grads, state.square_avg, strict=True)]
        floor = eps.astype(dtype)
        deltas = [
            jnp.sqrt(u + floor) / jnp.sqrt(v + floor) * g
            for g, u, v in zip(grads, state.acc_delta, squares, strict=True)
        ]
        moved = [mean_square(u, d, rho, dtype) for d, u in zip(deltas, state.acc_delta, strict=True)]
        return [(-lr).astype(dtype) * d for d in deltas], squares, moved

    return optax.chain(*prepared(options.maximize, options.decay, weight_decay, dtype), stateful(DeltaState, step))


class Adadelta(CountedOptimizer):
    """Adadelta: https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html, after arXiv:1212.5701.

    Raises: ValueError for numbers below zero and for rho above 1.
    """

    rule = staticmethod(transformation)
    on_xla = (False, False)
    later = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=1.0,
        rho=0.9,
        eps=1e-6,
        weight_decay: float = 0,
        foreach=None,
        *,
        capturable=False,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check("epsilon value", eps)
        check("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _describe(self, group, params):
        options = Options(bool(group["maximize"]), not is_zero(group["weight_decay"]))
        fields = {"square_avg": "square_avg", "acc_delta": "acc_delta"}
        return options, (group["lr"], group["rho"], group["eps"], group["weight_decay"]), fields


@step_function(Adadelta, "square_avg acc_delta step")
def adadelta(
    params,
    grads,
    square_avgs,
    acc_deltas,
    state_steps,
    capturable=False,
    foreach=None,
    differentiable=False,
    has_complex=False,
    *,
    lr,
    rho,
    eps,
    weight_decay,
    maximize,
):
    """One step of Adadelta on lists of tensors, which are changed in place."""
