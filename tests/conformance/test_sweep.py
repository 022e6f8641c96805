"""The sweep itself: it finds what is wrong, and jtorch's side of every kind of callable; its tables are in order."""

import fnmatch
import operator

import pytest
import torch

import jtorch
from tests.conformance import counterpart, entries, report, sweep
from tests.conformance.results import Results, closed, unknown
from tests.gaps import Gap

EVERY = entries.everything()


@pytest.mark.parametrize("part", ["left_out", "shape_only", "ties", "ambiguous"])
def test_every_line_of_the_table_names_an_entry(part):
    assert [p for p in entries.TABLE[part] if not fnmatch.filter(EVERY, p)] == []
    assert all(reason.strip() for reason in entries.TABLE[part].values())


def test_counterparts():
    assert counterpart.find(torch.add) is jtorch.add
    assert counterpart.find(torch.Tensor.add_) is jtorch.Tensor.add_
    assert counterpart.find(torch.nn.functional.relu) is jtorch.nn.functional.relu
    assert counterpart.find(operator.add) is operator.add
    over_jtorch = counterpart.find(EVERY["polygamma/polygamma_n_1"].info.op)
    assert isinstance(over_jtorch(jtorch.ones(2), n=1), jtorch.Tensor)
    with pytest.raises(counterpart.NoCounterpart):
        counterpart.find(torch.ops.aten.slice.Tensor)


def test_what_is_right_passes():
    found = sweep.run(EVERY["add"], "float64", most=2)
    assert set(found) == {"forward", "method", "operator", "inplace", "inplace operator", "out", "gradient", "gradgrad"}
    assert not any(found.values())


def test_what_is_wrong_fails(monkeypatch):
    def wrong(input, other, *, alpha=1, out=None):
        return input + other * (alpha + 1e-3)

    monkeypatch.setattr(jtorch, "add", wrong)
    found = sweep.run(EVERY["add"], "float64", most=2)
    assert {kind for kind, failure in found.items() if failure} == {"forward", "out", "gradient"}


def test_a_missing_function_fails(monkeypatch):
    monkeypatch.delattr(jtorch, "add")
    found = sweep.run(EVERY["add"], "int64", most=1)
    assert "jtorch has no add" in found["forward"] and found["method"] is None


def test_refusals(monkeypatch):
    assert sweep.run(EVERY["gather"], "errors").keys() == {"errors", "messages"}
    monkeypatch.setattr(jtorch, "gather", lambda *args, **kwargs: jtorch.ones(1))
    assert "no error" in sweep.run(EVERY["gather"], "errors")["errors"]


def test_results_go_on_where_they_stopped(tmp_path):
    Results(tmp_path, "1of2").add("add", "float32", {"forward": "differs"}, 1)
    Results(tmp_path, "2of2").add("add", "int64", {"forward": None}, 2)
    Results(tmp_path, "2of2").add("mul", "float32", {"forward": None}, 3)
    found = Results(tmp_path)
    assert report.totals(found)["forward"] == (1, 2)
    Results(tmp_path).add("add", "float32", {"forward": None}, 4)
    assert report.totals(Results(tmp_path))["forward"] == (2, 2)
    assert any("add: float32" in line for line in report.lines(found))


def test_gaps_of_the_sweep():
    found = {("add", "float32"): {"forward": "differs", "gradient": None}, ("mul", "float32"): {"forward": "differs"}}
    gap = Gap("conformance::add-*-forward", "rounds once more")
    assert unknown(found, [gap]) == {"conformance::mul-float32-forward": "differs"}
    assert closed(found, [gap]) == []
    found["add", "float32"]["forward"] = None
    assert closed(found, [gap]) == [gap]
