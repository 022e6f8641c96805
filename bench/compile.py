"""What a call of a compiled step costs on the host, beside the plain step and beside the bare `jax.jit` of its program.

    python -m bench.compile [--rounds 15] [--out file.json]

The models are so small that next to nothing is computed. `jit` is jax.jit of the very program that the compiled step
replays, on the same arrays, its results put in their places by nobody. `plain` is the step without jtorch.compile.
"""

import argparse
import functools
import time

import jax
import jax.numpy as jnp
import numpy as np

import jtorch
from bench import harness

RATIOS = (("compiled", "jit"), ("plain", "compiled"))
CALLS = 60


def mlp(layers, width=4):
    """A row of linear layers and ReLUs."""
    nn = jtorch.nn
    return nn.Sequential(*[layer for _ in range(layers) for layer in (nn.Linear(width, width), nn.ReLU())])


def lenet():
    """LeNet's layers, on images of 4 by 4."""
    nn = jtorch.nn
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(2, 2, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4),
    )  # fmt: skip


def train(make, optimizer, x, **settings):
    """(a training step, its arguments)."""
    jtorch.manual_seed(0)
    model = make()
    chosen = getattr(jtorch.optim, optimizer)(model.parameters(), **settings)
    criterion = jtorch.nn.CrossEntropyLoss()

    def step(x, y):
        chosen.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        chosen.step()
        return loss

    return step, (x, jtorch.tensor([1]))


def evaluate(make, x):
    """(a model's call without gradient, its arguments)."""
    jtorch.manual_seed(0)
    model = make().eval()

    def step(x):
        with jtorch.no_grad():
            return model(x)

    return step, (x,)


def cases():
    """{name: function that makes (step, arguments)}."""
    row, image = jtorch.ones(1, 4), jtorch.ones(1, 1, 4, 4)
    return {
        "mlp eval": lambda: evaluate(functools.partial(mlp, 3), row),
        "mlp sgd": lambda: train(functools.partial(mlp, 3), "SGD", row, lr=0.01, momentum=0.9),
        "mlp adam": lambda: train(functools.partial(mlp, 3), "Adam", row),
        "lenet sgd": lambda: train(lenet, "SGD", image, lr=0.01, momentum=0.9),
        "mlp of 30 adam": lambda: train(functools.partial(mlp, 30), "Adam", row),
    }


def bare(found):
    """A call of jax.jit of a program; what it gives up is taken from its own results."""
    donated = [i + 1 for i, (slot, _) in enumerate(found.inputs) if slot in found.donated]
    call = jax.jit(found._replay, donate_argnums=donated, keep_unused=True)
    arrays = [jnp.zeros(a.shape, a.dtype.numpy) for _, a in found.inputs]
    numbers = jnp.zeros(found.path[-1].numbers, np.float64)
    outs = call(numbers, *[jnp.array(a) for a in arrays])
    taken, home = set(), {}
    for i in donated:
        home[i - 1] = next(n for n, o in enumerate(outs) if n not in taken and o.aval == arrays[i - 1].aval)
        taken.add(home[i - 1])
    held = list(arrays)

    def step():
        outs = call(numbers, *held)
        for place, n in home.items():
            held[place] = outs[n]
        return outs

    return step


def block(step, finish):
    """Seconds of this thread's processor time per call."""

    def run():
        start = time.thread_time()
        for _ in range(CALLS):
            out = step()
        spent = time.thread_time() - start
        finish(out)
        return spent / CALLS

    return run


def run(rounds):
    """{case: entry for the JSON file}, printed as they come."""
    made = {}
    for name, make in cases().items():
        step, args = make()
        twin, twin_args = make()
        fast = jtorch.compile(twin)
        for _ in range(4):
            step(*args)
            out = fast(*twin_args)
        jtorch.cuda.synchronize() if jtorch.cuda.is_available() else out.sum().item()
        fast(*twin_args)
        found = fast.recordings()[0].program
        calls = {
            "compiled": block(lambda f=fast, a=twin_args: f(*a), lambda out: out.sum().item()),
            "plain": block(lambda f=step, a=args: f(*a), lambda out: out.sum().item()),
            "jit": block(bare(found), lambda outs: outs[0].block_until_ready()),
        }
        for call in calls.values():
            call()
        made[name] = harness.report(harness.alternate(calls, rounds, name), "us", 1e6, RATIOS)
        print(harness.row(name, made[name]), flush=True)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", help="where the JSON goes; bench/results/compile.json by default")
    args = parser.parse_args()
    print("kept in", harness.save("compile", run(args.rounds), args.out))


if __name__ == "__main__":
    main()
