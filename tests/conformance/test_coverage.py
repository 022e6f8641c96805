"""docs/coverage.md is the page of its own rows, and has a row for every entry that is compared."""

from tests.conformance import coverage
from tests.conformance.results import KINDS


def test_the_page_is_fresh():
    text = coverage.PAGE.read_text()
    rows = coverage.read(text)
    assert list(rows) == coverage.compared()
    assert coverage.page(rows) == text


def test_rows(tmp_path):
    assert coverage.cell({"float32": None, "int64": "differs", "errors": None}) == "f32 errors ✗ i64"
    assert coverage.cell({"float32": "differs", "int64": None}, "f32 f64 ✗ i64") == "f64 i64 ✗ f32"
    made = {"add": [coverage.cell({"float32": None}), *["."] * (len(KINDS) - 1)]}
    assert coverage.read(coverage.page(made)) == made
