"""The models and steps of `bench.models`, written by hand in JAX and Optax: what jtorch is held against."""

import math

import jax
import jax.numpy as jnp
import optax
from jax import lax


def dense(params, name, x):
    """x Wᵀ + b on the last dim, as one flat matmul: the CPU backend runs a 3-D dot more slowly."""
    w, b = params[f"{name}.weight"], params.get(f"{name}.bias")
    y = x.reshape(-1, x.shape[-1]) @ w
    return (y if b is None else y + b).reshape(*x.shape[:-1], w.shape[1])


def mlp(params, x, shape=None):
    """784 - 512 - 512 - 10 with ReLU."""
    x = jax.nn.relu(dense(params, "0", x))
    x = jax.nn.relu(dense(params, "2", x))
    return dense(params, "4", x)


def conv(params, name, x, padding):
    """A 2-D convolution on (B, H, W, C)."""
    w, b = params[f"{name}.weight"], params[f"{name}.bias"]
    return lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")) + b


def pool(x):
    """2×2 max-pooling on (B, H, W, C), by a reshape: its gradient is cheaper than that of a window reduction."""
    B, H, W, C = x.shape
    return x.reshape(B, H // 2, 2, W // 2, 2, C).max((2, 4))


def lenet(params, x, shape=None):
    """LeNet-5 with ReLU and max-pooling, on (B, 1, 28, 28)."""
    x = x.transpose(0, 2, 3, 1)
    x = pool(jax.nn.relu(conv(params, "0", x, [(2, 2), (2, 2)])))
    x = pool(jax.nn.relu(conv(params, "3", x, "VALID")))
    x = x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)
    x = jax.nn.relu(dense(params, "7", x))
    x = jax.nn.relu(dense(params, "9", x))
    return dense(params, "11", x)


def norm(params, name, x):
    """Layer normalisation of the last dim."""
    centred = x - x.mean(-1, keepdims=True)
    scale = lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5)
    return centred * scale * params[f"{name}.weight"] + params[f"{name}.bias"]


def attention(params, name, x, heads):
    """Causal self-attention, (B, T, width) -> the same."""
    B, T, C = x.shape
    qkv = dense(params, f"{name}.qkv", x).reshape(B, T, 3, heads, C // heads)
    q, k, v = qkv.transpose(2, 0, 3, 1, 4)  # (B, nh, T, hs) each
    scores = jnp.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(C // heads)
    scores = jnp.where(jnp.tril(jnp.ones((T, T), bool)), scores, -jnp.inf)
    mixed = jnp.einsum("bhqk,bhkd->bqhd", jax.nn.softmax(scores), v)
    return dense(params, f"{name}.out", mixed.reshape(B, T, C))


def gpt(params, tokens, shape):
    """A decoder-only Transformer without dropout, (B, T) tokens -> (B·T, vocab) logits."""
    x = params["tok.weight"][tokens] + params["pos"][:, : tokens.shape[1]]
    for i in range(shape.layers):
        name = f"blocks.{i}"
        x = x + attention(params, f"{name}.attn", norm(params, f"{name}.ln1", x), shape.heads)
        hidden = jax.nn.gelu(dense(params, f"{name}.up", norm(params, f"{name}.ln2", x)), approximate=False)
        x = x + dense(params, f"{name}.down", hidden)
    return dense(params, "head", norm(params, "ln", x)).reshape(-1, shape.vocab)


MODELS = {"mlp": mlp, "lenet": lenet, "gpt": gpt}


def from_torch(state):
    """Parameters of the JAX model from torch's, given as NumPy arrays: matrices as (in, out), kernels as HWIO."""
    turned = {}
    for name, value in state.items():
        if value.ndim == 4:
            value = value.transpose(2, 3, 1, 0)
        elif value.ndim == 2 and not name.startswith("tok."):
            value = value.T
        turned[name] = jnp.array(value)
    return turned


def trainer(case, state):
    """`step(i)`: one update on batch i by a jitted step with donated state; returns the loss."""
    model = MODELS[case.name]
    optimizer = _optimizer(case)

    def loss_of(params, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(model(params, x, case.shape), y).mean()

    def update(params, memory, x, y):
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        changes, memory = optimizer.update(grads, memory, params)
        return optax.apply_updates(params, changes), memory, loss

    update = jax.jit(update, donate_argnums=(0, 1))
    params = from_torch(state)
    held = [params, optimizer.init(params)]
    batches = [(jnp.asarray(x), jnp.asarray(y, jnp.int32)) for x, y in case.batches]

    def step(i):
        held[0], held[1], loss = update(held[0], held[1], *batches[i % len(batches)])
        return loss

    return step


def _optimizer(case):
    settings = dict(case.settings)
    if case.optimizer == "SGD":
        return optax.sgd(settings["lr"], momentum=settings["momentum"])
    b1, b2 = settings["betas"]
    return optax.adamw(settings["lr"], b1=b1, b2=b2, weight_decay=settings["weight_decay"])
