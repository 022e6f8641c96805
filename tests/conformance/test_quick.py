"""A quick slice of the sweep: every sixth entry in float32 (else in its first dtype), two samples, value and gradient.

What jtorch does not have at all is counted in docs/coverage.md, not here.
"""

import pytest

from tests import gaps
from tests.conformance import counterpart, entries, sweep
from tests.conformance.results import unknown

TOGETHER = 16  # entries in one test: their results are read together, as one program
QUICK = [entry for entry in entries.chosen() if entry.dtypes][::6]
PARTS = range(0, len(QUICK), TOGETHER)
KNOWN = [gap for gap in gaps.read(gaps.FILE) if gap.of_sweep]


@pytest.fixture(autouse=True)
def quick_compiles(monkeypatch):
    """No program of these runs twice."""
    monkeypatch.setattr(sweep.program, "QUICK_CALLS", 1 << 20)


@pytest.mark.parametrize("first", PARTS, ids=lambda first: QUICK[first].name)
def test_entries(first):
    by_dtype = {}
    for entry in QUICK[first : first + TOGETHER]:
        by_dtype.setdefault(entry.dtypes[0], []).append(entry)
    found = {}
    for dtype, some in by_dtype.items():
        found |= sweep.together(some, dtype, most=2, only=("forward", "gradient"))
    assert all(found.values())
    new = unknown(found, KNOWN)
    new = {name: failure for name, failure in new.items() if not counterpart.is_missing(failure)}
    assert not new, "\n\n".join(f"{name}\n{failure}" for name, failure in new.items())
