"""Step time of an unmodified training loop: jtorch, torch eager and hand-written JAX in turn, same model, same weights.

python -m bench.steps [mlp lenet gpt] [--rounds 9] [--out file.json]
"""

import argparse
import functools
import os
import time

import jax
import numpy as np
import torch

import jtorch
from bench import harness, jax_models, models

WARMUP = 6
RATIOS = (("jtorch", "torch"), ("jtorch", "jax"))


def plainly(step):
    """The step under JAX's own defaults: jtorch has turned 64-bit types on for this process."""

    @functools.wraps(step)
    def run(i):
        with jax.enable_x64(False):
            return step(i)

    return run


def runners(case):
    """{who: step} for the three contenders, all started from torch's initial weights."""
    model, torch_step = models.trainer(torch, case)
    state = {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}
    ours, jtorch_step = models.trainer(jtorch, case)
    ours.load_state_dict({name: jtorch.from_numpy(value.copy()) for name, value in state.items()})
    with jax.enable_x64(False):
        jax_step = jax_models.trainer(case, state)
    return {"torch": torch_step, "jtorch": jtorch_step, "jax": plainly(jax_step)}


def timed(step, count):
    """A block of `count` steps that ends with its last loss read; returns seconds per step."""
    start = time.perf_counter()
    for i in range(count):
        loss = step(i)
    loss.item()
    return (time.perf_counter() - start) / count


def agree(steps):
    """Warm every contender up, and see that they compute the same losses. Raises AssertionError when they do not."""
    losses = {who: [step(i).item() for i in range(WARMUP)] for who, step in steps.items()}
    for who in ("jtorch", "jax"):
        np.testing.assert_allclose(losses[who], losses["torch"], rtol=1e-4, err_msg=f"losses of {who} and torch differ")


def run(case, rounds):
    """Time one case; returns its entry for the JSON file."""
    steps = runners(case)
    agree(steps)
    blocks = {who: functools.partial(timed, step, case.steps) for who, step in steps.items()}
    return harness.report(harness.alternate(blocks, rounds, case.name), "ms", 1e3, RATIOS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=list(models.CASES), help="which of mlp, lenet, gpt")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", help="where the JSON goes; bench/results/steps.json by default")
    args = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    cases = {}
    for name in args.cases:
        cases[name] = run(models.CASES[name], args.rounds)
        print(harness.row(name, cases[name]), flush=True)
    print("kept in", harness.save("steps", cases, args.out))


if __name__ == "__main__":
    main()
