"""Known differences from torch: each entry of tests/gaps.toml makes the tests it names strict expected failures.

    [[gap]]
    test = "tests/ops/test_norm.py::test_layer_norm[bfloat16*]"
    reason = "why jtorch differs here, and what would close it"

`test` is the id pytest prints; `*` stands for any text and `?` for any character, square brackets for themselves. A gap
that closes (its test passes) fails the run, and so does one that names no test, see `unmatched`. Tests that begin with
`conformance::` are comparisons of `python -m tests.conformance`, which looks after them itself.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

FILE = Path(__file__).parent / "gaps.toml"
SWEEP = "conformance::"


@dataclass(frozen=True)
class Gap:
    """One known difference: which tests show it, and why it is there."""

    test: str
    reason: str

    def covers(self, nodeid):
        """Whether the test of this id is one of those the gap names."""
        pattern = re.escape(self.test).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(pattern, nodeid, re.DOTALL) is not None

    @property
    def of_sweep(self):
        """Whether it names comparisons of the sweep, not tests."""
        return self.test.startswith(SWEEP)


def read(path):
    """The gaps in a TOML file; none where there is no file. Raises UsageError for an entry of another form."""
    if not path.exists():
        return []
    document = tomllib.loads(path.read_text())
    gaps = []
    for entry in document.pop("gap", []):
        if set(entry) != {"test", "reason"} or not all(isinstance(v, str) and v.strip() for v in entry.values()):
            raise pytest.UsageError(f"{path}: a gap is a test and a reason, two texts, not {entry}")
        gaps.append(Gap(**entry))
    twice = {gap.test for gap in gaps if sum(gap.test == other.test for other in gaps) > 1}
    if document or twice:
        raise pytest.UsageError(f"{path}: unknown keys {sorted(document)}, tests named twice {sorted(twice)}")
    return gaps


def unmatched(config):
    """The gaps that name no test. Empty where only a part of the tests was asked for: nothing is known then."""
    return config.stash[_UNMATCHED]


_UNMATCHED = pytest.StashKey[list]()


@pytest.hookimpl(tryfirst=True)  # before -k and -m take tests away
def pytest_collection_modifyitems(config, items):
    """Mark the tests that show a known difference, and note the gaps that name none."""
    gaps = [gap for gap in read(config.rootpath / "tests" / "gaps.toml") if not gap.of_sweep]
    used = set()
    for item in items:
        for gap in gaps:
            if gap.covers(item.nodeid):
                used.add(gap)
                item.add_marker(pytest.mark.xfail(reason=gap.reason, strict=True))
    config.stash[_UNMATCHED] = [gap for gap in gaps if gap not in used] if _everything(config) else []


def _everything(config):
    """Whether the whole tests folder was collected."""
    narrowed = ("ignore", "ignore_glob", "deselect", "lf", "failedfirst", "stepwise")
    if any(config.getoption(name, None) for name in narrowed):
        return False
    asked = [
        Path(config.invocation_params.dir, str(arg).partition("::")[0]) for arg in config.args if "::" not in str(arg)
    ]
    return any((config.rootpath / "tests").is_relative_to(path.resolve()) for path in asked)
