"""The names of torch's modules, and what comes closest to a name that jtorch lacks."""

import importlib

import jtorch
from jtorch.compat import names
from tests.compat.modules import FILE, listed


def test_the_modules_are_those_of_the_installed_packages():
    assert FILE.read_text() == listed(), "run `python -m tests.compat.modules`"


def test_a_module_of_torch_is_one_of_jtorch():
    assert names.module("torch") is jtorch
    assert names.module("torch.nn.functional") is jtorch.nn.functional
    assert names.module("torch.nn.modules.linear").Linear is jtorch.nn.Linear
    assert names.module("torchvision") is importlib.import_module("jtorch.vision")
    assert names.module("torch.no_such_module") is None
    assert names.module("numpy") is None


def test_both_ways():
    for name in ("torch", "torch.nn.functional", "torchvision", "torchvision.models"):
        assert names.theirs(names.ours(name)) == name


def test_the_closest_name_is_named():
    closest = "; the closest that it has is torch.nn.Linear"
    assert names.lack("torch.nn.Linaer") == "jtorch does not have torch.nn.Linaer" + closest
    assert names.lack("torch.zzzzzzzz") == "jtorch does not have torch.zzzzzzzz"


def test_misspelt_modules_are_not_torchs():
    assert names.in_torch("torch.fx.experimental") and names.in_torch("torch._inductor.config")
    assert not names.in_torch("torch.nn.functionals")
