"""How benchmarks are run and kept: runners in turn, medians, ratios, and a JSON file with machine and versions."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("jax", "jaxlib", "numpy", "optax", "torch")
RATIOS = (("jtorch", "torch"), ("jtorch", "compile"), ("jtorch", "jax"))


def alternate(runners, rounds, label=""):
    """{name: [seconds]}: each runner once per round, the order turning, so that a slow spell falls on all of them.

    runners: {name: function that does one block of work and returns the seconds that count}.
    """
    times = {name: [] for name in runners}
    names = list(runners)
    for r in range(rounds):
        show(f"{label}: round {r + 1} of {rounds}")
        for name in names[r % len(names) :] + names[: r % len(names)]:
            times[name].append(runners[name]())
    show("")
    return times


def spread(samples):
    """{median, low, high}: low and high are the quartiles."""
    if len(samples) < 2:
        return {"median": samples[0], "low": samples[0], "high": samples[0]}
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def ratio(times, over, under):
    """The spread of over / under, round by round."""
    return spread([a / b for a, b in zip(times[over], times[under], strict=True)])


def report(times, unit, scale, ratios=RATIOS):
    """One case for the JSON file: times in the unit, and the ratios of those pairs that were both timed."""
    return {
        "unit": unit,
        "times": {name: spread([s * scale for s in samples]) for name, samples in times.items()},
        "ratios": {f"{a}/{b}": ratio(times, a, b) for a, b in ratios if {a, b} <= times.keys()},
    }


def row(name, case):
    """One line of text for a case."""
    times = "  ".join(f"{who} {t['median']:9.3f}" for who, t in case["times"].items())
    ratios = "  ".join(
        f"{pair} {r['median']:.2f} [{r['low']:.2f}, {r['high']:.2f}]" for pair, r in case["ratios"].items()
    )
    return f"{name:24} {case['unit']:3} {times}   {ratios}"


def kept(path):
    """The cases that a result file has; none where there is no file."""
    path = Path(path)
    return json.loads(path.read_text())["cases"] if path.exists() else {}


def save(bench, cases, out=None, merge=False):
    """Write the cases with machine and versions; returns the path (bench/results/<bench>.json unless given).

    merge: the file's other cases stay, in their places.
    """
    path = Path(out) if out else RESULTS / f"{bench}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    cases = kept(path) | cases if merge else cases
    document = {
        "bench": bench,
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "machine": machine(),
        "versions": versions(),
        "cases": cases,
    }
    path.write_text(json.dumps(_rounded(document), indent=1) + "\n")
    return path


def machine():
    """Processor, cores and load: what a reader needs to judge the figures."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def cores():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def versions():
    """Python and the packages that are measured."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES}


def show(text):
    """A line of progress that overwrites itself; silent when nobody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def _processor():
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit():
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
