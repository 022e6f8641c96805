"""The models of `bench.image_models` written by hand in JAX, channels last; running statistics come back in a dict."""

import jax
import jax.numpy as jnp
from jax import lax

from bench.image_models import block_sizes
from bench.jax_layers import dense

LAST = ("NHWC", "HWIO", "NHWC")


def conv(params, name, x, padding=0, stride=1):
    """A 2-D convolution on (B, H, W, C)."""
    w, b = params[f"{name}.weight"], params.get(f"{name}.bias")
    around = [(padding, padding)] * 2
    y = lax.conv_general_dilated(x, w, (stride, stride), around, dimension_numbers=LAST)
    return y if b is None else y + b


def turned_conv(params, name, x, padding=0, stride=1):
    """A transposed convolution on (B, H, W, C)."""
    w, b = params[f"{name}.weight"], params.get(f"{name}.bias")
    around = [(w.shape[0] - 1 - padding,) * 2] * 2
    y = lax.conv_transpose(x, w, (stride, stride), around, dimension_numbers=LAST, transpose_kernel=True)
    return y if b is None else y + b


def batch_norm(params, name, x, moved):
    """Batch normalisation of (B, H, W, C); the running statistics go into `moved`."""
    wide = x.astype(jnp.float32)
    mean = wide.mean((0, 1, 2))
    var = jnp.square(wide - mean).mean((0, 1, 2))
    count = x.size // x.shape[-1]
    for kind, value in (("mean", mean), ("var", var * count / (count - 1))):
        key = f"{name}.running_{kind}"
        moved[key] = 0.9 * moved.get(key, params[key]) + 0.1 * value
    out = (wide - mean) * lax.rsqrt(var + 1e-5) * params[f"{name}.weight"] + params[f"{name}.bias"]
    return out.astype(x.dtype)


def pool(x):
    """2x2 max-pooling on (B, H, W, C), by a reshape: its gradient is cheaper than that of a window reduction."""
    B, H, W, C = x.shape
    return x.reshape(B, H // 2, 2, W // 2, 2, C).max((2, 4))


def lenet(params, x, shape, moved):
    """LeNet-5 with ReLU and max-pooling, on (B, 1, 28, 28)."""
    x = x.transpose(0, 2, 3, 1)
    x = pool(jax.nn.relu(conv(params, "0", x, 2)))
    x = pool(jax.nn.relu(conv(params, "3", x)))
    x = x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)
    x = jax.nn.relu(dense(params, "7", x))
    x = jax.nn.relu(dense(params, "9", x))
    return dense(params, "11", x)


def resnet(params, x, shape, moved):
    """A ResNet, on (B, 3, H, W)."""
    x = x.transpose(0, 2, 3, 1)
    large = shape.size > 64
    x = jax.nn.relu(batch_norm(params, "norm", conv(params, "conv", x, *((3, 2) if large else (1, 1))), moved))
    if large:
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), [(0, 0), (1, 1), (1, 1), (0, 0)])
    for i, (convs, inside, outside, stride) in enumerate(block_sizes(shape)):
        y, name = x, f"blocks.{i}"
        for k, (_, kernel, step) in enumerate(convs):
            y = batch_norm(params, f"{name}.norms.{k}", conv(params, f"{name}.convs.{k}", y, kernel // 2, step), moved)
            y = jax.nn.relu(y) if k + 1 < len(convs) else y
        if stride != 1 or inside != outside:
            x = batch_norm(params, f"{name}.short.1", conv(params, f"{name}.short.0", x, 0, stride), moved)
        x = jax.nn.relu(y + x)
    return dense(params, "head", x.mean((1, 2)))


def vae(params, x, noise, moved):
    """A variational autoencoder: (what it makes of x, mean, spread)."""
    h = jax.nn.relu(dense(params, "hidden", x))
    mean, spread = dense(params, "mean", h), dense(params, "spread", h)
    z = mean + jnp.exp(0.5 * spread) * noise
    return jax.nn.sigmoid(dense(params, "out", jax.nn.relu(dense(params, "back", z)))), mean, spread


def maker(params, noise, moved):
    """The generator of a DCGAN, (B, noise, 1, 1) -> (B, 64, 64, 3)."""
    x = noise.transpose(0, 2, 3, 1)
    for i in range(4):
        x = turned_conv(params, f"maker.{3 * i}", x, *((1, 2) if i else (0, 1)))
        x = jax.nn.relu(batch_norm(params, f"maker.{3 * i + 1}", x, moved))
    return jnp.tanh(turned_conv(params, "maker.12", x, 1, 2))


def judge(params, x, moved):
    """The discriminator of a DCGAN, (B, 64, 64, 3) -> (B,)."""
    x = jax.nn.leaky_relu(conv(params, "judge.0", x, 1, 2), 0.2)
    for i in (2, 5, 8):
        x = batch_norm(params, f"judge.{i + 1}", conv(params, f"judge.{i}", x, 1, 2), moved)
        x = jax.nn.leaky_relu(x, 0.2)
    return jax.nn.sigmoid(conv(params, "judge.11", x)).reshape(-1)


def unet(params, x, shape, moved):
    """A U-Net with batch normalisation, (B, 3, *) -> (B, *, classes)."""

    def double(name, x):
        for i in (0, 3):
            x = jax.nn.relu(batch_norm(params, f"{name}.{i + 1}", conv(params, f"{name}.{i}", x, 1), moved))
        return x

    seen = [double("first", x.transpose(0, 2, 3, 1))]
    for i in range(shape.levels):
        seen.append(double(f"down.{i}", pool(seen[-1])))
    x = seen.pop()
    for i in range(shape.levels):
        x = double(f"merge.{i}", jnp.concatenate([seen.pop(), turned_conv(params, f"up.{i}", x, 0, 2)], -1))
    return conv(params, "head", x)
