"""The pieces of the learning path print the same under torch and under jtorch."""

from pathlib import Path

import pytest

from tests.scripts import as_jtorch, printed, same_lines
from tests.vision import reference  # noqa: F401  (torchvision can be imported from here on)

FOLDER = Path(__file__).parent / "pieces"
PIECES = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.filterwarnings("ignore")  # torch's own, of its deprecated tracer
def test_the_same_under_torch(name, tmp_path):
    source = (FOLDER / f"{name}.py").read_text()
    expected = printed(source, name, "", tmp_path / "torch")
    actual = printed(as_jtorch(source), name, "", tmp_path / "jtorch")
    assert len(expected) > 3
    same_lines(name, expected, actual)
