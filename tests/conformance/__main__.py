"""The sweep as a program: `python -m tests.conformance`."""

import argparse
import sys
import time

from tqdm import tqdm

from jtorch.engine import program
from tests import gaps
from tests.conformance import coverage, entries, modules, report, sweep
from tests.conformance.results import FOLDER, Results, closed, unknown


def arguments():
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--only", default="*", help="entries whose name fits this pattern, or one of several: 'a*,b'")
    parser.add_argument("--dtypes", default=",".join((*entries.DTYPES, "errors", "modules")),
                         help="with commas; errors: refusals; modules: torch's list; edges, where asked for: zeros, "
                              "ties, nan")  # fmt: skip
    parser.add_argument("--samples", type=int, default=4, help="at most so many per entry and dtype; 0 is all")
    parser.add_argument("--kinds", help="kinds of calls, with commas: forward, method, inplace, out, gradient, ...")
    parser.add_argument("--shard", default="1/1", help="i/n: the i-th of n parts")
    parser.add_argument("--again", action="store_true", help="also what has results")
    parser.add_argument("--failed", action="store_true", help="again what failed")
    parser.add_argument("--results", default=FOLDER, help="the folder of the results")
    parser.add_argument("--report", action="store_true", help="run nothing, print what the results say")
    parser.add_argument("--coverage", action="store_true", help="run nothing, write docs/coverage.md anew")
    parser.add_argument("--failures", action="store_true", help="print the text of each failure")
    return parser.parse_args()


def wanted(asked, results):
    """[(Entry, dtype)] still to be compared."""
    part, parts = map(int, asked.shard.split("/"))
    every = [
        (entry, dtype)
        for dtype in asked.dtypes.split(",")
        for entry in (modules if dtype == "modules" else entries).chosen(asked.only)[part - 1 :: parts]
        if dtype in ("errors", "modules") or dtype in entry.dtypes
    ]
    found = results.found
    if asked.failed:
        return [(e, d) for e, d in every if any(found.get((e.name, d), {}).values())]
    return [(e, d) for e, d in every if asked.again or (e.name, d) not in found]


TOGETHER = 8  # entries whose results are read together: compiling one program costs less than compiling eight


def sweep_through(asked, results):
    """Compare what is wanted, and note each result at once."""
    kinds = asked.kinds and asked.kinds.split(",")
    todo = wanted(asked, results)
    with tqdm(total=len(todo), mininterval=5, smoothing=0) as bar:
        while todo:
            dtype = todo[0][1]
            batch = [entry for entry, other in todo[:TOGETHER] if other == dtype]
            for name, found in compared(batch, dtype, asked.samples or None, kinds).items():
                results.add(name, dtype, found, time.time())
            del todo[: len(batch)]
            bar.update(len(batch))
            program.clear()


def compared(batch, dtype, most, kinds):
    """{name: {kind: None or failure}} of some entries in one dtype, or of their refusals."""
    if dtype == "modules":
        return {
            layer.name: modules.together([layer.name], most=most, only=kinds or modules.KINDS)[layer.name]
            for layer in batch
        }
    if dtype != "errors":
        try:
            return {name: found for (name, _), found in sweep.together(batch, dtype, most, kinds).items()}
        except Exception:
            if len(batch) > 1:
                return {name: found for entry in batch for name, found in compared([entry], dtype, most, kinds).items()}
            raise
    return {entry.name: sweep.run(entry, dtype, most) for entry in batch}


def main():
    """Run the sweep, print its report; 1 where something fails that no gap names or a gap has closed."""
    asked = arguments()
    results = Results(asked.results, asked.shard.replace("/", "of"))
    if asked.coverage:
        coverage.renew(results)
        return 0
    if not asked.report:
        sweep.hurry()
        sweep_through(asked, results)
    known = [gap for gap in gaps.read(gaps.FILE) if gap.of_sweep]
    sys.stdout.write("\n".join(report.lines(results, asked.failures)) + "\n")
    new, done = unknown(results.found, known), closed(results.found, known)
    if done:
        sys.stdout.write("\nclosed gaps: " + ", ".join(gap.test for gap in done) + "\n")
    return 1 if new or done else 0


if __name__ == "__main__":
    sys.exit(main())
