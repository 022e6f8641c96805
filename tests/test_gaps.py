"""Known differences: the tests a gap names must fail, must exist, and the file must be in order."""

import pytest

from tests import gaps

pytest_plugins = ["pytester"]

FILES = {
    "test_sums": """
        import pytest

        @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
        def test_sum(dtype):
            assert dtype == "float32"

        def test_mean():
            assert True
    """,
    "test_complete": """
        from tests import gaps

        def test_every_gap_names_a_test(pytestconfig):
            assert gaps.unmatched(pytestconfig) == []
    """,
}


def test_every_gap_names_a_test(pytestconfig):
    assert gaps.unmatched(pytestconfig) == []


@pytest.fixture
def project(pytester, monkeypatch):
    """A folder of tests with the given tests/gaps.toml, run with the given arguments."""

    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(document, *args):
        pytester.makeconftest(
            "from tests import gaps\n\ndef pytest_configure(config):\n    config.pluginmanager.register(gaps)"
        )
        folder = pytester.mkdir("tests")
        for path in pytester.makepyfile(**FILES).parent.glob("test_*.py"):
            path.rename(folder / path.name)
        (folder / "gaps.toml").write_text(document)
        return pytester.runpytest_inprocess("-rxX", *args)

    return run


def gap(test, reason="rounds once more"):
    return f"[[gap]]\ntest = {test!r}\nreason = {reason!r}\n"


def test_without_gaps_a_difference_fails(project):
    project("").assert_outcomes(passed=3, failed=1)


def test_an_expected_failure_does_not_fail_the_run(project):
    result = project(gap("tests/test_sums.py::test_sum[bfloat16]"))
    result.assert_outcomes(passed=3, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL*test_sum?bfloat16?*rounds once more*"])


def test_a_gap_that_closes_fails_the_run(project):
    result = project(gap("tests/test_sums.py::test_*"))
    result.assert_outcomes(passed=1, xfailed=1, failed=2)
    result.stdout.fnmatch_lines(["*XPASS(strict)*rounds once more*"])


@pytest.mark.parametrize("test", ["tests/test_sums.py::test_gone", "tests/test_sums.py::test_sum[b]", "test_sum*"])
def test_a_gap_that_names_no_test_fails_a_full_run(project, test):
    project(gap("*bfloat16*") + gap(test)).assert_outcomes(passed=2, xfailed=1, failed=1)


@pytest.mark.parametrize("args", [["-k", "every or mean"], ["-k", "every", "tests"]])
def test_choosing_tests_by_name_hides_no_gap(project, args):
    result = project(gap("*test_mean"), *args)
    assert result.parseoutcomes().get("passed") == 1


@pytest.mark.parametrize(
    "args",
    [["tests/test_complete.py"], ["tests/test_complete.py::test_every_gap_names_a_test"], ["--deselect", "*mean"]],
)
def test_a_part_of_the_tests_says_nothing_of_the_other_gaps(project, args):
    result = project(gap("*bfloat16*") + gap("tests/elsewhere.py::*"), *args)
    assert result.parseoutcomes().get("failed") is None


@pytest.mark.parametrize(
    "document, words",
    [
        (gap("*mean", ""), "a test and a reason"),
        ("[[gap]]\ntest = '*mean'\n", "a test and a reason"),
        ("[[gap]]\ntest = '*mean'\nreason = 'x'\nwhen = 'now'\n", "a test and a reason"),
        (gap("*mean") + gap("*mean"), "named twice"),
        ("[[gaps]]\ntest = '*mean'\nreason = 'x'\n", "unknown keys"),
    ],
)
def test_a_file_out_of_order_is_refused(tmp_path, document, words):
    (tmp_path / "gaps.toml").write_text(document)
    with pytest.raises(pytest.UsageError, match=words):
        gaps.read(tmp_path / "gaps.toml")


def test_a_file_out_of_order_stops_the_run(project):
    assert project("[[gaps]]").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    "glob, nodeid, covered",
    [
        ("a.py::t[x-1]", "a.py::t[x-1]", True),
        ("a.py::t[x-1]", "a.py::tx", False),
        ("a.py::t[*]", "a.py::t[x\ny]", True),
        ("a.py::t?", "a.py::t1", True),
        ("a.py::t?", "a.py::t", False),
        ("a.py::t", "b/a.py::t", False),
    ],
)
def test_a_glob_takes_brackets_for_themselves(glob, nodeid, covered):
    assert gaps.Gap(glob, "why").covers(nodeid) is covered


def test_no_file_means_no_gaps(tmp_path):
    assert gaps.read(tmp_path / "gaps.toml") == []
