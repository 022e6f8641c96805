"""What the sweep has found, on disk: a line of JSON per entry and dtype, so that a run goes on where it was stopped."""

import json
from collections import defaultdict
from pathlib import Path

from tests import gaps

FOLDER = Path(__file__).parents[2] / ".conformance"
KINDS = (
    "forward", "method", "operator", "inplace", "inplace operator", "out", "gradient", "gradgrad", "errors", "messages",
)  # fmt: skip


class Results:
    """{(entry, dtype): {kind: None or the first failure}}, read from a folder; what is added is written at once."""

    def __init__(self, folder=FOLDER, part="all"):
        self.folder = Path(folder)
        self.file = self.folder / f"{part}.jsonl"
        self.found = {}
        lines = [line for path in self.folder.glob("*.jsonl") for line in path.read_text().splitlines()]
        for row in sorted(map(json.loads, lines), key=lambda row: row["at"]):
            self.found[row["entry"], row["dtype"]] = row["kinds"]

    def add(self, entry, dtype, kinds, at):
        """Note what one entry gave in one dtype. at: the time, since the later of two counts."""
        self.found[entry, dtype] = kinds
        self.folder.mkdir(exist_ok=True)
        with self.file.open("a") as file:
            file.write(json.dumps({"entry": entry, "dtype": dtype, "kinds": kinds, "at": at}) + "\n")

    def per_kind(self):
        """{kind: {entry: {dtype: None or failure}}}."""
        table = defaultdict(lambda: defaultdict(dict))
        for (entry, dtype), kinds in self.found.items():
            for kind, failure in kinds.items():
                table[kind][entry][dtype] = failure
        return table


def identity(entry, dtype, kind):
    """The name of one comparison in tests/gaps.toml."""
    return f"{gaps.SWEEP}{entry}-{dtype}-{kind}"


def unknown(found, known):
    """The failures among {(entry, dtype): {kind: failure}} that no gap names: {identity: failure}."""
    failures = {identity(e, d, k): f for (e, d), kinds in found.items() for k, f in kinds.items() if f}
    return {name: failure for name, failure in failures.items() if not any(gap.covers(name) for gap in known)}


def closed(found, known):
    """The gaps that name comparisons which were made, none of which fails any more."""
    made = {identity(e, d, k): f for (e, d), kinds in found.items() for k, f in kinds.items()}
    covered = {gap: [failure for name, failure in made.items() if gap.covers(name)] for gap in known}
    return [gap for gap, failures in covered.items() if failures and not any(failures)]
