"""Time of a call of torch.func's transforms: jtorch, torch eager and jax.jit of the same thing in JAX, in turn.

    python -m bench.func [samples ensemble hessian kernel] [--rounds 9] [--out file.json]

samples: gradients of each of 256 samples. ensemble: 16 models on one batch, forward and backward. hessian: of a
network's output for each of a batch of inputs. kernel: the empirical neural tangent kernel of two batches. Networks and
batches are arguments everywhere: JAX would make constants of what a jitted function captures. A call costs jtorch 1 to
2 ms of Python, which a jitted function does not; below some 10 ms a call that is what is measured.
"""

import argparse
import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import torch

import jtorch
from bench import harness
from bench.steps import plainly

WIDTHS = (64, 256, 256, 10)
CALLS = 4  # in one block


def data():
    """Weights of 16 networks, and batches, as NumPy arrays."""
    draw = np.random.default_rng(0)

    def normal(*shape):
        return draw.standard_normal(shape).astype(np.float32)

    sizes = list(zip(WIDTHS[:-1], WIDTHS[1:], strict=True))
    weights = [normal(16, n, m) / np.float32(m**0.5) for m, n in sizes]
    return weights, normal(256, WIDTHS[0]), draw.integers(0, WIDTHS[-1], 256)


def network(tanh, weights, x):
    """A perceptron; works on Tensors and arrays alike. Shape: (..., 64) -> (..., 10)."""
    for w in weights[:-1]:
        x = tanh(x @ w.T)
    return x @ weights[-1].T


def of_torch(lib):
    """{case: a call that returns a list of tensors} for torch or jtorch."""
    func, weights, x, y = lib.func, *_tensors(lib)
    one = [w[0].clone() for w in weights]
    net = functools.partial(network, lib.tanh)

    def loss(weights, x, y):
        return lib.nn.functional.cross_entropy(net(weights, x), y)

    samples = func.vmap(func.grad(loss), in_dims=(None, 0, 0))
    ensemble = func.grad(lambda weights: func.vmap(loss, in_dims=(0, None, None))(weights, x, y).sum())
    hessian = func.vmap(func.hessian(lambda x: net(one, x)[0]))
    rows = func.vmap(func.jacrev(net), in_dims=(None, 0))

    def kernel():
        pairs = zip(rows(one, x[:32]), rows(one, x[32:64]), strict=True)
        return [sum(lib.einsum("Naf,Mbf->NMab", a.flatten(2), b.flatten(2)) for a, b in pairs)]

    return {
        "samples": lambda: samples(one, x, y),
        "ensemble": lambda: ensemble(weights),
        "hessian": lambda: [hessian(x)],
        "kernel": kernel,
    }


def _tensors(lib):
    weights, x, y = data()
    return [lib.from_numpy(w.copy()) for w in weights], lib.from_numpy(x), lib.from_numpy(y)


def of_jax():
    """{case: the same calls as jitted JAX}."""
    weights, x, y = data()
    weights, x, y = [jnp.asarray(w) for w in weights], jnp.asarray(x), jnp.asarray(y, jnp.int32)
    one = [w[0] for w in weights]
    net = functools.partial(network, jnp.tanh)

    def loss(weights, x, y):
        scores = jax.nn.log_softmax(net(weights, x))
        return -scores[y] if scores.ndim == 1 else -jnp.take_along_axis(scores, y[:, None], 1).mean()

    samples = jax.jit(jax.vmap(jax.grad(loss), (None, 0, 0)))
    ensemble = jax.jit(jax.grad(lambda weights, x, y: jax.vmap(loss, (0, None, None))(weights, x, y).sum()))
    hessian = jax.jit(jax.vmap(jax.hessian(lambda one, x: net(one, x)[0], argnums=1), (None, 0)))
    rows = jax.vmap(jax.jacrev(net), (None, 0))

    @jax.jit
    def kernel(one, a, b):
        pairs = zip(rows(one, a), rows(one, b), strict=True)
        flat = [(a.reshape(*a.shape[:2], -1), b.reshape(*b.shape[:2], -1)) for a, b in pairs]
        return [sum(jnp.einsum("Naf,Mbf->NMab", a, b) for a, b in flat)]

    return {
        "samples": lambda: samples(one, x, y),
        "ensemble": lambda: ensemble(weights, x, y),
        "hessian": lambda: [hessian(one, x)],
        "kernel": lambda: kernel(one, x[:32], x[32:64]),
    }


def timed(call):
    """A block of calls, each waited for (Tensors are JAX pytrees, torch's are there); returns seconds per call."""
    start = time.perf_counter()
    for _ in range(CALLS):
        found = jax.block_until_ready(call())  # held until there is the next: its memory is not given back before
    del found
    return (time.perf_counter() - start) / CALLS


def contenders():
    """{who: {case: call}}."""
    with jax.enable_x64(False):
        ours = of_jax()
    return {
        "torch": of_torch(torch),
        "jtorch": of_torch(jtorch),
        "jax": {name: plainly(call) for name, call in ours.items()},
    }


def agree(calls):
    """Call every contender a few times and see that they agree. Raises AssertionError when they do not."""
    for _ in range(3):
        found = {who: [np.asarray(x) for x in call()] for who, call in calls.items()}
    for who in ("jtorch", "jax"):
        for one, other in zip(found[who], found["torch"], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4, err_msg=f"{who} and torch differ")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=["samples", "ensemble", "hessian", "kernel"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", help="where the JSON goes; bench/results/func.json by default")
    args = parser.parse_args()
    torch.set_num_threads(harness.cores())
    everyone, cases = contenders(), {}
    for name in args.cases:
        calls = {who: everyone[who][name] for who in everyone}
        agree(calls)
        blocks = {who: functools.partial(timed, call) for who, call in calls.items()}
        cases[name] = harness.report(harness.alternate(blocks, args.rounds, name), "ms", 1e3)
        print(harness.row(name, cases[name]), flush=True)
    print("kept in", harness.save("func", cases, args.out))


if __name__ == "__main__":
    main()
