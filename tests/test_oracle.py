"""The oracle itself: with torch on both sides it agrees, and with one thing made different it says which."""

import types

import ml_dtypes
import numpy as np
import pytest
import torch

from tests import oracle
from tests.oracle import FLOATS, both, check, const, same, same_error, same_print, same_warnings
from tests.scripts import as_jtorch, same_line
from tests.sides import to_numpy, to_tensor

X = np.random.default_rng(1).standard_normal((3, 4)).astype(np.float32)
Y = np.random.default_rng(2).standard_normal((4,)).astype(np.float32)


class Twin(types.ModuleType):
    """torch under another name, with some of its names replaced."""

    def __init__(self, **replaced):
        super().__init__("twin")
        self.__dict__.update(replaced)

    def __getattr__(self, name):
        return getattr(torch, name)


@pytest.fixture
def twin(monkeypatch):
    """Puts torch, with the given names replaced, in jtorch's place."""

    def place(**replaced):
        monkeypatch.setattr(oracle, "jtorch", Twin(**replaced))

    place()
    return place


AGREE = {
    "function": lambda: check("add", X, Y, alpha=2),
    "method": lambda: check("Tensor.view", X, 2, 6),
    "inplace": lambda: check("Tensor.mul_", X, Y),
    "dotted": lambda: check("nn.functional.embedding", np.array([0, 2]), X),
    "second order": lambda: check(lambda torch, x: (x * x * x).sum(), X, grad=2),
    "dtypes": lambda: check("sum", X, dtypes=FLOATS, dtype=torch.float64),
    "out": lambda: check("add", X, Y, out=np.zeros((3, 4), np.float32)),
    "named tuple": lambda: check("max", X, 1),
    "several outputs": lambda: check("split", X, 1),
    "dict": lambda: check(lambda torch, x: {"a": x * 2, "b": [x, 3, 2.5, "s", None]}, X),
    "list input": lambda: check("cat", [X, X], dim=1),
    "const": lambda: check("mul", X, const(Y)),
    "tensor input": lambda: check("add", torch.ones(3), torch.zeros(3, requires_grad=True)),
    "transposed": lambda: check("exp", X.T, strides=True),
    "expanded": lambda: check("exp", np.broadcast_to(Y, (3, 4)), strides=True),
    "no floats": lambda: check("arange", 5),
    "complex": lambda: check("abs", (X + 1j * X[::-1]).astype(np.complex64)),
    "error": lambda: check("add", X, X[:, :3]),
    "error in backward": lambda: check(lambda torch, x: x.exp_().mul_(2) * x.detach().exp_(), X),
    "missing kernel": lambda: check("linalg.inv", X[:3, :3], dtypes=("float16",)),
    "printed": lambda: check("neg", X, printed=True),
    "nan": lambda: check("sqrt", np.array([-1.0, np.nan, np.inf]), exact=True),
    "same": lambda: same(lambda torch: torch.tensor([1, 2]).tolist()),
    "same error": lambda: same_error(lambda torch: torch.ones(2).view(5)),
    "same print": lambda: same_print(lambda torch: torch.ones(2)),
    "same warnings": lambda: same_warnings(lambda torch: torch.range(0, 3)),
}


@pytest.mark.parametrize("case", AGREE.values(), ids=AGREE)
def test_torch_agrees_with_torch(twin, case):
    case()


def wrong_gradient(x):
    return x.exp().detach() + (x - x.detach())


def wrong_second(x):
    return x.cos().detach() - x.sin().detach() * (x - x.detach()) + 0 * x.pow(2)


class Shout(torch.Tensor):
    """A tensor that prints as no tensor does."""

    def __repr__(self):
        return "LOUD"


# What is made different, the call that must notice, and the word that must stand in the message.
DIFFER = [
    ({"exp": torch.sin}, lambda: check("exp", X, grad=False), "values"),
    ({"exp": lambda x: x.exp() + 1e-4}, lambda: check("exp", X, grad=False), "values"),
    ({"exp": lambda x: x.exp() + 1e-7}, lambda: check("exp", X, grad=False, exact=True), "values"),
    ({"exp": lambda x: x.exp().double()}, lambda: check("exp", X), "dtype"),
    ({"exp": lambda x: x.exp()[None]}, lambda: check("exp", X), "shape"),
    ({"exp": lambda x: x.exp().detach()}, lambda: check("exp", X), "requires_grad"),
    ({"exp": lambda x: x.exp() * 1}, lambda: check("exp", X), "grad_fn"),
    ({"exp": wrong_gradient}, lambda: check("exp", X, grad_fn=False), "gradients"),
    ({"cos": wrong_second}, lambda: check("cos", X, grad=2, grad_fn=False), "gradients of gradients"),
    ({"exp": lambda x: x.add_(1).sub(1).exp()}, lambda: check("exp", X, grad=False), "inputs after the call"),
    ({"exp": lambda x: x.exp().T.contiguous().T}, lambda: check("exp", X, grad=False, strides=True), "stride"),
    ({"relu_": torch.relu}, lambda: check("relu_", abs(X), grad=False), "which input"),
    ({"add": lambda x, y: x}, lambda: check("add", X, X[:, :3]), "no error"),
    ({"add": lambda x, y: [][0]}, lambda: check("add", X, X[:, :3]), "IndexError"),
    ({"add": lambda x, y: x.view(1)}, lambda: check("add", X, X[:, :3]), "shape .* is invalid"),
    ({"add": lambda x, y: x.zero_().view(1)}, lambda: check("add", X, X[:, :3], grad=False, text=False), "inputs"),
    ({"max": lambda x, dim: tuple(torch.max(x, dim))}, lambda: check("max", X, 1), "kind"),
    ({"exp": lambda x: x.exp().as_subclass(Shout)}, lambda: check("exp", X, grad=False, printed=True), "repr"),
    ({"ones": torch.zeros}, lambda: same_print(lambda m: m.ones(2)), "printed text"),
    ({"range": torch.arange}, lambda: same_warnings(lambda m: m.range(0, 3)), "warnings"),
    ({}, lambda: same_warnings(lambda m: m.arange(3)), "the test wants some"),
    ({}, lambda: same_error(lambda m: m.ones(2)), "raises nothing"),
    ({"nn": types.SimpleNamespace()}, lambda: check("nn.functional.relu", X), "jtorch has no nn.functional.relu"),
]


