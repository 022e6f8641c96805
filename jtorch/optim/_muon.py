"""Muon: steps by the momentum of a matrix with its singular values brought near 1."""

import math
from typing import NamedTuple

import jax.numpy as jnp
import optax
from jax import lax

from jtorch._tensor import Tensor
from jtorch.optim.optax_op import OptaxOptimizer
from jtorch.optim.pieces import lerp, shrunk, stateful
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of Muon's transformation."""

    nesterov: bool
    coefficients: tuple
    count: int
    adjust: str | None


class BufferState(NamedTuple):
    """Means of gradients, a list over the parameters."""

    momentum_buffer: list


def transformation(options, numbers, steps, dtype):
    """b = μb + (1-μ)g, step -γₐ · orthogonal(g + μ(b - g) with Nesterov, else b); weights shrink by 1 - γλ."""
    lr, weight_decay, momentum, eps = numbers

    def step(grads, state, params):
        kept = [lerp(b, g, (1 - momentum).astype(dtype)) for g, b in zip(grads, state.momentum_buffer, strict=True)]
        ahead = kept
        if options.nesterov:
            ahead = [lerp(g, b, momentum.astype(dtype)) for g, b in zip(grads, kept, strict=True)]
        out = []
        for x in ahead:
            rate = (-lr * _ratio(options.adjust, *x.shape)).astype(dtype)
            out.append(rate * orthogonal(x, options.coefficients, options.count, eps).astype(dtype))
        return out, kept

    return optax.chain(stateful(BufferState, step), shrunk(lr, weight_decay, dtype))


def orthogonal(x, coefficients, count, eps):
    """x with singular values near 1, by a quintic Newton-Schulz iteration in bfloat16. Shape: (n, m)."""
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = _rounded(x.astype(jnp.float32).T if tall else x.astype(jnp.float32))
    norm = _rounded(jnp.sqrt(jnp.square(x).sum()))
    x = _rounded(x / jnp.maximum(norm, _rounded(eps.astype(jnp.float32))))

    def turn(_, x):
        gram = _rounded(_product(x, x.T))
        return _rounded(a * x + _product(_rounded(b * gram + c * _product(gram, gram)), x))

    x = lax.fori_loop(0, count, turn, x)
    return x.T if tall else x


def _rounded(x):
    # A cast there and back XLA leaves out; this it does not.
    return lax.reduce_precision(x, exponent_bits=8, mantissa_bits=7)


def _product(x, y):
    return lax.dot(x.astype(jnp.bfloat16), y.astype(jnp.bfloat16), preferred_element_type=jnp.float32)


def _ratio(adjust, n, m):
    """By what the learning rate is adjusted to a matrix of n by m."""
    return 0.2 * math.sqrt(max(n, m)) if adjust == "match_rms_adamw" else math.sqrt(max(1, n / m))


class Muon(OptaxOptimizer):
    """Muon: https://pytorch.org/docs/stable/generated/torch.optim.Muon.html, after https://kellerjordan.github.io/posts/muon.

    Raises: ValueError for numbers below zero, an unknown adjust_lr_fn and parameters that are no matrices.
    """

    rule = staticmethod(transformation)
    _of_whole_params = True

    def __init__(
        self,
        params,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.7750, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 <= momentum:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {param.size()}"
                    )

    def _check(self, group, params):
        super()._check(group, params)
        if any(param.is_complex() for param in params):
            raise RuntimeError("Muon does not support complex parameters")
        if group["ns_steps"] >= 100:
            raise ValueError("Number of steps must be less than 100 for computational efficiency")
        if len(group["ns_coefficients"]) != 3:
            raise ValueError("Coefficients must be a tuple of exactly 3 values")

    def _describe(self, group, params):
        options = Options(
            bool(group["nesterov"]), tuple(group["ns_coefficients"]), group["ns_steps"], group["adjust_lr_fn"]
        )
        numbers = (group["lr"], group["weight_decay"], group["momentum"], group["eps"])
        return options, numbers, {"momentum_buffer": "momentum_buffer"}


@step_function(Muon, "momentum_buffer")
def muon(
    params,
    grads,
    muon_momentum_bufs,
    *,
    foreach=None,
    lr,
    weight_decay,
    momentum,
    nesterov,
    ns_coefficients,
    ns_steps,
    eps,
    adjust_lr_fn,
    has_complex,
):
    """One step of Muon on lists of tensors, which are changed in place."""
