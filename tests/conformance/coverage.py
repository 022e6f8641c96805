"""docs/coverage.md: what of torch's op database passes, entry by entry, from the results of the sweep.

The page is its own memory: entries without new results keep the row they have, so any part of the sweep renews it.
"""

import tomllib
from pathlib import Path

from tests.conformance import entries
from tests.conformance.results import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
NAMES = Path(__file__).parents[1] / "compat"
HEAD = """# What of torch passes

Every entry of torch 2.13's op database, on up to 4 of torch's own samples, beside torch on the CPU. Made by
`python -m tests.conformance --coverage` from what `make conformance` found; do not edit. A cell names the dtypes that
pass, those that fail after a cross; `.` is not compared yet, or not a thing that torch has. Tolerances are torch's own.
Results in half or single precision that differ are held to torch's in double precision: they must be as near to these
as torch's tolerance, or torch itself, is.
"""
SHORT = {"float32": "f32", "float64": "f64", "int64": "i64", "bool": "b", "complex64": "c64", "bfloat16": "bf16",
         "float16": "f16", "errors": "errors"}  # fmt: skip


def cell(outcomes, was="."):
    """{dtype: None or failure} as text: `f32 i64 ✗ f64`. was: the old text, which stands for the other dtypes."""
    bad = was.partition("✗")[2].split()
    failing = {d: short in bad for d, short in SHORT.items() if short in was.split()}
    failing |= {d: bool(failure) for d, failure in outcomes.items()}
    passed = " ".join(SHORT[d] for d in SHORT if failing.get(d) is False)
    failed = " ".join(SHORT[d] for d in SHORT if failing.get(d))
    return f"{passed} ✗ {failed}".strip() if failed else passed or "."


def rows(results, old):
    """{entry: its cells}; what has no results is the old page's."""
    table = results.per_kind()
    made = {}
    for name in compared():
        before = old.get(name, ["."] * len(KINDS))
        made[name] = [cell(table[kind].get(name, {}), was) for kind, was in zip(KINDS, before, strict=True)]
    return made


def compared():
    """The names of the entries that are not left out."""
    return [entry.name for entry in entries.everything().values() if entry.left_out is None]


def read(text):
    """The rows of a page."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {name.strip("`"): cells for name, *cells in lines if len(cells) == len(KINDS)}


def page(made):
    """The page of some rows."""
    lines = [HEAD, "| | entries that pass | compared |", "|---|---|---|"]
    for i, kind in enumerate(KINDS):
        seen = [cells[i] for cells in made.values() if cells[i] != "."]
        lines.append(f"| {kind} | {sum('✗' not in c for c in seen)} | {len(seen)} |")
    lines += ["", "Entries that pass, of those compared, in each dtype:", ""]
    lines += [f"| | {' | '.join(SHORT.values())} |", "|---" * (len(SHORT) + 1) + "|"]
    for i, kind in enumerate(KINDS):
        lines.append(
            f"| {kind} | {' | '.join(_share([cells[i] for cells in made.values()], s) for s in SHORT.values())} |"
        )
    lines += ["", f"| entry | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 1) + "|"]
    lines += [f"| `{name}` | {' | '.join(cells)} |" for name, cells in made.items()]
    lines += ["", "Left out, with the reason:", ""]
    lines += [f"- `{e.name}`: {e.left_out}" for e in entries.everything().values() if e.left_out]
    lines += ["", *_names()]
    return "\n".join(lines) + "\n"


def _names():
    """What of the names that lessons and small programs use is not there, with the reasons."""
    lacking = tomllib.loads((NAMES / "lacking.toml").read_text())
    count = len((NAMES / "symbols.txt").read_text().split())
    yield "## Names"
    yield ""
    yield f"Of {count} names of torch and torchvision that lessons and small programs use, {count - len(lacking)} are"
    yield "there. These are not (`python -m jtorch check` finds them in a program):"
    yield ""
    for reason in dict.fromkeys(lacking.values()):
        yield f"- {', '.join(f'`{name}`' for name, why in lacking.items() if why == reason)}: {reason}"


def _share(cells, dtype):
    """How many of a column's cells name a dtype as one that passes, of those that name it: `630 of 661`."""
    passed, failed = zip(*(cell.partition("✗")[::2] for cell in cells), strict=True)
    counts = [sum(dtype in names.split() for names in part) for part in (passed, failed)]
    return f"{counts[0]} of {sum(counts)}" if any(counts) else "."


def renew(results):
    """Write the page anew."""
    old = read(PAGE.read_text()) if PAGE.exists() else {}
    PAGE.write_text(page(rows(results, old)))
