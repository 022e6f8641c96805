"""Time of programs that have just begun: fresh processes, an empty cache of programs, jtorch beside torch.

    python -m bench.cold [session lengths depth words resnet18 gpt] [--scale 0.05] [--rounds 1] [--out file.json]

`session` is a hundred lines typed and printed, `lengths` an RNN cell over words of 60 lengths, `depth` a model whose
depth is drawn at each step, `words` one whose graph is of its own for each sentence; how long the last three are grows
with --scale, 1 being the whole. `resnet18` and `gpt` are the first step of a training loop, beside torch.compile's and
beside what a bare jax.jit takes for the very same step. `again` is a second process of jtorch that finds what the first
one kept. Imports don't count. The file's other cases stay.
"""

import argparse
import functools
import importlib
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from bench import cases, cold_cases, harness

LOOPS = ("torch", "jtorch", "again")
FIRSTS = ("compile", "bare", "jtorch", "again")
RATIOS = {
    LOOPS: (("jtorch", "torch"), ("again", "torch"), ("again", "jtorch")),
    FIRSTS: (("jtorch", "compile"), ("jtorch", "bare"), ("again", "jtorch")),
}


def work(name, who, scale):
    """(seconds that a case takes in this process, after the imports, what it gives). who: torch, jtorch or compile."""
    lib = importlib.import_module("jtorch" if who == "jtorch" else "torch")
    if name in cold_cases.PROGRAMS:
        lib.set_num_threads(1)  # the ops are so small that more threads only wait for one another
        act = functools.partial(cold_cases.PROGRAMS[name], lib, scale)
    else:
        compiled = lib.compile if who == "compile" else None
        _, step = cases.trainer(lib, cold_cases.FIRST[name], compiled=compiled)
        act = lambda: step(0).item()  # noqa: E731
    start = time.perf_counter()
    found = act()
    return time.perf_counter() - start, found


def runner(name, who, scale, folder):
    """A function that runs a case in a process of its own and returns the seconds it says, and what it computed."""
    at = ["bench.cold_bare", name] if who == "bare" else ["bench.cold", "--work", name, who, str(scale)]
    at = [part.replace("again", "jtorch") for part in at]

    def run():
        if who != "again":
            folder[0] = tempfile.mkdtemp(dir=folder[1])
        kept = {"JTORCH_CACHE_DIR": folder[0], "TORCHINDUCTOR_CACHE_DIR": folder[0], "JTORCH_CACHE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", *at], env=os.environ | kept, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{name} by {who} failed:\n{done.stderr}")
        return [float(word) for word in done.stdout.split()]

    return run


def measured(name, scale, rounds):
    """A case's entry for the JSON file."""
    contenders = LOOPS if name in cold_cases.PROGRAMS else FIRSTS
    times, found = {who: [] for who in contenders}, {}
    with tempfile.TemporaryDirectory() as root:
        folder = [None, root]
        for r in range(rounds):
            for who in contenders:  # `again` comes right after the process whose cache it finds
                harness.show(f"{name} by {who}: round {r + 1} of {rounds}")
                seconds, *found[who] = runner(name, who, scale, folder)()
                times[who].append(seconds)
    harness.show("")
    wanted, *got = [value for who in contenders for value in found[who]]
    np.testing.assert_allclose(got, wanted, rtol=1e-3, err_msg=f"{name}: not all of {[*found]} computed the same")
    return harness.report(times, "s", 1, RATIOS[contenders])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=[*cold_cases.PROGRAMS, *cold_cases.FIRST])
    parser.add_argument("--scale", type=float, default=0.05, help="how much of a loop: 1 for all of it")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", help="where the JSON goes; bench/results/cold.json by default")
    parser.add_argument("--work", nargs=3, metavar=("CASE", "WHO", "SCALE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        name, who, scale = args.work
        print(*work(name, who, float(scale)))
        return
    found = {}
    for name in args.cases:
        found[name] = measured(name, args.scale, args.rounds)
        print(harness.row(name, found[name]), flush=True)
    print("kept in", harness.save("cold", found, args.out, merge=True))


if __name__ == "__main__":
    main()
