"""Pieces of which several optimizers' transformations are made."""

import jax.numpy as jnp
import optax


def prepared(maximize, decay, weight_decay, dtype):
    """What comes first: the gradient with its sign turned, if to maximize; plus λθ, where there is decay."""
    parts = [optax.scale(-1)] if maximize else []
    if decay:
        parts.append(optax.add_decayed_weights(weight_decay.astype(dtype)))
    return parts


def shrunk(lr, weight_decay, dtype):
    """Decoupled decay: torch scales by 1 - γλ as rounded to the parameter's dtype; the difference from 1 is exact."""
    return optax.add_decayed_weights((1 - lr * weight_decay).astype(dtype) - 1)


def stateful(State, step):
    """An Optax transformation with a list over the parameters per field of its state.

    step(gradients, state, params) gives the updates and the new fields, lists each.
    """

    def init(params):
        return State(*([jnp.zeros_like(p) for p in params] for _ in State._fields))

    def update(updates, state, params=None):
        updates, *fields = step(updates, state, params)
        return updates, State(*fields)

    return optax.GradientTransformation(init, update)


def mean_square(old, g, keep, dtype):
    """keep · old + (1 - keep) g²."""
    return keep.astype(dtype) * old + (1 - keep).astype(dtype) * g * g


def lerp(start, end, weight):
    """start + weight (end - start)."""
    # torch: goes from the nearer end, so that a weight of 1 gives `end` exactly.
    return jnp.where(weight < 0.5, start + weight * (end - start), end - (end - start) * (1 - weight))
