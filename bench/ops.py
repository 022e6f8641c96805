"""Time per op, jtorch beside torch: forward, and forward with backward.

    [taskset -c 0] python -m bench.ops [add conv2d ...] [--sizes small medium large] [--rounds 7] [--update]

On one core (`taskset -c 0`) processor time counts, which a busy machine does not lengthen: how good the code is that
XLA makes of an op. On several cores time itself counts, with the threads that both sides take by themselves.
A small or medium op is timed as one of many in a program, as in a training step: calls on different inputs are recorded
and run together. `read` is one small op whose result is read at once: what a program costs, whatever is in it.
Memory that is freed stays with the process.
The ten greatest ratios are listed at the end.
"""

import argparse
import functools
import time

import jax
import numpy as np
import torch

import jtorch
from bench import harness
from bench.op_cases import CASES, SIZES
from jtorch import _tensor

CALLS = (32, 8, 1)  # of an op in a program, by size
ROUND = 0.02  # seconds that the repeats of a round take in all
CLOCK = time.process_time if harness.cores() == 1 else time.perf_counter
WORST = 10


def wait(lib, tensors):
    """Until the tensors are computed."""
    if lib is jtorch:
        jax.block_until_ready([_tensor.value(t) for t in tensors])


class Call:
    """The inputs of one call, of which floats require a gradient, and a cotangent of its result."""

    def __init__(self, lib, case, size, number):
        draw = np.random.default_rng(number)
        arrays = case.make(draw, size)
        self.args = [lib.from_numpy(a.copy()).requires_grad_(case.grad and a.dtype == np.float32) for a in arrays]
        self.leaves = [a for a in self.args if a.requires_grad]
        with lib.no_grad():
            shape = case.run(lib, *self.args).shape
        self.cotangent = lib.from_numpy(draw.standard_normal(tuple(shape), dtype=np.float32))


def forward(lib, case, given):
    """Every call once, without a gradient."""
    with lib.no_grad():
        results = [case.run(lib, *call.args) for call in given]
    wait(lib, results)
    return results


def backward(lib, case, given):
    """Every call once, and its gradients."""
    results, grads = [], []
    for call in given:
        result = case.run(lib, *call.args)
        results.append(result)
        grads += lib.autograd.grad(result, call.leaves, call.cotangent)
    wait(lib, [*results, *grads])
    return [*results, *grads]


def read(lib, case, given):
    """The first call alone, read at once."""
    with lib.no_grad():
        return [case.run(lib, *given[0].args).detach().numpy()]


def seconds(block, calls, repeats):
    """Time per call of a block of work, the best of its repeats: so a thread's wait for a core does not count."""
    best = float("inf")
    for _ in range(repeats):
        start = CLOCK()
        block()
        best = min(best, CLOCK() - start)
    return best / calls


def agree(case, blocks):
    """Warm both up, and see that they compute the same. Raises AssertionError when they do not."""
    results = {who: [np.asarray(x.detach()) if hasattr(x, "detach") else x for x in block()]
               for who, block in blocks.items()}  # fmt: skip
    for ours, theirs in zip(results["jtorch"], results["torch"], strict=True):
        if case.settled:
            scale = np.abs(theirs.astype(np.float64)).max(initial=1.0)
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * scale, err_msg=case.name)


def measure(case, size, kind, rounds):
    """The entry of one case for the JSON file."""
    calls = 1 if kind is read else CALLS[size]
    blocks = {}
    for who, lib in (("jtorch", jtorch), ("torch", torch)):
        given = [Call(lib, case, size, number) for number in range(calls)]
        blocks[who] = functools.partial(kind, lib, case, given)
    agree(case, blocks)
    timed = {}
    for who, block in blocks.items():
        block()
        once = min(seconds(block, 1, 1) for _ in range(3))
        timed[who] = functools.partial(seconds, block, calls, max(1, round(ROUND / once)))
    return harness.report(harness.alternate(timed, rounds, case.name), "us", 1e6)


def kinds(case, size):
    """{label: how it is timed}."""
    found = {"forward": forward} | ({"backward": backward} if case.grad else {})
    return found | ({"read": read} if size == 0 else {})


def worst(cases):
    """[name, ratio] of the ops that are slowest against torch, without those that are read at once."""
    ratios = {name: case["ratios"]["jtorch/torch"]["median"] for name, case in cases.items() if "read" not in name}
    return sorted(ratios.items(), key=lambda item: -item[1])[:WORST]


def run(names, sizes, rounds):
    """{case: entry for the JSON file}, printed as they come."""
    cases = {}
    for name in names:
        for size in map(SIZES.index, sizes):
            for label, kind in kinds(CASES[name], size).items():
                key = f"{name} {SIZES[size]} {label}"
                cases[key] = measure(CASES[name], size, kind, rounds)
                print(harness.row(key, cases[key]), flush=True)
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(CASES), help="which ops; all by default")
    parser.add_argument("--sizes", nargs="*", default=SIZES, choices=SIZES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="where the JSON goes; bench/results/ops.json by default")
    parser.add_argument("--update", action="store_true", help="keep the other cases of that file")
    args = parser.parse_args()
    cases = run(args.names, args.sizes, args.rounds)
    if args.update:
        cases = harness.kept(args.out or harness.RESULTS / "ops.json") | cases
    for name, ratio in worst(cases):
        print(f"{name:48} {ratio:.2f}")
    print("kept in", harness.save("ops", cases, args.out))


if __name__ == "__main__":
    main()
