"""Adagrad: steps by gradients over the root of the sum of their squares."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax

from jtorch._tensor import aval, from_host
from jtorch.optim.counted import CountedOptimizer, check, check_lr
from jtorch.optim.optax_op import is_zero
from jtorch.optim.pieces import prepared, stateful
from jtorch.optim.step_functions import step_function
from jtorch.shards.dtensor import part_like


class Options(NamedTuple):
    """What decides the form of Adagrad's transformation."""

    maximize: bool
    decay: bool


class SumState(NamedTuple):
    """Sums of squared gradients, a list over the parameters."""

    sum: list


def transformation(options, numbers, steps, dtype):
    """s = s + g², step -γ / (1 + (t-1)η) · g / (√s + ε)."""
    lr, lr_decay, eps, weight_decay = numbers

    def step(grads, state, params):
        sums = [s + g * g for g, s in zip(grads, state.sum, strict=True)]
        rates = [(-lr / (1 + (t - 1) * lr_decay)).astype(dtype) for t in steps]
        out = [r * (g / (jnp.sqrt(s) + eps.astype(dtype))) for r, g, s in zip(rates, grads, sums, strict=True)]
        return out, sums

    return optax.chain(*prepared(options.maximize, options.decay, weight_decay, dtype), stateful(SumState, step))


class Adagrad(CountedOptimizer):
    """Adagrad: https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html, after Duchi, Hazan & Singer 2011.

    The state is there from the start. Raises: ValueError for numbers below zero.
    """

    rule = staticmethod(transformation)
    later = {"foreach": None, "maximize": False, "differentiable": False, "fused": None}

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        check_lr(lr)
        check("lr_decay value", lr_decay)
        check("weight_decay value", weight_decay)
        check("initial_accumulator_value value", initial_accumulator_value)
        check("epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        self._check_fused(foreach, differentiable, fused)
        for group in self.param_groups:
            for param in group["params"]:
                state = self.state[param]
                state["step"] = self._new_step(group, param)
                state["sum"] = part_like(from_host(self._begin("sum", param, group), device=param.device), param)

    def _begin(self, name, param, group):
        start = group["initial_accumulator_value"]
        return np.full(aval(param).shape, complex(start, start) if param.is_complex() else start, param.dtype.numpy)

    def share_memory(self):
        """Keep the state where it is: memory is not shared between processes."""

    def _take_sparse(self, group, grads):
        if group["fused"]:
            raise RuntimeError("`fused` does not support sparse grad or complex param")
        if not is_zero(group["weight_decay"]):
            raise RuntimeError("weight_decay option is not compatible with sparse gradients")
        return grads

    def _describe(self, group, params):
        options = Options(bool(group["maximize"]), not is_zero(group["weight_decay"]))
        return options, (group["lr"], group["lr_decay"], group["eps"], group["weight_decay"]), {"sum": "sum"}


@step_function(Adagrad, "sum step")
def adagrad(
    params,
    grads,
    state_sums,
    state_steps,
    fused=None,
    grad_scale=None,
    found_inf=None,
    has_sparse_grad=False,
    foreach=None,
    differentiable=False,
    has_complex=False,
    *,
    lr,
    weight_decay,
    lr_decay,
    eps,
    maximize,
):
    """One step of Adagrad on lists of tensors, which are changed in place."""
