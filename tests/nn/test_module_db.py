"""A quick slice of torch's list of modules: each on one of its samples; `make conformance` takes more."""

import pytest

from tests import gaps
from tests.conformance import modules, sweep
from tests.conformance.results import unknown

TOGETHER = 10  # modules in one test: their results are read together, as one program
DEEP = ("nn.Transformer", "nn.MultiheadAttention", "nn.RNN", "nn.GRU", "nn.LSTM")  # one at a time
NAMES = [name for name in modules.INFOS if not name.startswith(DEEP) or name.endswith("Cell")]
PARTS = [NAMES[first : first + TOGETHER] for first in range(0, len(NAMES), TOGETHER)]
PARTS += [[name] for name in modules.INFOS if name not in NAMES]
KNOWN = [gap for gap in gaps.read(gaps.FILE) if gap.of_sweep]


@pytest.fixture(autouse=True)
def quick_compiles(monkeypatch):
    """No program of these runs twice."""
    monkeypatch.setattr(sweep.program, "QUICK_CALLS", 1 << 20)


@pytest.mark.parametrize("names", PARTS, ids=lambda names: names[0])
def test_modules(names):
    found = modules.together(names, most=1)
    found = {(name, "modules"): kinds for name, kinds in found.items()}
    assert all(found.values())
    new = unknown(found, KNOWN)
    assert not new, "\n\n".join(f"{name}\n{failure}" for name, failure in new.items())
