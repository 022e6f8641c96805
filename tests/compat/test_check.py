"""`python -m jtorch check`: the names that a program uses, read from its source."""

import pytest

from jtorch.__main__ import main
from jtorch.compat.check import check, has

PROGRAM = """
import torch
import torch.nn.functional as F
from torch import nn, optim as o
from torch.utils.data import *
import numpy as np
raise SystemExit("it is not to be run")

class Net(nn.Module):
    def forward(self, x):
        return F.relu(nn.Linaer(2, 3)(x)) + torch.nn.functional.gelu(x).foo + np.ones(3)

torch.backends.cudnn.benchmark = True
step = o.SGD.step
"""


def test_every_use_is_found_at_its_line(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    report = check([str(file)])
    assert [(use.line, use.symbol) for use in report.uses] == [
        (3, "torch.nn.functional"),
        (4, "torch.nn"),
        (4, "torch.optim"),
        (5, "torch.utils.data"),
        (9, "torch.nn.Module"),
        (11, "torch.nn.Linaer"),
        (11, "torch.nn.functional.gelu"),
        (11, "torch.nn.functional.relu"),
        (13, "torch.backends.cudnn.benchmark"),
        (14, "torch.optim.SGD.step"),
    ]
    assert list(report.lacks) == ["torch.nn.Linaer"]


def test_the_command_prints_what_is_lacking(tmp_path, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "program.py").write_text(PROGRAM)
    (folder / "notes.txt").write_text("import torch.nothing")
    assert main(["check", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{folder / 'program.py'}:11: lacks jtorch does not have torch.nn.Linaer; the closest")
    assert lines[1:] == ["9 of 10 names of torch are in jtorch"]
    (folder / "program.py").write_text("import torch\ntorch.ones(2)\n")
    assert main(["check", "--all", str(folder)]) == 0
    assert "has   torch.ones" in capsys.readouterr().out
    (folder / "program.py").write_text("import torch\nx = (\n")
    assert main(["check", str(folder)]) == 2
    assert main(["check", str(tmp_path / "absent.py")]) == 2


@pytest.mark.parametrize(
    "symbol, there",
    [
        ("torch.Tensor.view", True),
        ("torch.Tensor.veiw", False),
        ("torch.float32.itemsize", True),
        ("torch.nn.functional.relu.anything", True),
        ("torch.version.cuda", True),
        ("torch.onnx.export", False),
    ],
)
def test_a_name_is_there_or_not(symbol, there):
    assert has(symbol) is there
