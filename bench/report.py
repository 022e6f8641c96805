"""Write docs/benchmarks.md and its plots from bench/results/*.json: `python -m bench.report`, or `make report`."""

import argparse
import json
import statistics
from pathlib import Path

import matplotlib

from bench import harness, plots

DOCS = Path(__file__).parents[1] / "docs"
PAIRS = {"jtorch/torch": "torch eager", "jtorch/compile": "torch.compile", "jtorch/jax": "hand-written JAX"}
NAMES = {"compile": "torch.compile", "torch": "torch eager", "jax": "JAX", "reduce-overhead": "reduce-overhead"}
_COMPILED = """\
`jit` is `jax.jit` of the very program, on the same arrays. Of the 0.94 ms that `mlp of 30 adam` took when it was looked
into, 0.35 ms were the program's call, 0.07 ms the guards, 0.18 ms the handles of its 241 results and putting them in
their places, 0.06 ms gathering and checking its inputs; where the rest goes is not known."""
_BEGUN = """\
A fresh process each; `again` finds what the first one has compiled. `words` and `lengths` compile the first long path
before they can know that no other is like it (0.4 s on a quiet machine), then run their calls at once by NumPy. A step
of `depth` records 26 calls in 0.19 ms and runs a program in 0.1 ms."""
SECTIONS = (
    ("steps", "Training steps on the CPU", "An unmodified loop: forward, backward, optimiser step; float32."),
    ("growth", "How a step grows", "A small GPT, with one of its sizes changed."),
    ("dispatch", "Host time per op", "Python's time per recorded op, in microseconds; torch eager runs the op in it."),
    ("compile", "Host time of a compiled call", _COMPILED),
    ("cold", "Programs that have just begun", _BEGUN),
    ("func", "Transforms", "`torch.func` beside jitted JAX."),
    ("data", "Loaders", "Time per sample that a DataLoader hands out."),
    ("checkpoint", "Checkpoints", "Saving and loading."),
    ("ops", "Single ops", "The 20 that are slowest beside torch eager."),
)
SLOWEST = 20
NOTES = Path(__file__).with_name("notes.md")  # what was tried where a target is missed
INTRODUCTION = """# Benchmarks

`make bench` measures, but for single ops and checkpoints (`python -m bench.ops`, `bench.checkpoint`); `make report`
writes this page from `bench/results/*.json`. Everybody runs in turn, in one process unless it says otherwise; times are
medians, ratios are taken round by round, with quartiles in brackets: all the same where there was one round. **A ratio
below 1 means that the first of the two is faster.**
"""
UNMEASURED = """\
Not measured yet: no GPU was at hand, and `make bench-gpu` has never been run on one. It takes the models above, GPT-2
124M at sequence 1,024 and ResNet-50 at batch 256, these two in float32 with TF32 off and on and in bfloat16 autocast,
beside torch eager, torch.compile (default and reduce-overhead, fused optimiser) and JAX by hand, and writes
`bench/results/steps-cuda.json` with rates, MFU and peak memory."""


def results(folder):
    """{bench: its JSON document} of all files in a folder."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))}


def geometric_means(cases):
    """{pair: geometric mean of its ratio over the cases that have it, how many these are}."""
    found = {}
    for case in cases.values():
        for pair, value in case.get("ratios", {}).items():
            found.setdefault(pair, []).append(value["median"])
    return {pair: (statistics.geometric_mean(values), len(values)) for pair, values in found.items()}


def table(head, rows):
    """A Markdown table, the first column text and the others numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _ratio(value):
    return f"{value['median']:.2f} ({value['low']:.2f}–{value['high']:.2f})" if value else "–"


def timings(cases):
    """The cases as a table: median times, and ratios with their quartiles."""
    timed = {name: case for name, case in cases.items() if case.get("times")}
    who = list(dict.fromkeys(w for case in timed.values() for w in case["times"]))
    pairs = list(dict.fromkeys(p for case in timed.values() for p in case.get("ratios", {})))
    rows = []
    for name, case in timed.items():
        times = [_number(case["times"][w]["median"]) if w in case["times"] else "–" for w in who]
        rows.append([name, case["unit"], *times, *(_ratio(case.get("ratios", {}).get(p)) for p in pairs)])
    for pair, (mean, count) in geometric_means(timed).items():
        if count > 1:
            cells = ["" for _ in who] + [f"**{mean:.2f}**" if p == pair else "" for p in pairs]
            rows.append([f"geometric mean of {count}, {pair}", "", *cells])
    return table(["case", "unit", *(NAMES.get(w, w) for w in who), *pairs], rows)


