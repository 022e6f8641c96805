"""torch.utils.benchmark beside torch's own: what is printed of the same times, and what is measured."""

import re

import numpy as np
import pytest
import torch.utils.benchmark as theirs

import jtorch
import jtorch.utils.benchmark as ours
from jtorch.engine import stats
from tests.oracle import same_error

RNG = np.random.default_rng(0)
SPREAD = {"still": 0.01, "moving": 0.12, "wild": 0.5}


def measured(module, times, **spec):
    """A Measurement of one of the two modules."""
    return module.Measurement(10, [float(t) for t in times], module.TaskSpec(spec.pop("stmt", "f(x)"), "pass", **spec))


def times(center, spread, count=9):
    """Seconds around a center."""
    return np.abs(center * (1 + spread * RNG.standard_normal(count)))


@pytest.mark.parametrize("spread", SPREAD.values(), ids=SPREAD)
@pytest.mark.parametrize("center", [3e-8, 2e-5, 4e-2, 7.0])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_measurement_has_torchs_figures_and_text(center, spread, count):
    values = times(center, spread, count)
    one, two = (measured(m, values, label="add", sub_label="big", description="here") for m in (ours, theirs))
    for name in ("times", "median", "mean", "iqr", "significant_figures"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-6), name
    for name in ("has_warnings", "title", "as_row_name"):
        assert getattr(one, name) == getattr(two, name), name
    assert without_address(one) == without_address(two)


def without_address(measurement):
    """The printed lines below the object's own."""
    return repr(measurement).splitlines()[1:]


def test_specs_without_labels():
    for spec in ({}, {"sub_label": "s"}, {"stmt": "a\nb"}, {"stmt": "a\nb", "sub_label": "s", "num_threads": 2}):
        one, two = (measured(m, [1e-3] * 5, **spec) for m in (ours, theirs))
        assert without_address(one) == without_address(two)


def table(module, **options):
    """A Compare over two labels, several rows, columns and thread counts, with a hole."""
    rng = np.random.default_rng(1)
    results = []
    for label, threads, sub, description in [
        ("mul", 1, "small", "a"),
        ("mul", 1, "small", "b"),
        ("mul", 1, "large one", "a"),
        ("mul", 4, "small", "a"),
        ("mul", 4, "small", "b"),
        ("add", 1, "x", "a"),
        ("mul", 1, "small", "a"),
    ]:
        values = abs(2e-5 * len(sub) * (1 + options.get("spread", 0.02) * rng.standard_normal(8)))
        spec = {"label": label, "sub_label": sub, "description": description, "num_threads": threads}
        results.append(measured(module, values, **spec, env=options.get("env")))
    compare = module.Compare(results)
    for name in options.get("calls", ()):
        getattr(compare, name)()
    if "rowwise" in options:
        compare.colorize(rowwise=options["rowwise"])
    return str(compare)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"calls": ["trim_significant_figures"]},
        {"calls": ["highlight_warnings"], "spread": 0.5},
        {"rowwise": False},
        {"rowwise": True, "calls": ["trim_significant_figures", "highlight_warnings"], "spread": 0.3},
        {"env": "master"},
    ],
    ids=str,
)
def test_tables_are_torchs(options):
    assert table(ours, **options) == table(theirs, **options)


def test_units_and_figures():
    for t in (1e-10, 1e-9, 3e-7, 1e-6, 0.02, 1.0, 5000.0):
        assert ours.select_unit(t) == theirs.select_unit(t)
    for x, n in ((3.14159, 2), (31415.9, 3), (0.00314, 1)):
        assert ours.trim_sigfig(x, n) == pytest.approx(theirs.trim_sigfig(x, n))


@pytest.mark.parametrize(
    "call",
    [
        lambda torch: torch.utils.benchmark.Timer(len),
        lambda torch: torch.utils.benchmark.Timer("x", language="rust"),
        lambda torch: torch.utils.benchmark.Timer("x", global_setup="int x;"),
        lambda torch: torch.utils.benchmark.Timer("x").repeat(),
        lambda torch: torch.utils.benchmark.Compare([3]),
    ],
)
def test_refusals(call):
    same_error(call)


def test_each_execution_runs_what_it_recorded():
    x = jtorch.ones(4)
    timer = ours.Timer("y = x + 1\ny * 2", globals={"x": x}, label="two ops", num_threads=1)
    timer.timeit(2)
    before = stats.programs
    measurement = timer.timeit(50)
    assert stats.programs - before == 50 + 2
    assert measurement.number_per_run == 50 and measurement.median > 0
    assert re.search(r"two ops\n  [\d.]+ .s\n  1 measurement, 50 runs , 1 thread", repr(measurement))


def test_ranges_end():
    timer = ours.Timer("torch.ones(2) + 1", setup="import math")
    calls = []
    assert timer.blocked_autorange(lambda number, time: calls.append(number), min_run_time=0.01).median > 0
    assert len(calls) >= 1
    assert len(timer.adaptive_autorange(min_run_time=0.001, max_run_time=0.05).times) >= 1
