"""Adafactor: steps by gradients over the root of a mean square that is kept as a row and a column only."""

from typing import NamedTuple

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax

from jtorch._tensor import Tensor
from jtorch.optim.counted import CountedOptimizer
from jtorch.optim.pieces import lerp, prepared, shrunk, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of Adafactor's transformation. factored: whether the parameters have two dims or more."""

    maximize: bool
    factored: bool


class FactoredState(NamedTuple):
    """Mean squares along rows and columns, or of each element, a list over the parameters each."""

    row_var: list
    col_var: list
    variance: list


def transformation(options, numbers, steps, dtype):
    """Step -max(ε₂, RMS θ) min(γ, 1/√t) u / max(1, RMS(u) / d), u = g / √v̂: arXiv:1804.04235."""
    lr, beta2_decay, eps1, eps2, d, weight_decay = numbers
    floor = eps1.astype(dtype)

    def step(grads, state, params):
        out, rows, cols, variances = [], [], [], []
        for i, (g, p, t) in enumerate(zip(grads, params, steps, strict=True)):
            weight = (t**beta2_decay).astype(dtype)
            if options.factored:
                rows.append(lerp(state.row_var[i], jnp.square(g).mean(-1, keepdims=True), weight))
                cols.append(lerp(state.col_var[i], jnp.square(g).mean(-2, keepdims=True), weight))
                estimate = rows[i] * cols[i] / jnp.maximum(rows[i].mean(-2, keepdims=True), floor)
            else:
                estimate = lerp(state.variance[i], g * g, weight)
                variances.append(estimate)
            update = g / jnp.sqrt(jnp.maximum(estimate, floor * floor))
            size = jnp.maximum(eps2, _rms(p)) * jnp.minimum(lr, 1 / jnp.sqrt(t))
            out.append((-size / jnp.maximum(1.0, _rms(update) / d)).astype(dtype) * update)
        return out, rows or state.row_var, cols or state.col_var, variances or state.variance

    parts = prepared(options.maximize, False, None, dtype)
    return optax.chain(*parts, stateful(FactoredState, step), shrunk(lr, weight_decay, dtype))


def _rms(x):
    return jnp.linalg.norm(x.reshape(-1)).astype(jnp.float64) / x.size**0.5


class Adafactor(CountedOptimizer):
    """Adafactor: https://pytorch.org/docs/stable/generated/torch.optim.Adafactor.html, after arXiv:1804.04235.

    Raises: ValueError for numbers out of range; RuntimeError at a step of complex parameters.
    """

    rule = staticmethod(transformation)
    _of_whole_params = True
    later = {"foreach": None}

    def __init__(
        self,
        params,
        lr=1e-2,
        beta2_decay=-0.8,
        eps=(None, 1e-3),
        d=1.0,
        weight_decay=0.0,
        *,
        foreach=None,
        maximize=False,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, group, params):
        super()._check(group, params)
        if any(param.is_complex() for param in params):
            raise RuntimeError("Adafactor does not support complex parameters")

    def _forms(self, group, params, grads):
        forms = []
        for param in params:
            self.state[param]  # the states come in the order of the parameters, whichever form is first
        for factored in (True, False):
            chosen = [i for i, param in enumerate(params) if (param.dim() > 1) == factored]
            if chosen:
                forms.append(([params[i] for i in chosen], [grads[i] for i in chosen]))
        return forms

    def _begin(self, name, param, group):
        shape = list(param.shape)
        if name != "variance":
            shape[-1 if name == "row_var" else -2] = 1
        return np.zeros(shape, param.dtype.numpy)

    def _describe(self, group, params):
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = float(ml_dtypes.finfo(params[0].dtype.numpy).eps)
        factored = params[0].dim() > 1
        names = ("row_var", "col_var") if factored else ("variance",)
        numbers = (group["lr"], group["beta2_decay"], eps1, eps2, group["d"], group["weight_decay"])
        return Options(bool(group["maximize"]), factored), numbers, {name: name for name in names}


@step_function(Adafactor, "row_var col_var variance step")
def adafactor(
    params,
    grads,
    row_vars,
    col_vars,
    variances,
    state_steps,
    foreach=None,
    grad_scale=None,
    found_inf=None,
    has_complex=False,
    *,
    d,
    lr,
    beta2_decay,
    weight_decay,
    eps1,
    eps2,
    maximize,
):
    """One step of Adafactor on lists of tensors, which are changed in place."""
