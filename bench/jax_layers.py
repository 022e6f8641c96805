"""Layers that the hand-written JAX models of texts and of images share."""


def dense(params, name, x):
    """x Wᵀ + b on the last dim, as one flat matmul: the CPU backend runs a 3-D dot more slowly."""
    w, b = params[f"{name}.weight"], params.get(f"{name}.bias")
    y = x.reshape(-1, x.shape[-1]) @ w
    return (y if b is None else y + b).reshape(*x.shape[:-1], w.shape[1])