@pytest.mark.parametrize("replaced, case, words", DIFFER)
def test_a_difference_is_named(twin, replaced, case, words):
    twin(**replaced)
    with pytest.raises(AssertionError, match=words):
        case()


def test_a_difference_shows_both_sides(twin):
    twin(ones=torch.zeros)
    with pytest.raises(AssertionError) as failure:
        same(lambda torch: torch.ones(2))
    assert "--- torch\n[1. 1.]\n--- jtorch\n[0. 0.]" in str(failure.value)


def test_a_name_that_torch_lacks_is_the_tests_mistake(twin):
    with pytest.raises(AttributeError):
        check("no_such_function", X)


def test_both_gives_numpy(twin):
    expected, actual = both(lambda torch: {"a": [torch.ones(2, dtype=torch.bfloat16)], "b": (torch.ones(()), 3)})
    assert expected["a"][0].dtype == actual["a"][0].dtype == ml_dtypes.bfloat16
    assert isinstance(expected["b"][0], np.ndarray) and expected["b"][1] == 3


ARRAYS = [
    np.float64(3.5) * np.ones(()), np.zeros((0, 3), np.float32), np.arange(6).reshape(2, 3),
    np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0), np.broadcast_to(np.arange(3.0)[:, None], (2, 3, 4)),
    np.arange(6.0).reshape(2, 3).astype(ml_dtypes.bfloat16).T, np.arange(4.0).astype(ml_dtypes.float8_e4m3fn),
    np.array([True, False]), np.array([1 + 2j, np.nan]), np.arange(8.0)[::-2], np.arange(5, dtype=np.uint16),
]  # fmt: skip


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_arrays_survive_the_way_to_a_tensor_and_back(array):
    leaf, tensor = to_tensor(torch, array)
    back = to_numpy(torch, tensor)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back.astype(np.complex128), array.astype(np.complex128))
    if all(s >= 0 for s in array.strides):
        assert tensor.stride() == tuple(s // array.itemsize for s in array.strides)
    assert leaf.is_leaf and leaf.is_contiguous()


def test_a_tensor_never_shares_memory_with_its_array():
    array = np.zeros(3, np.float32)
    to_tensor(torch, array)[1].add_(1)
    assert (array == 0).all()


@pytest.mark.parametrize(
    "line, turned",
    [
        ("import torch", "import jtorch as torch"),
        ("    import torch  # why", "    import jtorch as torch  # why"),
        ("import torch.nn as nn", "import jtorch.nn as nn"),
        ("import torch.nn.functional as F", "import jtorch.nn.functional as F"),
        ("import torch.nn", "import jtorch.nn, jtorch as torch"),
        ("from torch import nn, optim", "from jtorch import nn, optim"),
        ("from torch.utils.data import DataLoader", "from jtorch.utils.data import DataLoader"),
        ("import torchvision", "from jtorch import vision as torchvision"),
        ("from torchvision import datasets", "from jtorch.vision import datasets"),
        ("x = torch.ones(2)", "x = torch.ones(2)"),
    ],
)
def test_imports_are_turned(line, turned):
    assert as_jtorch(f"a = 1\n{line}\nb = 2\n") == f"a = 1\n{turned}\nb = 2\n"


@pytest.mark.parametrize(
    "expected, actual, same",
    [
        ("loss 0.12345678", "loss 0.12345699", True),
        ("loss 0.1234", "loss 0.1235", True),
        ("loss 0.1234", "loss 0.1244", False),
        ("epoch 3", "epoch 4", False),
        ("tensor([ 0.0000, 1.5])", "tensor([-0.0000, 1.5])", True),
        ("1.234567e-05", "1.234568e-05", True),
        ("1.2345e-05", "1.2345e-04", False),
        ("acc 90%", "accuracy 90%", False),
        ("a  b", "a b", False),
    ],
)
def test_lines_of_output(expected, actual, same):
    assert same_line(expected, actual, 1e-4) is same


def test_a_script_runs_from_text_and_from_a_file(tmp_path):
    (tmp_path / "helper.py").write_text("WORD = 'beside'\n")
    (tmp_path / "main.py").write_text("import sys, helper\nout = sys.stdout.write(helper.WORD + sys.argv[1])\n")
    assert oracle.script(tmp_path / "main.py", "x") == "besidex"
    assert oracle.script("import sys\nout = sys.stdout.write('1.5 text')") == "1.5 text"


@pytest.mark.parametrize("word", ["raise ValueError('why')", "1 / 0"])
def test_a_script_that_fails_shows_its_error(word):
    with pytest.raises(AssertionError, match="fails under torch(.|\n)*(why|division)"):
        oracle.script(word)


def test_scripts_that_print_unlike_text_differ():
    with pytest.raises(AssertionError, match="line 1 of the output\n--- torch\ntorch"):
        oracle.script("import sys\nimport torch\nout = sys.stdout.write(torch.__name__)")
