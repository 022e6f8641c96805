"""What loss scaling does to gradients and to its own factor."""

import jax.numpy as jnp

from jtorch.ops.op import Array, Arrays, Input, op


@op("unscale_gradients", door=None, differentiable=False)
def unscale_gradients(grads: Arrays, inverse: Array):
    """The gradients times `inverse`, then whether one of them was not finite, as 1.0 or 0.0."""
    finite = [jnp.isfinite(grad).all() for grad in grads]
    # torch: halves are multiplied in float32, and rounded once.
    scaled = [
        (grad * inverse.astype(jnp.promote_types(grad.dtype, inverse.dtype))).astype(grad.dtype) for grad in grads
    ]
    return *scaled, 1 - jnp.stack(finite).all().astype(inverse.dtype)


@op("next_scale", door=None, differentiable=False)
def next_scale(scale: Array, tracker: Array, found: Array, growth: Input, backoff: Input, interval: Input):
    """(scale, how many steps in a row had finite gradients) for the next step: less at once, more after `interval`."""
    grown = tracker + 1 == interval
    larger = (scale * growth).astype(scale.dtype)
    larger = jnp.where(grown & jnp.isfinite(larger), larger, scale)
    smaller = (scale * backoff).astype(scale.dtype)
    bad = found != 0
    return jnp.where(bad, smaller, larger), jnp.where(bad | grown, 0, tracker + 1).astype(tracker.dtype)
