"""What the engine's tests start from: no program known, whatever other tests of this process have compiled."""

import pytest

from jtorch.engine import program


@pytest.fixture(autouse=True)
def no_programs():
    """Forget every program, so that compiles can be counted."""
    program.clear()
