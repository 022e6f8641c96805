"""The harness runs everybody equally often and in turn, and the comparison finds what has become slower."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import compare, harness

ROOT = Path(__file__).parents[2]


def result(tmp_path, name, ratios):
    """A result file with one case whose ratio jtorch/torch has these samples."""
    times = {"jtorch": ratios, "torch": [1.0] * len(ratios)}
    case = harness.report(times, "ms", 1e3, [("jtorch", "torch")])
    return harness.save("sample", {"step": case}, tmp_path / name)


def test_runners_take_turns():
    calls = []
    runners = {name: lambda name=name: calls.append(name) or 1.0 for name in "abc"}
    times = harness.alternate(runners, 3)
    assert "".join(calls) == "abcbcacab"
    assert times == {name: [1.0] * 3 for name in "abc"}


def test_report_keeps_medians_quartiles_and_paired_ratios():
    case = harness.report({"a": [1.0, 2.0, 9.0], "b": [1.0, 1.0, 3.0]}, "ms", 1e3, [("a", "b")])
    assert case["times"]["a"] == {"median": 2000.0, "low": 1500.0, "high": 5500.0}
    assert case["ratios"]["a/b"] == {"median": 2.0, "low": 1.5, "high": 2.5}


def test_a_result_says_where_it_comes_from(tmp_path):
    kept = json.loads(result(tmp_path, "r.json", [1.0]).read_text())
    assert kept["versions"].keys() == {"python", *harness.PACKAGES}
    assert kept["machine"]["cores"] >= 1 and kept["machine"]["processor"]


@pytest.mark.parametrize(
    ("before", "after", "code", "word"),
    [
        ([1.0, 1.01, 1.02], [1.2, 1.21, 1.22], 1, "worse"),
        ([1.0, 1.01, 1.02], [1.03, 1.02, 1.04], 0, "same"),
        ([0.8, 1.0, 1.4, 1.5], [1.2, 1.3, 1.3, 1.4], 0, "same"),
        ([1.0, 1.01, 1.02], [0.7, 0.71, 0.72], 0, "better"),
    ],
)
def test_compare_fails_on_what_is_beyond_the_noise(tmp_path, before, after, code, word):
    files = [str(result(tmp_path, f"{i}.json", samples)) for i, samples in enumerate((before, after))]
    command = [sys.executable, "-m", "bench.compare", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout.split()[-1]) == (code, word), done.stderr


def test_a_case_that_is_gone_is_no_pass():
    spread = {"median": 1.0, "low": 1.0, "high": 1.0}
    case = {"ratios": {"jtorch/torch": spread}, "times": {}}
    lines, worse = compare.compare({"cases": {"a": case}}, {"cases": {"b": case}})
    assert worse == 1 and lines[0].endswith("gone") and lines[1].endswith("new")
