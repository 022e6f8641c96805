"""Rprop: steps of a size of their own, which grows while the gradient keeps its sign and shrinks when it turns."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax

from jtorch._tensor import Tensor, aval
from jtorch.optim.counted import CountedOptimizer, check_lr
from jtorch.optim.pieces import prepared, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of Rprop's transformation."""

    maximize: bool


class SizeState(NamedTuple):
    """Gradients of the step before, and step sizes, a list over the parameters each."""

    prev: list
    step_size: list


def transformation(options, numbers, steps, dtype):
    """Size times η⁺ where g · g₋₁ > 0, times η⁻ where < 0, within bounds; step -size · sign g, none where it turned."""
    shrink, grow, least, most = (number.astype(dtype) for number in numbers)

    def step(grads, state, params):
        turns = [jnp.sign(g * p) for g, p in zip(grads, state.prev, strict=True)]
        sizes = [
            jnp.clip(size * jnp.where(turn > 0, grow, jnp.where(turn < 0, shrink, 1)), least, most)
            for turn, size in zip(turns, state.step_size, strict=True)
        ]
        kept = [jnp.where(turn < 0, 0, g) for g, turn in zip(grads, turns, strict=True)]
        return [-jnp.sign(g) * size for g, size in zip(kept, sizes, strict=True)], kept, sizes

    return optax.chain(*prepared(options.maximize, False, None, dtype), stateful(SizeState, step))


class Rprop(CountedOptimizer):
    """Rprop: https://pytorch.org/docs/stable/generated/torch.optim.Rprop.html, after Riedmiller & Braun 1993.

    Raises: ValueError for a learning rate below zero and for etas that do not lie on either side of 1.
    """

    rule = staticmethod(transformation)
    on_xla = (True, True)
    later = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=1e-2,
        etas=(0.5, 1.2),
        step_sizes=(1e-6, 50),
        *,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, name, param, group):
        if name == "prev":
            return super()._begin(name, param, group)
        lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
        return np.full(aval(param).shape, complex(lr, lr) if param.is_complex() else lr, param.dtype.numpy)

    def _describe(self, group, params):
        fields = {"prev": "prev", "step_size": "step_size"}
        return Options(bool(group["maximize"])), (*group["etas"], *group["step_sizes"]), fields


@step_function(Rprop, "prev step_size step")
def rprop(
    params,
    grads,
    prevs,
    step_sizes,
    state_steps,
    foreach=None,
    capturable=False,
    maximize=False,
    differentiable=False,
    has_complex=False,
    *,
    step_size_min,
    step_size_max,
    etaminus,
    etaplus,
):
    """One step of Rprop on lists of tensors, which are changed in place."""
