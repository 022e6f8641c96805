"""The .pyi stubs: fresh, true when the code they describe runs, and what a user's type checker makes of them."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import types
import typing
from pathlib import Path

from tests.stubs import ROOT, stubs

TYPED = Path(__file__).parent / "typed"


def test_the_stubs_are_what_their_generator_writes():
    made = stubs()
    assert {path for path, text in made.items() if not path.exists() or path.read_text() != text} == set(), (
        "run `make stubs`"
    )
    assert set(ROOT.rglob("*.pyi")) == made.keys()


def _complaints(folder):
    """{(file, line): rules} of pyright on a user's files, with jtorch as an installed package."""
    for path in TYPED.glob("*.py"):
        shutil.copy(path, folder)  # out of reach of the settings in pyproject.toml
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "."]
    installed = os.environ | {"PYTHONPATH": str(ROOT.parent)}
    answer = subprocess.run(command, cwd=folder, env=installed, capture_output=True, text=True).stdout
    found: dict = {}
    for item in json.loads(answer)["generalDiagnostics"]:
        place = (Path(item["file"]).name, item["range"]["start"]["line"] + 1)
        found.setdefault(place, set()).add(item["rule"])
    return found


def test_a_type_checker_complains_of_mistakes_and_of_nothing_else(tmp_path):
    wanted = {}
    for number, line in enumerate((TYPED / "bad.py").read_text().splitlines(), 1):
        rules = re.search(r"# (report[\w, ]+)$", line)
        if rules:
            wanted["bad.py", number] = set(rules[1].split(", "))
    assert wanted
    assert _complaints(tmp_path) == wanted


def _checked(value, kind):
    """As assert_type, when the program runs."""
    if isinstance(kind, types.GenericAlias):
        kind = typing.get_origin(kind)
    assert isinstance(value, kind), f"{type(value)} is no {kind}"
    return value


def test_the_types_are_true_when_the_program_runs(monkeypatch):
    monkeypatch.setattr(typing, "assert_type", _checked)
    runpy.run_path(str(TYPED / "good.py"), run_name="__main__")


def test_a_wheel_takes_the_stubs_along():
    build = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    assert wheel["packages"] == ["jtorch"] and not wheel.keys() & {"include", "exclude", "only-include"}
    ignored = subprocess.run(
        ["git", "check-ignore", *map(str, stubs()), str(ROOT / "py.typed")], cwd=ROOT, capture_output=True, text=True
    )
    assert ignored.stdout == ""
