"""Hold two result files against each other: `python -m bench.compare before.json after.json` exits 1 on a regression.

Ratios (jtorch to torch, jtorch to hand-written JAX) are compared: they hold on a busy machine, and from one machine to
the next. It is a regression when the median has grown by more than the tolerance and the quartiles no longer overlap.
"""

import argparse
import json
import sys
from pathlib import Path

TOLERANCE = 0.05


def figures(document):
    """{case and pair: spread} of all ratios; where a case has none, of its times."""
    found = {}
    for name, case in document["cases"].items():
        for pair, value in (case["ratios"] or case["times"]).items():
            found[f"{name} {pair}"] = value
    return found


def verdict(before, after, tolerance=TOLERANCE):
    """ "worse", "better" or "same"."""
    grown = after["median"] / before["median"]
    if grown > 1 + tolerance and after["low"] > before["high"]:
        return "worse"
    if grown < 1 - tolerance and after["high"] < before["low"]:
        return "better"
    return "same"


def compare(before, after, tolerance=TOLERANCE):
    """(lines to print, how many are worse). A figure that has gone counts as worse."""
    old, new = figures(before), figures(after)
    lines, worse = [], 0
    for name, value in old.items():
        if name not in new:
            lines.append(f"{name:40} gone")
            worse += 1
            continue
        word = verdict(value, new[name], tolerance)
        worse += word == "worse"
        lines.append(f"{name:40} {value['median']:9.3f} -> {new[name]['median']:9.3f}  {word}")
    lines += [f"{name:40} {'':9} -> {new[name]['median']:9.3f}  new" for name in new if name not in old]
    return lines, worse


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="growth of the median that is let pass")
    args = parser.parse_args()
    lines, worse = compare(json.loads(args.before.read_text()), json.loads(args.after.read_text()), args.tolerance)
    print("\n".join(lines))
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
