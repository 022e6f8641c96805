"""SGD: stochastic gradient descent, with momentum."""

from typing import NamedTuple

import jax
import optax

from jtorch._tensor import Tensor
from jtorch.optim.optax_op import OptaxOptimizer, is_zero
from jtorch.optim.pieces import prepared
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of SGD's transformation; the numbers move freely.

    cut: whether the momentum starts with this step, and the graph ends there.
    """

    maximize: bool
    decay: bool
    momentum: bool
    dampening: bool
    nesterov: bool
    cut: bool


def transformation(options, numbers, firsts, dtype):
    """SGD as an Optax transformation: g = ∇f + λθ, b = μb + (1-τ)g, step -γ(g + μb) with Nesterov, else -γb.

    firsts: 1 for a parameter whose momentum starts with this step, else 0; only where there is dampening.
    """
    lr, momentum, dampening, weight_decay = numbers
    parts = prepared(options.maximize, options.decay, weight_decay, dtype)
    if options.dampening:
        # torch: the first step's gradient enters the momentum whole.
        parts.append(scale_each([(1 - dampening * (1 - first)).astype(dtype) for first in firsts]))
    if options.cut:
        parts.append(begun(momentum.astype(dtype), options.nesterov))
    elif options.momentum:
        parts.append(optax.trace(momentum.astype(dtype), options.nesterov))
    parts.append(optax.scale((-lr).astype(dtype)))
    return optax.chain(*parts)


def begun(momentum, nesterov):
    """optax.trace's first step, with no gradient through the momentum."""

    def update(updates, state, params=None):
        # torch: it begins as a detached copy of the gradient, by which the parameters are stepped, too.
        held = jax.tree.map(jax.lax.stop_gradient, updates)
        ahead = jax.tree.map(lambda g, b: g + momentum * b, updates, held) if nesterov else held
        return ahead, optax.TraceState(trace=held)

    return optax.GradientTransformation(optax.trace(momentum).init, update)


def scale_each(factors):
    """Optax transformation: scale the update of each parameter by a factor of its own."""

    def update(updates, state, params=None):
        return jax.tree.map(lambda u, f: u * f, updates, factors), state

    return optax.GradientTransformation(optax.init_empty_state, update)


class SGD(OptaxOptimizer):
    """Stochastic gradient descent: https://pytorch.org/docs/stable/generated/torch.optim.SGD.html.

    Raises: ValueError for numbers below zero, and for Nesterov momentum with dampening or without momentum.
    """

    rule = staticmethod(transformation)

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        self._check_fused(foreach, differentiable, fused)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("differentiable", False)
            group.setdefault("fused", False)
        for held in self.state.values():
            # torch: older versions saved a buffer of None where none was begun.
            if held.get("momentum_buffer", self) is None:
                del held["momentum_buffer"]
            elif "momentum_buffer" in held:
                held["momentum_buffer"] = held["momentum_buffer"].to_dense()

    def _take_sparse(self, group, grads):
        if group["fused"]:
            raise RuntimeError("`_fused_sgd` does not support sparse gradients")
        if not is_zero(group["weight_decay"]):
            raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
        # torch: the momentum of sparse gradients is sparse, and grows until it has as many values as the parameter.
        return grads if is_zero(group["momentum"]) else [g.to_dense() for g in grads]

    def _describe(self, group, params):
        momentum, dampening = group["momentum"], group["dampening"]
        moving = not is_zero(momentum)
        cut = moving and bool(self.defaults["differentiable"]) and "momentum_buffer" not in self.state[params[0]]
        options = Options(
            bool(group["maximize"]),
            not is_zero(group["weight_decay"]),
            moving,
            moving and not is_zero(dampening),
            bool(group["nesterov"]),
            cut,
        )
        fields = {"momentum_buffer": "trace"} if moving else {}
        return options, (group["lr"], momentum, dampening, group["weight_decay"]), fields

    def _forms(self, group, params, grads):
        if not self.defaults["differentiable"] or is_zero(group["momentum"]):
            return super()._forms(group, params, grads)
        held = ["momentum_buffer" in self.state[param] for param in params]
        return [
            tuple([x for x, has in zip(xs, held, strict=True) if has is kind] for xs in (params, grads))
            for kind in (True, False)
            if kind in held
        ]

    def _can_decide(self):
        # With dampening a parameter's first step differs, and which one that is hangs on what was skipped.
        damped = [g for g in self.param_groups if not is_zero(g["momentum"]) and not is_zero(g["dampening"])]
        moved = [p for g in damped for p in g["params"] if p.grad is not None]
        return all("momentum_buffer" in self.state[p] for p in moved) and super()._can_decide()

    def _count(self, plan, group, params, states, options):
        if not options.dampening:
            return [], ()
        firsts = ["momentum_buffer" not in state for state in states]
        values = list(dict.fromkeys(firsts))
        return [float(v) for v in values], tuple(values.index(first) for first in firsts)


@step_function(SGD, "momentum_buffer")
def sgd(
    params,
    d_p_list,
    momentum_buffer_list,
    has_sparse_grad=False,
    foreach=None,
    fused=None,
    grad_scale=None,
    found_inf=None,
    *,
    weight_decay,
    momentum,
    lr,
    dampening,
    nesterov,
    maximize,
):
    """One step of SGD on lists of tensors, which are changed in place."""
