"""Microseconds of Python per recorded op, beside torch eager running the same op; nothing is executed while we time.

    python -m bench.dispatch [--rounds 15] [--out file.json]

Forward cases record a chain of ops without gradient; "tape" cases record the chain and its backward, and count both
against the ops of the chain. They count the processor time of their thread, which a busy machine does not lengthen.
`lenet record` is a whole training step at batch size 1 (forward, loss, backward, SGD) in wall time.
"""

import argparse
import time

import torch

import jtorch
from bench import cases, harness, image_models

CHAIN = 50
BLOCKS = 6


def chains(lib):
    """{name: function (x, y) -> result of CHAIN ops} for torch or jtorch; x is (8, 8)."""

    def repeat(op):
        def run(x, y):
            for _ in range(CHAIN):
                x = op(x, y)
            return x

        return run

    def views(x, y):
        for _ in range(CHAIN):
            z = x.transpose(0, 1)
        return z

    return {
        "add": repeat(lambda x, y: x + y),
        "mul": repeat(lambda x, y: x * y),
        "scale": repeat(lambda x, y: x * 0.5),
        "relu": repeat(lambda x, y: lib.relu(x)),
        "matmul": repeat(lambda x, y: x @ y),
        "softmax": repeat(lambda x, y: lib.softmax(x, -1)),
        "linear": repeat(lambda x, y: lib.nn.functional.linear(x, y)),
        "transpose": views,
    }


def forward(lib, chain):
    """A block: seconds per op of recording (for torch: running) the chain without gradient."""
    lib.manual_seed(0)
    x, y = lib.rand(8, 8), lib.rand(8, 8) / 8

    def block():
        spent = 0.0
        for _ in range(BLOCKS):
            with lib.no_grad():
                start = time.thread_time()
                result = chain(x, y)
                spent += time.thread_time() - start
            result.sum().item()
        return spent / BLOCKS / CHAIN

    return block


def taped(lib, chain):
    """A block: seconds per op of the chain for recording it with its tape, and then its backward."""
    lib.manual_seed(0)
    x, y = lib.rand(8, 8, requires_grad=True), lib.rand(8, 8) / 8

    def block():
        spent = 0.0
        for _ in range(BLOCKS):
            x.grad = None
            start = time.thread_time()
            chain(x, y).sum().backward()
            spent += time.thread_time() - start
            x.grad.sum().item()
        return spent / BLOCKS / CHAIN

    return block


def lenet(lib):
    """A block: seconds of Python for a whole LeNet step at batch size 1; the program runs outside the timed span."""
    case = cases.Case("lenet", image_models.lenet, cases.images(1, 1, 1, 28, 28), "SGD", cases.SGD, 1)
    _, step = cases.trainer(lib, case)

    def block():
        spent = 0.0
        for _ in range(BLOCKS):
            start = time.perf_counter()
            loss = step(0)
            spent += time.perf_counter() - start
            loss.item()
        return spent / BLOCKS

    return block


def settle(blocks):
    """Compile and warm up before anything counts."""
    for _ in range(2):
        for block in blocks.values():
            block()
    return blocks


def run(rounds):
    """{case: entry for the JSON file}, printed as they come."""
    cases = {}

    def add(name, blocks, unit, scale):
        times = harness.alternate(settle(blocks), rounds, name)
        cases[name] = harness.report(times, unit, scale)
        print(harness.row(name, cases[name]), flush=True)

    for kind, maker in (("forward", forward), ("tape", taped)):
        for name in chains(torch):
            blocks = {"jtorch": maker(jtorch, chains(jtorch)[name]), "torch": maker(torch, chains(torch)[name])}
            add(f"{name} {kind}", blocks, "us", 1e6)
    add("lenet record", {"jtorch": lenet(jtorch), "torch": lenet(torch)}, "ms", 1e3)
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", help="where the JSON goes; bench/results/dispatch.json by default")
    args = parser.parse_args()
    print("kept in", harness.save("dispatch", run(args.rounds), args.out))


if __name__ == "__main__":
    main()