def absent(cases):
    """A line for each contender that a case lacks, with the reason."""
    reasons = {}
    for name, case in cases.items():
        for who, reason in (case.get("absent") or {}).items():
            reasons.setdefault((who, reason), []).append(name)
    return [f"{NAMES.get(who, who)} is missing for {', '.join(names)}: {why}." for (who, why), names in reasons.items()]


def worst(cases, count):
    """The cases that are slowest against torch eager."""
    order = sorted(cases, key=lambda name: -cases[name]["ratios"].get("jtorch/torch", {"median": 0})["median"])
    return {name: cases[name] for name in order[:count]}


def rates(cases):
    """Tokens or images per second, GFLOP/s, and on a GPU the share of its peak and the most memory held."""
    rows = []
    for name, case in cases.items():
        for who in case["times"] if "per_second" in case else ():
            per = case["per_second"]
            row = [name, NAMES.get(who, who), f"{_number(per[who])} {per['unit']}/s"]
            row.append(_number(case["gflop_per_second"][who]))
            row.append(f"{case['mfu'][who]:.1%}" if case.get("mfu") else "–")
            row.append(str(case["peak_mib"][who]) if case.get("peak_mib") else "–")
            rows.append(row)
    return table(["case", "who", "rate", "GFLOP/s", "MFU", "peak MiB"], rows) if rows else ""


def where(document):
    """One line: when and on what a file was measured."""
    machine, versions = document["machine"], document["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    busy = "**The machine was busy with other work.** " if machine["load"] > 3 * machine["cores"] else ""
    return busy + (
        f"*{document['date']}, commit {document['commit']}; {machine['processor']}, {machine['cores']} cores, load "
        f"{machine['load']} when it was written; {packages}.*"
    )


def gpu(found):
    """The part about GPUs."""
    lines = ["## Training steps on a GPU", ""]
    document = found.get("steps-cuda")
    if document is None:
        return [*lines, UNMEASURED]
    names = {case.get("device") for case in document["cases"].values()}
    lines += [f"On {', '.join(sorted(filter(None, names)))}.", "", timings(document["cases"]), ""]
    return [*lines, rates(document["cases"]), "", *absent(document["cases"]), "", where(document)]


def page(found):
    """The text of docs/benchmarks.md."""
    lines = [INTRODUCTION]
    for bench, title, text in SECTIONS:
        document = found.get(bench)
        if document is None or not any(case.get("times") for case in document["cases"].values()):
            continue
        cases = document["cases"]
        lines += [f"## {title}", "", text, ""]
        if bench in plots.PLOTS:
            lines += [f"![{title}](benchmarks-{bench}.svg)", ""]
        lines += [timings(worst(cases, SLOWEST) if bench == "ops" else cases), ""]
        if bench == "ops":
            mean, count = geometric_means(cases)["jtorch/torch"]
            lines += [f"Geometric mean of all {count} cases: {mean:.2f}.", ""]
        lines += [line for reason in absent(cases) for line in (reason, "")]
        lines += [where(document), ""]
        if bench == "steps":
            lines += [NOTES.read_text().strip(), "", *gpu(found), ""]
    return "\n".join(lines).rstrip() + "\n"


def write(folder, docs):
    """Write the page and the plots; returns the path of the page."""
    found = results(folder)
    docs.mkdir(parents=True, exist_ok=True)
    for bench, draw in plots.PLOTS.items():
        if bench in found:
            draw(found[bench]["cases"], docs / f"benchmarks-{bench}.svg")
    path = docs / "benchmarks.md"
    path.write_text(page(found))
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=harness.RESULTS)
    parser.add_argument("--docs", type=Path, default=DOCS)
    args = parser.parse_args()
    matplotlib.use("svg")
    print("written to", write(args.results, args.docs))


if __name__ == "__main__":
    main()
