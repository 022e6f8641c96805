"""How the time of a GPT's training step grows with batch, width and depth: jtorch, torch eager and hand-written JAX.

python -m bench.growth [batch width depth] [--seconds 1.5] [--out file.json]
"""

import argparse

import torch

from bench import cases, harness, models, steps

BATCH, BASE = 4, cases.Shape(vocab=65, length=64, width=128, heads=4, layers=2)
AXES = {"batch": (1, 4, 16, 64), "width": (64, 128, 256, 512), "depth": (1, 2, 4, 8)}


def case(axis, value):
    """A small GPT whose batch, width or depth is this."""
    batch = value if axis == "batch" else BATCH
    shape = {"batch": BASE, "width": BASE._replace(width=value), "depth": BASE._replace(layers=value)}[axis]
    return cases.Case(f"{axis} {value}", models.gpt, cases.texts(2, batch, shape), "AdamW", cases.ADAMW, 4, shape)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("axes", nargs="*", help=f"which of {', '.join(AXES)}")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each point is timed, its start apart")
    parser.add_argument("--out", help="where the JSON goes; bench/results/growth.json by default")
    args = parser.parse_args()
    torch.set_num_threads(harness.cores())
    for axis in args.axes or AXES:
        for value in AXES[axis]:
            made = case(axis, value)
            entry = steps.run(made, seconds=args.seconds, without=("compile",))
            print(harness.row(made.name, entry), flush=True)
            path = harness.save("growth", {made.name: entry}, args.out, merge=True)
    print("kept in", path)


if __name__ == "__main__":
    main()
