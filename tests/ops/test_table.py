"""The fields of elementwise, reducing and contracting ops, compared with what torch has: methods, in-place, out=."""

import re
from pathlib import Path

import pytest
import torch

import jtorch  # noqa: F401  (fills the table)
from jtorch.ops.op import TABLE

ROOMS = """
    arithmetic bitwise choose compare complex_numbers contract covariance difference extrema matmul pairs pointwise
    powers quantile reduce scan special trigonometry vector_norm
""".split()
OPS = {n: op for n, op in TABLE.items() if op.fn.__module__.split(".")[-1] in ROOMS and op.door == "torch"}
NAMES = {name: op for op in OPS.values() for name in (op.name, *op.aliases)}


STUBS = (Path(torch.__file__).parent / "_C" / "_VariableFunctions.pyi").read_text()


def has_out(name):
    """Whether torch's own stubs show an out= for a function."""
    return any("out:" in found for found in re.findall(rf"^def {name}\(.*?\) -> ", STUBS, re.DOTALL | re.MULTILINE))


def test_there_are_ops():
    assert len(NAMES) > 150


@pytest.mark.parametrize("name", [n for n in NAMES if n != "polygamma"])  # its method has the operands swapped
def test_fields(name):
    op = NAMES[name]
    ours = {"function": True, "method": op.method, "in place": op.inplace}
    theirs = {
        "function": hasattr(torch, name),
        "method": hasattr(torch.Tensor, name),
        "in place": hasattr(torch.Tensor, f"{name}_"),
    }
    assert ours == theirs


@pytest.mark.parametrize("name", OPS)
def test_out(name):
    assert bool(OPS[name].out) == has_out(name)
