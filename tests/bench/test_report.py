"""The report says what the result files say: every figure, geometric means, what is missing and why."""

import math

from bench import cases, growth, harness, report


def entry(jtorch, torch, absent=None, **more):
    """A case that took jtorch and torch these seconds, round by round."""
    times = {"torch": torch, "jtorch": jtorch}
    return harness.report(times, "ms", 1e3, [("jtorch", "torch")]) | {"absent": absent or {}, **more}


def test_page_and_plots(tmp_path):
    steps = {"mlp": entry([1.0, 1.0], [2.0, 2.0], {"compile": "no compiler"}), "gpt": entry([4.0, 4.0], [2.0, 2.0])}
    harness.save("steps", steps, tmp_path / "results" / "steps.json")
    grown = {f"{axis} {n}": entry([1.0], [2.0]) for axis, values in growth.AXES.items() for n in values}
    grown = {name: case | {"times": case["times"] | {"jax": case["times"]["torch"]}} for name, case in grown.items()}
    harness.save("growth", grown, tmp_path / "results" / "growth.json")
    page = report.write(tmp_path / "results", tmp_path / "docs").read_text()
    assert "| mlp | ms | 2000 | 1000 | 0.50 (0.50–0.50) |" in page
    assert "| geometric mean of 2, jtorch/torch |  |  |  | **1.00** |" in page
    assert "torch.compile is missing for mlp: no compiler." in page and "Not measured yet: no GPU" in page
    drawn = sorted(path.name for path in (tmp_path / "docs").glob("*.svg"))
    assert drawn == ["benchmarks-growth.svg", "benchmarks-steps.svg"]
    assert "0.50" in (tmp_path / "docs" / drawn[1]).read_text()  # text stays text: 2 times slower than torch


def test_figures_of_a_gpu_are_shown_once_they_are_there(tmp_path):
    more = {"device": "Some GPU", "per_second": {"unit": "tokens", "torch": 5.0, "jtorch": 10.0}}
    more |= {"gflop_per_second": {"torch": 1.0, "jtorch": 2.0}, "mfu": {"torch": 0.25, "jtorch": 0.5}}
    more["peak_mib"] = {"torch": 70, "jtorch": 60}
    harness.save("steps-cuda", {"gpt2-tf32": entry([1.0], [2.0], **more)}, tmp_path / "steps-cuda.json")
    shown = "\n".join(report.gpu(report.results(tmp_path)))
    assert "| gpt2-tf32 | jtorch | 10 tokens/s | 2 | 50.0% | 60 |" in shown and "On Some GPU." in shown


def test_a_merged_file_keeps_the_other_cases(tmp_path):
    path = tmp_path / "steps.json"
    for name, seconds in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        harness.save("steps", {name: entry([seconds], [1.0])}, path, merge=True)
    assert [(n, c["times"]["jtorch"]["median"]) for n, c in harness.kept(path).items()] == [("a", 3000), ("b", 2000)]
    assert harness.kept(tmp_path / "none.json") == {}


def test_growth_changes_one_size_at_a_time():
    made = [growth.case(axis, values[-1]) for axis, values in growth.AXES.items()]
    assert [len(case.batches[0][0]) for case in made] == [growth.AXES["batch"][-1], growth.BATCH, growth.BATCH]
    assert [case.shape == growth.BASE for case in made] == [True, False, False]
    assert math.prod(cases.texts(1, 3, growth.BASE)[0][0].shape) == 3 * growth.BASE.length
