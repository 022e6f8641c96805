"""Clipping of gradients, by norm and by value, in one recorded op per device."""

import types
import warnings

from jtorch._tensor import Tensor
from jtorch.api.construct import tensor
from jtorch.autograd.apply import call
from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.inplace import update
from jtorch.shards.dtensor import DTensor
from jtorch.shards.norms import norm_over_ranks
from jtorch.sparse.tensor import refuse

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _by_device(tensors):
    groups = {}
    for t in tensors:
        groups.setdefault(t.device, []).append(t)
    return groups


def _listed(tensors):
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _plain_norm(tensors, norm_type):
    norms = [call("each_norm", group, norm_type) for group in _by_device(tensors).values()]
    if len(norms) > 1:
        norms = [call("cat", [n.to(norms[0].device) for n in norms])]
    return call("whole_norm", norms[0], norm_type)


@no_grad()
def get_total_norm(tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None):
    """The norm of all tensors together, as if they were one vector. Shape: -> ().

    Raises: RuntimeError for a norm that is inf or nan, if error_if_nonfinite; that reads it, and so runs what is
    pending.
    """
    tensors = _listed(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return tensor(0.0)
    refuse("linalg_vector_norm", tensors)
    if isinstance(tensors[0], DTensor):
        total = norm_over_ranks(tensors, norm_type)  # torch: all are DTensors then
    else:
        total = _plain_norm(tensors, norm_type)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(parameters, max_norm: float, total_norm, foreach: bool | None = None) -> None:
    """Scale the gradients of the parameters, in place, by min(1, max_norm / (total_norm + 1e-6))."""
    grads = [p.grad for p in _listed(parameters) if p.grad is not None]
    grads = [g.raw[1] if g.is_sparse else g for g in grads]
    for device, group in _by_device(grads).items():
        update("clip_by_norm", group, group, total_norm.to(device), float(max_norm))


@no_grad()
def clip_grad_norm_(
    parameters,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
):
    """Scale the gradients, in place, so that their norm together is at most max_norm. Returns the norm before.

    Raises: RuntimeError for a norm that is inf or nan, if error_if_nonfinite.
    """
    listed = _listed(parameters)
    if isinstance(parameters, types.GeneratorType) and not listed:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    grads = [p.grad for p in listed if p.grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The old name of `clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters, clip_value: float, foreach: bool | None = None) -> None:
    """Keep every element of the gradients, in place, within [-clip_value, clip_value]."""
    grads = [p.grad for p in _listed(parameters) if p.grad is not None]
    refuse("clamp_" if foreach is False else "clamp_min_", grads)
    for group in _by_device(grads).values():
        update("clip_by_value", group, group, float(clip_value))
