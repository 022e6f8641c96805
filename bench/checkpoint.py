"""Seconds to save, load and map a checkpoint, and one of plain containers, beside torch on its own file.

    python -m bench.checkpoint [--mib 1024] [--rounds 5] [--out file.json]

Files lie in the page cache: what is compared is the libraries' own work. To look is to read a
number of each tensor: jtorch then gives all of it to its device.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

import jtorch
from bench import harness

EACH = 16  # MiB per tensor


def state(module, mib):
    """A state dict of tensors of 16 MiB."""
    return {f"layer{i}.weight": module.from_numpy(np.full((2048, 2048), i, np.float32)) for i in range(mib // EACH)}


def plain():
    """A vocabulary, numbers and records: what lies in a checkpoint beside tensors."""
    records = [{"step": i, "loss": 1 / (i + 1), "name": f"run {i}", "best": i % 2 == 0} for i in range(20_000)]
    return {"words": {f"word{i}": i for i in range(50_000)}, "losses": [i / 7 for i in range(100_000)], "log": records}


def look(loaded):
    """Read a number of each tensor."""
    return [float(t[0, 0]) for t in loaded.values()]


def timed(act):
    """The seconds that a call takes."""
    start = perf_counter()
    act()
    return perf_counter() - start


def blocks(module, tensors, path):
    """{what is done: the seconds of doing it once} for one library."""
    return {
        "save": lambda: timed(lambda: module.save(tensors, path)),
        "load": lambda: timed(lambda: module.load(path)),
        "load and look": lambda: timed(lambda: look(module.load(path))),
        "mmap": lambda: timed(lambda: module.load(path, mmap=True)),
    }


def run(mib, rounds):
    """{case: entry for the JSON file}, printed as they come."""
    cases = {}
    with tempfile.TemporaryDirectory() as folder:
        by_library = {
            module.__name__: blocks(module, state(module, mib), Path(folder) / f"{module.__name__}.pt")
            for module in (jtorch, torch)
        }
        for act in ("save", "load", "load and look", "mmap"):
            runners = {name: acts[act] for name, acts in by_library.items()}
            for runner in runners.values():
                runner()
            compare(f"{act} {mib} MiB", runners, rounds, cases)
        path, content = Path(folder) / "plain.pt", plain()
        for act in ("save", "load"):
            compare(f"{act} containers", {
                module.__name__: lambda module=module, act=act: timed(
                    lambda: module.save(content, path) if act == "save" else module.load(path)
                )
                for module in (jtorch, torch)
            }, rounds, cases)  # fmt: skip
    return cases


def compare(title, runners, rounds, cases):
    """Time one act in both libraries by turns, note and print it."""
    cases[title] = case = harness.report(harness.alternate(runners, rounds, title), "s", 1)
    print(harness.row(title, case), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", help="where the JSON goes; bench/results/checkpoint.json by default")
    args = parser.parse_args()
    print("kept in", harness.save("checkpoint", run(args.mib, args.rounds), args.out))


if __name__ == "__main__":
    main()
