"""The models and steps of `bench.cases`, written by hand in JAX and Optax: what jtorch is held against."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from bench import jax_image_models
from bench.jax_layers import dense


def mlp(params, x, shape, moved):
    """784 - 512 - 512 - 10 with ReLU."""
    x = jax.nn.relu(dense(params, "0", x))
    x = jax.nn.relu(dense(params, "2", x))
    return dense(params, "4", x)


def norm(params, name, x):
    """Layer normalisation of the last dim, in float32."""
    wide = x.astype(jnp.float32)
    centred = wide - wide.mean(-1, keepdims=True)
    scale = lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5)
    return (centred * scale * params[f"{name}.weight"] + params[f"{name}.bias"]).astype(x.dtype)


def mixed(qkv, heads, causal):
    """Self-attention of projected (B, T, 3 · width) -> (B, T, width)."""
    B, T, C = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    q, k, v = qkv.reshape(B, T, 3, heads, C // heads).transpose(2, 0, 3, 1, 4)  # (B, nh, T, hs) each
    if causal == "fused":
        turned = (a.transpose(0, 2, 1, 3) for a in (q, k, v))
        return jax.nn.dot_product_attention(*turned, is_causal=True).reshape(B, T, C)
    scores = jnp.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(C // heads)
    if causal:
        scores = jnp.where(jnp.tril(jnp.ones((T, T), bool)), scores, -jnp.inf)
    return jnp.einsum("bhqk,bhkd->bqhd", jax.nn.softmax(scores), v).reshape(B, T, C)


def gpt(params, tokens, shape, moved):
    """A decoder-only Transformer without dropout, (B, T) tokens -> (B·T, vocab) logits."""
    x = params["tok.weight"][tokens] + params["pos"][:, : tokens.shape[1]]
    causal = "fused" if shape.fused else True
    for i in range(shape.layers):
        name = f"blocks.{i}"
        qkv = dense(params, f"{name}.attn.qkv", norm(params, f"{name}.ln1", x))
        x = x + dense(params, f"{name}.attn.out", mixed(qkv, shape.heads, causal))
        hidden = jax.nn.gelu(dense(params, f"{name}.up", norm(params, f"{name}.ln2", x)), approximate=False)
        x = x + dense(params, f"{name}.down", hidden)
    return dense(params, "head", norm(params, "ln", x)).reshape(-1, shape.vocab)


def encoder(params, tokens, shape, moved):
    """A Transformer encoder that sorts texts into classes, (B, T) tokens -> (B, 10) logits."""
    x = params["tok.weight"][tokens] + params["pos"]
    for i in range(shape.layers):
        name = f"layers.layers.{i}"
        w, b = params[f"{name}.self_attn.in_proj_weight"], params[f"{name}.self_attn.in_proj_bias"]
        qkv = (x.reshape(-1, shape.width) @ w + b).reshape(*x.shape[:2], -1)
        x = norm(
            params, f"{name}.norm1", x + dense(params, f"{name}.self_attn.out_proj", mixed(qkv, shape.heads, False))
        )
        hidden = jax.nn.relu(dense(params, f"{name}.linear1", x))
        x = norm(params, f"{name}.norm2", x + dense(params, f"{name}.linear2", hidden))
    return dense(params, "head", x.mean(1))


def lstm(params, tokens, shape, moved):
    """A language model of LSTM layers, (T, B) tokens -> (T·B, vocab) logits."""
    x = params["tok.weight"][tokens]
    for i in range(shape.layers):
        z = x.reshape(-1, shape.width) @ params[f"rnn.weight_ih_l{i}"]
        z = (z + params[f"rnn.bias_ih_l{i}"] + params[f"rnn.bias_hh_l{i}"]).reshape(*x.shape[:2], -1)

        def step(state, z, w=params[f"rnn.weight_hh_l{i}"]):
            h, c = state
            i, f, g, o = jnp.split(z + h @ w, 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        start = jnp.zeros((x.shape[1], shape.width))
        x = lax.scan(step, (start, start), z)[1]
    return dense(params, "head", x).reshape(-1, shape.vocab)


MODELS = {
    "mlp": mlp, "gpt": gpt, "encoder": encoder, "lstm": lstm, "lenet": jax_image_models.lenet,
    "resnet": jax_image_models.resnet, "unet": jax_image_models.unet, "vae": jax_image_models.vae,
}  # fmt: skip


def from_torch(state):
    """(parameters, running statistics) from torch's, given as NumPy arrays: matrices as (in, out), kernels as HWIO."""
    params, running = {}, {}
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if value.ndim == 4:
            value = value.transpose(2, 3, 1, 0)
        elif value.ndim == 2 and not name.startswith("tok."):
            value = value.T
        (running if ".running_" in name else params)[name] = jnp.array(value)
    return params, running


