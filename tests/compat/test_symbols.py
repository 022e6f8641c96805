"""The names that lessons and small programs use of torch: which jtorch has, and the reason for each that it lacks."""

import tomllib
from pathlib import Path

from jtorch.compat.check import has

HERE = Path(__file__).parent
LACKING = tomllib.loads((HERE / "lacking.toml").read_text())
SYMBOLS = (HERE / "symbols.txt").read_text().split()


def test_every_name_is_there_or_has_a_reason():
    assert [name for name in SYMBOLS if not has(name)] == list(LACKING)
    assert len(LACKING) < 0.09 * len(SYMBOLS)
    assert set(LACKING) <= set(SYMBOLS) and all(len(reason) > 5 for reason in LACKING.values())
