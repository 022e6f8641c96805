"""Adam: steps by the mean and the mean square of past gradients."""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from jtorch._tensor import Tensor
from jtorch.optim.counted import CountedOptimizer, check, check_betas, check_lr
from jtorch.optim.optax_op import is_zero
from jtorch.optim.pieces import lerp, mean_square, prepared, shrunk
from jtorch.optim.step_functions import step_function


class Options(NamedTuple):
    """What decides the form of Adam's transformation; the numbers move freely."""

    maximize: bool
    decay: bool
    decoupled: bool
    amsgrad: bool


class MomentState(NamedTuple):
    """Means of gradients and of their squares, and the largest of the latter (AMSGrad), a list over parameters each."""

    exp_avg: list
    exp_avg_sq: list
    max_exp_avg_sq: list


def transformation(options, numbers, steps, dtype):
    """Adam and AdamW as an Optax transformation. Decoupled decay is -γλθ, else λθ joins the gradient."""
    lr, beta1, beta2, eps, weight_decay = numbers
    parts = prepared(options.maximize, options.decay and not options.decoupled, weight_decay, dtype)
    parts.append(step_by_moments(lr, beta1, beta2, eps, steps, options.amsgrad, dtype))
    if options.decay and options.decoupled:
        parts.append(shrunk(lr, weight_decay, dtype))
    return optax.chain(*parts)


def step_by_moments(lr, beta1, beta2, eps, steps, amsgrad, dtype):
    """m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g², step -γ m̂ / (√v̂ + ε): https://arxiv.org/abs/1412.6980.

    Unlike optax.scale_by_adam every parameter has its step, and (1-β) and 1-βᵗ are worked out in float64, as in torch.
    """

    def init(params):
        zeros = [jnp.zeros_like(p) for p in params]
        return MomentState(zeros, zeros, zeros if amsgrad else [])

    def update(updates, state, params=None):
        means = [lerp(m, g, (1 - beta1).astype(dtype)) for g, m in zip(updates, state.exp_avg, strict=True)]
        squares = [mean_square(v, g, beta2, dtype) for g, v in zip(updates, state.exp_avg_sq, strict=True)]
        largest = list(map(jnp.maximum, state.max_exp_avg_sq, squares)) if amsgrad else []
        out = []
        for m, v, t in zip(means, largest or squares, steps, strict=True):
            size = (-lr / (1 - beta1**t)).astype(dtype)
            root = jnp.sqrt(1 - beta2**t).astype(dtype)
            out.append(size * m / (jnp.sqrt(v) / root + eps.astype(dtype)))
        return out, MomentState(means, squares, largest)

    return optax.GradientTransformation(init, update)


class Adam(CountedOptimizer):
    """Adam: https://pytorch.org/docs/stable/generated/torch.optim.Adam.html.

    Raises: ValueError for numbers out of range, and for a Tensor lr with foreach=True where not capturable.
    """

    rule = staticmethod(transformation)
    later = {
        "amsgrad": False, "maximize": False, "foreach": None, "capturable": False, "differentiable": False,
        "decoupled_weight_decay": False, "fused": None,
    }  # fmt: skip

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay: float = 0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        _check_lr(lr, foreach and not capturable)
        check("epsilon value", eps)
        check_betas(betas)
        check("weight_decay value", weight_decay)
        _check_betas(betas, foreach and not capturable)
        defaults = {
            "lr": lr,
            "betas": tuple(b.squeeze() if isinstance(b, Tensor) else b for b in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        self._check_fused(foreach, differentiable, fused)

    def _take_sparse(self, group, grads):
        raise RuntimeError("Adam does not support sparse gradients, please consider SparseAdam instead")

    def _describe(self, group, params):
        beta1, beta2 = group["betas"]
        decay = group["weight_decay"]
        options = Options(
            bool(group["maximize"]),
            not is_zero(decay),
            bool(group["decoupled_weight_decay"]),
            bool(group["amsgrad"]),
        )
        names = MomentState._fields if options.amsgrad else MomentState._fields[:2]
        return options, (group["lr"], beta1, beta2, group["eps"], decay), {name: name for name in names}

    def _check(self, group, params):
        super()._check(group, params)
        if group["foreach"] and isinstance(group["lr"], Tensor) and not group["capturable"]:
            raise RuntimeError("lr as a Tensor is not supported for capturable=False and foreach=True")


def _check_lr(lr, foreach):
    if isinstance(lr, Tensor) and foreach:
        raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
    check_lr(lr)


def _check_betas(betas, foreach):
    if not any(isinstance(betas[0], kind) and isinstance(betas[1], kind) for kind in (float, Tensor)):
        raise ValueError("betas must be either both floats or both Tensors")
    for i in (0, 1):
        if isinstance(betas[i], Tensor):
            if foreach:
                raise ValueError(f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True")
            if betas[i].numel() != 1:
                raise ValueError(f"Tensor betas[{i}] must be 1-element")


@step_function(Adam, "exp_avg exp_avg_sq max_exp_avg_sq step")
def adam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    max_exp_avg_sqs,
    state_steps,
    foreach=None,
    capturable=False,
    differentiable=False,
    fused=None,
    grad_scale=None,
    found_inf=None,
    has_complex=False,
    decoupled_weight_decay=False,
    *,
    amsgrad,
    beta1,
    beta2,
    lr,
    weight_decay,
    eps,
    maximize,
):
    """One step of Adam on lists of tensors, which are changed in place."""