# How they are trained.


def _cross_entropy(logits, y):
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def _log(x):
    return jnp.maximum(jnp.log(x), -100)  # as torch's binary cross entropy


def _loss_of(case):
    """The loss of a task: (params, running, x, y) -> (loss, running moved)."""
    model = MODELS[case.model.__name__]
    kind = jnp.bfloat16 if case.precision == "bfloat16" else jnp.float32

    def cast(x):
        return x.astype(kind) if jnp.issubdtype(x.dtype, jnp.floating) else x

    def classes(params, running, x, y):
        moved = {}
        logits = model({**jax.tree.map(cast, params), **running}, cast(x), case.shape, moved)
        return _cross_entropy(logits.astype(jnp.float32), y), moved

    def autoencoder(params, running, x, noise):
        back, mean, spread = model(params, x, noise, {})
        apart = -(x * _log(back) + (1 - x) * _log(1 - back)).sum()
        return apart - 0.5 * (1 + spread - jnp.square(mean) - jnp.exp(spread)).sum(), running

    return {"classes": classes, "autoencoder": autoencoder}[case.task]


def _one_loss(case, optimizer):
    loss_of = _loss_of(case)

    def update(params, running, memory, x, y):
        (loss, running), grads = jax.value_and_grad(loss_of, has_aux=True)(params, running, x, y)
        changes, memory = optimizer.update(grads, memory, params)
        return optax.apply_updates(params, changes), running, memory, loss

    return update


def _adversaries(case, optimizer):
    """The two turns of a DCGAN; memory: the optimiser's of the judge and of the maker."""
    judge, maker = jax_image_models.judge, jax_image_models.maker

    def judged(params, running, x, real):
        moved = dict(running)
        said = judge({**params, **running}, x, moved)
        return -_log(said if real else 1 - said).mean(), moved

    def turn(part, grads, params, memory):
        ours = {name: p for name, p in params.items() if name.startswith(part)}
        changes, memory = optimizer.update({name: grads[name] for name in ours}, memory, ours)
        return {**params, **optax.apply_updates(ours, changes)}, memory

    def update(params, running, memory, real, noise):
        real = real.transpose(0, 2, 3, 1)
        of_judge, of_maker = memory
        (first, running), grads = jax.value_and_grad(judged, has_aux=True)(params, running, real, True)
        moved = dict(running)
        made = maker({**params, **running}, noise, moved)
        (second, moved), more = jax.value_and_grad(judged, has_aux=True)(params, moved, made, False)
        params, of_judge = turn("judge", jax.tree.map(jnp.add, grads, more), params, of_judge)

        def fooled(params):
            return judged(params, moved, maker({**params, **running}, noise, {}), True)

        (third, moved), grads = jax.value_and_grad(fooled, has_aux=True)(params)
        params, of_maker = turn("maker", grads, params, of_maker)
        return params, moved, (of_judge, of_maker), first + second + third

    return update


def trainer(case, state, options=None):
    """`step(i)`: one update on batch i by a jitted step with donated state; returns the loss. options: XLA's."""
    optimizer = _optimizer(case)
    params, running = from_torch(state)
    if case.task == "adversaries":
        update = _adversaries(case, optimizer)
        halves = [{n: p for n, p in params.items() if n.startswith(part)} for part in ("judge", "maker")]
        memory = tuple(optimizer.init(half) for half in halves)
    else:
        update, memory = _one_loss(case, optimizer), optimizer.init(params)
    update = jax.jit(update, donate_argnums=(0, 1, 2), compiler_options=options)
    held = [params, running, memory]
    given = case.batches() if callable(case.batches) else case.batches
    batches = [tuple(jnp.asarray(a, np.int32 if a.dtype == np.int64 else a.dtype) for a in pair) for pair in given]

    def step(i):
        *held[:], loss = update(*held, *batches[i % len(batches)])
        return loss

    return step


def _optimizer(case):
    settings = dict(case.settings)
    lr = settings.pop("lr")
    if case.optimizer == "SGD":
        made = optax.sgd(lr, **settings)
    else:
        b1, b2 = settings.pop("betas", (0.9, 0.999))
        made = {"Adam": optax.adam, "AdamW": optax.adamw}[case.optimizer](lr, b1=b1, b2=b2, **settings)
    return made if case.clip is None else optax.chain(optax.clip_by_global_norm(case.clip), made)
