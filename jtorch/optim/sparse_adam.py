"""SparseAdam: Adam on the rows that a sparse gradient has."""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from jtorch._tensor import Tensor
from jtorch.optim.counted import check_betas
from jtorch.optim.optax_op import OptaxOptimizer
from jtorch.optim.pieces import prepared, stateful


class Options(NamedTuple):
    """What decides the form of SparseAdam's transformation."""

    maximize: bool


class MomentState(NamedTuple):
    """Means of gradients and of their squares, a list over parameters each."""

    exp_avg: list
    exp_avg_sq: list


def transformation(options, numbers, steps, dtype):
    """m += (1-β₁)(g - m), v += (1-β₂)(g² - v), step -γ √(1-β₂ᵗ)/(1-β₁ᵗ) · m / (√v + ε)."""
    lr, beta1, beta2, eps = numbers

    def step(grads, state, params):
        means = [m + (g - m) * (1 - beta1).astype(dtype) for g, m in zip(grads, state.exp_avg, strict=True)]
        squares = [v + (g * g - v) * (1 - beta2).astype(dtype) for g, v in zip(grads, state.exp_avg_sq, strict=True)]
        sizes = [(-lr * jnp.sqrt(1 - beta2**t) / (1 - beta1**t)).astype(dtype) for t in steps]
        out = [s * (m / (jnp.sqrt(v) + eps.astype(dtype))) for s, m, v in zip(sizes, means, squares, strict=True)]
        return out, means, squares

    return optax.chain(*prepared(options.maximize, False, 0, dtype), stateful(MomentState, step))


class SparseAdam(OptaxOptimizer):
    """Adam on the rows that a sparse gradient has: https://pytorch.org/docs/stable/generated/torch.optim.SparseAdam.html.

    Rows without a gradient keep their value and their moments. Raises: ValueError for numbers out of their range and
    for complex parameters; RuntimeError at step for dense gradients: use Adam.
    """

    rule = staticmethod(transformation)

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        complex_params = [
            [index, place]
            for index, group in enumerate(self.param_groups)
            for place, parameter in enumerate(group["params"])
            if parameter.is_complex()
        ]
        if complex_params:
            raise ValueError(
                f"Complex params at indices {complex_params}: SparseAdam does not support complex parameters"
            )

    def _can_decide(self):
        return False  # torch: its steps are counted by Python numbers

    def _run(self, parts):
        if any(not grad.is_sparse for _, _, grads in parts for grad in grads):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        super()._run(parts)

    def _take_sparse(self, group, grads):
        return grads

    def _describe(self, group, params):
        numbers = group["lr"], *group["betas"], group["eps"]
        return Options(bool(group["maximize"])), numbers, {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"}

    def _count(self, plan, group, params, states, options):
        plan.ticks += states
        steps = [state.setdefault("step", 0) + 1 for state in states]
        counts = list(dict.fromkeys(steps))
        return list(map(float, counts)), tuple(map(counts.index, steps))

    def _tick(self, ticks):
        for state in ticks:
            state["step"] += 1
