"""What tests of optimizers may ask for."""

import pytest

from jtorch.engine import program


@pytest.fixture
def quick_compiles(monkeypatch):
    """What an optimizer computes is small: compiling it well costs more than all of its steps."""
    monkeypatch.setattr(program, "QUICK_CALLS", 1 << 20)
