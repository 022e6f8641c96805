"""Printed tensors, character by character."""

import contextlib
import math
import operator
from collections import OrderedDict

import jax
import ml_dtypes
import numpy as np
import pytest
import torch

import jtorch
from jtorch import dtypes
from jtorch._tensor import from_array
from jtorch.api.printing import format_tensor, get_printoptions, printoptions, set_printoptions
from tests.edges import layouts, values
from tests.labels import label
from tests.oracle import same_error, same_print
from tests.sides import to_tensor

NAMES = (
    "float32", "float64", "float16", "bfloat16", "complex64", "complex128", "int64", "int32", "int16", "int8", "uint8",
    "uint16", "uint32", "uint64", "bool", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
    "float8_e8m0fnu",
)  # fmt: skip


@contextlib.contextmanager
def options_of_both(**options):
    """torch's and jtorch's print options set alike, and back to the default afterwards."""
    try:
        torch.set_printoptions(**options)
        set_printoptions(**options)
        yield
    finally:
        torch.set_printoptions(profile="default")
        set_printoptions(profile="default")


def assert_same_text(array, **facts):
    """Compare the text of an array with torch's; facts are handed to format_tensor."""
    tensor = to_tensor(torch, array)[1]
    dtype = dtypes.from_numpy(array.dtype)
    if facts.get("requires_grad"):
        tensor = tensor.clone().requires_grad_()
    assert format_tensor(array, dtype, shape=array.shape, **facts) == repr(tensor)


NAN, INF = math.nan, math.inf
FLOATS = {
    "whole": [1, 2, 3], "negative": [-1, 2, -30], "fixed": [0.5, 1.25, -3], "zeros": [0, -0.0, 0], "one zero": [0.0],
    "zero beside": [0, 0.5], "nan": [NAN], "nan beside": [NAN, 1], "nan beside fixed": [NAN, -0.5],
    "inf": [INF, -INF], "inf and zero": [INF, 0], "all odd": [NAN, INF, -INF, 0, 1.5], "ratio": [1, 1000],
    "past ratio": [1, 1001], "past ratio fixed": [0.5, 600.25], "small": [1e-4, 2e-4], "smaller": [9.9e-5, 1e-4],
    "tiny": [1e-30], "large": [1e8, 1e7], "larger": [100000008, 1e8], "huge": [1e30, 2e30], "low end": [0.00012, 0.1],
    "rounds up": [0.99996, 1.5], "rounds even": [0.00015, 0.00025], "sci whole": [1e9, 2, -3],
    "sci nan": [NAN, 1e-9, INF, 0, -0.0], "negative sci": [-1e-9, 1], "999.5": [999.5, 1000.5], "max": [3.4e38, 1],
    "thirds": [1 / 3, -2 / 3, 10 / 3],
}  # fmt: skip


@pytest.mark.parametrize("numbers", FLOATS.values(), ids=FLOATS)
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_the_form_of_floats(name, numbers):
    array = np.array(numbers).astype(name)
    assert_same_text(array)
    assert_same_text(array[0].reshape(()))
    assert_same_text(np.stack([array, array[::-1]]))


@pytest.mark.parametrize("name", NAMES)
def test_every_dtype(name):
    kind = np.dtype(getattr(ml_dtypes, name, name))
    draw = np.random.default_rng(3)
    with np.errstate(invalid="ignore", over="ignore"):
        for scale in (0.1, 1, 30):
            assert_same_text((draw.standard_normal((3, 4)) * scale).astype(np.float32).astype(kind))
        assert_same_text(np.array([0, 1, 2, 100]).astype(np.float32).astype(kind))
    assert_same_text(np.zeros((), kind))
    assert_same_text(np.zeros((0,), kind))
    assert_same_text(np.zeros((0, 3), kind))


@pytest.mark.parametrize("name", ["float32", "float64", "float16", "bfloat16", "complex64", "int64", "int8", "bool"])
def test_edges_and_layouts(name):
    assert_same_text(values(name))
    for array in layouts(name).values():
        assert_same_text(array)


COMPLEX = [
    [1 + 2j, -3 - 4j], [0.5 + 1j, -0.25 - 2j], [complex(NAN, 1), complex(1, NAN)], [complex(INF, -INF), 1j],
    [complex(-0.0, -0.0), complex(0.0, 0.0)], [1e9 + 1e-9j, 1 + 1j], [1 + 1e-9j, 2 - 1e-3j], [100 + 0.5j, -1 + 20j],
]  # fmt: skip


@pytest.mark.parametrize("numbers", COMPLEX)
@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_the_form_of_complex_numbers(name, numbers):
    array = np.array(numbers, dtype=name)
    assert_same_text(array)
    assert_same_text(array[0].reshape(()))
    assert_same_text(np.tile(array, (2, 9)))


SHAPES = [
    (1,), (20,), (30,), (100,), (1000,), (1001,), (5000,), (3, 3), (2, 40), (40, 2), (2, 3, 4), (2, 1, 3, 2),
    (1, 1, 1, 1, 1), (7, 200), (200, 7), (6, 200), (2, 600), (11, 10, 10), (2, 3, 4, 50), (8, 8, 8, 8), (0,), (2, 0),
    (0, 3, 4), (),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=label)
@pytest.mark.parametrize("name", ["float32", "int64", "bool", "complex64"])
def test_shapes_summaries_and_line_breaks(name, shape):
    draw = np.random.default_rng(len(shape))
    numbers = draw.standard_normal(shape) * 10 + (1j * draw.standard_normal(shape) if name == "complex64" else 0)
    assert_same_text(np.asarray(numbers > 0 if name == "bool" else numbers).astype(name))


def random_case(seed):
    """An array of random shape, dtype and magnitudes, with nan, inf and zeros strewn in."""
    draw = np.random.default_rng(seed)
    shape = tuple(draw.integers(1, 9, draw.integers(0, 5)))
    name = str(draw.choice(NAMES))
    numbers = (
        draw.standard_normal(shape)
        * 10.0 ** draw.integers(-6, 10)
        * 10.0 ** (draw.uniform(-1, 1, shape) * draw.integers(0, 4))
    )
    if draw.random() < 0.5:
        numbers = np.round(numbers)
    if draw.random() < 0.4:
        numbers = np.where(draw.random(shape) < 0.2, draw.choice([NAN, INF, -INF, 0.0, -0.0], shape), numbers)
    if name.startswith("complex"):
        real, numbers = numbers, np.empty(shape, np.complex128)
        numbers.real, numbers.imag = real, draw.permutation(real.reshape(-1)).reshape(shape)
    elif name in ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "bool"):
        numbers = np.clip(np.nan_to_num(numbers), 0 if name[0] in "ub" else -100, 100)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(numbers).astype(getattr(ml_dtypes, name, name))


@pytest.mark.parametrize("block", range(20))
def test_random_arrays(block):
    for seed in range(block * 25, block * 25 + 25):
        assert_same_text(random_case(seed))


OPTIONS = [
    {"precision": 2}, {"precision": 0}, {"precision": 10}, {"threshold": 5}, {"threshold": 0},
    {"edgeitems": 1, "threshold": 5}, {"edgeitems": 0, "threshold": 5}, {"edgeitems": 0},
    {"edgeitems": 10, "threshold": 5}, {"linewidth": 20}, {"linewidth": 1}, {"linewidth": 200}, {"sci_mode": True},
    {"sci_mode": False}, {"profile": "short"}, {"profile": "full"}, {"profile": "full", "precision": 1},
    {"threshold": INF}, {"profile": "default", "linewidth": 40},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=label)
def test_options(options):
    draw = np.random.default_rng(5)
    with options_of_both(**options):
        for shape in ((), (1,), (12,), (3, 12), (2, 3, 12), (1500,), (12, 12, 12), (0, 2), (0,)):
            for name in ("float32", "float64", "int64", "complex64"):
                numbers = draw.standard_normal(shape) * 100
                assert_same_text(np.asarray(numbers).astype(name))
                assert_same_text(np.asarray(np.round(numbers)).astype(name), requires_grad=name != "int64")


def test_options_stay_until_changed_and_sci_mode_does_not():
    with options_of_both(sci_mode=True, precision=2):
        torch.set_printoptions(linewidth=70)
        set_printoptions(linewidth=70)
        assert get_printoptions() == torch._tensor_str.get_printoptions()
        with printoptions(precision=7), torch._tensor_str.printoptions(precision=7):
            assert get_printoptions() == torch._tensor_str.get_printoptions()
        assert get_printoptions() == torch._tensor_str.get_printoptions()


@pytest.mark.parametrize("profile", ["default", "short", "full", "unheard of"])
def test_profiles(profile):
    with options_of_both(precision=7, edgeitems=9):
        with options_of_both(profile=profile):
            assert get_printoptions() == torch._tensor_str.get_printoptions()


def test_printoptions_are_restored_after_an_error():
    before = get_printoptions()
    with pytest.raises(KeyError), printoptions(precision=1):
        raise KeyError
    assert get_printoptions() == before


@pytest.mark.parametrize("length", range(1, 30))
def test_suffixes_go_where_they_fit(length):
    array = np.full(length, 0.5, np.float64)
    assert_same_text(array, requires_grad=True)
    tensor = torch.tensor(array, requires_grad=True) * 2
    facts = {"requires_grad": True, "grad_fn_name": "MulBackward0"}
    assert format_tensor(array * 2, dtypes.float64, shape=array.shape, **facts) == repr(tensor)


@pytest.mark.parametrize("shape", [(), (2,), (0, 3)], ids=label)
@pytest.mark.parametrize("name", ["float32", "float64", "int64"])
def test_a_tensor_on_meta(name, shape):
    tensor = torch.empty(shape, dtype=getattr(torch, name), device="meta")
    text = format_tensor(None, dtypes.by_name(name), shape=shape, device_text="meta")
    assert text == repr(tensor)


def test_a_device_is_named_first():
    text = format_tensor(np.ones(2), dtypes.float64, shape=(2,), device_text="cuda:0", requires_grad=True)
    assert text == "tensor([1., 1.], device='cuda:0', dtype=torch.float64, requires_grad=True)"


@pytest.mark.parametrize("name", ["float32", "float64", "complex64", "complex128", "int64"])
def test_the_default_dtype_is_not_named(name, monkeypatch):
    monkeypatch.setattr(dtypes.Default, "float", dtypes.float64)
    torch.set_default_dtype(torch.float64)
    try:
        assert_same_text(np.ones(2, name))
        assert_same_text(np.ones(0, name))
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_name_of_a_subclass_indents_the_lines():
    class Longer(torch.Tensor):
        pass

    array = np.arange(60.0, dtype=np.float32).reshape(3, 20)
    tensor = torch.tensor(array).as_subclass(Longer)
    assert format_tensor(array, dtypes.float32, shape=array.shape, prefix="Longer(") == repr(tensor)


def test_given_contents_take_the_place_of_the_numbers():
    tensor = torch.ones(2, dtype=torch.float64)
    text = format_tensor(np.ones(2), dtypes.float64, shape=(2,), contents="hidden")
    assert text == tensor.__repr__(tensor_contents="hidden")


def name_of(tensor):
    return f"a tensor of {len(tensor)}"


def leaf(torch):
    return torch.ones(2, 3, requires_grad=True)


def drawn_options(draw):
    """Some of set_printoptions' arguments."""
    choices = {
        "precision": range(12), "threshold": (0, 3, 10, 50, 1000), "edgeitems": range(6), "sci_mode": (True, False),
        "linewidth": (1, 10, 20, 40, 80, 120), "profile": ("default", "short", "full"),
    }  # fmt: skip
    return {name: values[draw.integers(len(values))] for name, values in choices.items() if draw.random() < 0.3}


@pytest.mark.parametrize("block", range(4))
def test_random_tensors_under_random_options_and_default_dtypes(block):
    for seed in range(1000 + block * 150, 1150 + block * 150):
        draw = np.random.default_rng(seed)
        array, options = random_case(seed), drawn_options(draw)
        default = ("float32", "float64", "float16", "bfloat16")[draw.integers(4)]
        texts = []
        with options_of_both(**options):
            for module in (torch, jtorch):
                tensor = to_tensor(module, array)[1]
                if seed % 3 == 0 and (tensor.is_floating_point() or tensor.is_complex()):
                    tensor = tensor.detach().requires_grad_()
                module.set_default_dtype(getattr(module, default))
                texts.append(repr(tensor))
                module.set_default_dtype(module.float32)
        assert texts[0] == texts[1], (seed, options, default)


@pytest.mark.parametrize("name", NAMES)
def test_random_bits(name):
    draw = np.random.default_rng(7)
    kind = np.dtype(getattr(ml_dtypes, name, name))
    for shape in ((), (1,), (7,), (3, 4), (2, 2, 3)):
        bits = draw.integers(0, 2 if name == "bool" else 256, (*shape, kind.itemsize), dtype=np.uint8)
        texts = []
        for module in (torch, jtorch):
            if name.startswith(("complex", "bool")):
                tensor = module.tensor(bits.view(kind))
            else:
                tensor = module.tensor(bits).view(getattr(module, name))
            texts.append(repr(tensor.view(shape)))
        assert texts[0] == texts[1]


def parameter(torch, base="Parameter"):
    kind = torch.nn.Parameter
    return (kind if base == "Parameter" else type(base, (kind,), {}))(torch.ones(2))


TENSORS = {
    "leaf": leaf,
    "result": lambda torch: leaf(torch).sum(),
    "row": lambda torch: leaf(torch)[0],
    "view": lambda torch: leaf(torch).view(3, 2),
    "transposed": lambda torch: leaf(torch).detach().T,
    "summary": lambda torch: torch.arange(2000).view(2, 1000),
    "meta": lambda torch: torch.empty(2, 3, device="meta"),
    "bfloat16": lambda torch: torch.ones(3).to(torch.bfloat16),
    "empty": lambda torch: torch.zeros(0, 3),
    "in containers": lambda torch: [torch.ones(1), {"a": torch.zeros(())}, (torch.tensor([1, 2]),)],
    "parameter": parameter,
    "frozen parameter": lambda torch: torch.nn.Parameter(torch.ones(2), requires_grad=False),
    "class made from parameter": lambda torch: parameter(torch, "Special"),
    "class made from tensor": lambda torch: torch.ones(2).as_subclass(type("Special", (torch.Tensor,), {})),
    "str": lambda torch: operator.mod("%s and %d", (torch.tensor(2.5), torch.tensor(2.5))),
    "contents": lambda torch: leaf(torch).__repr__(tensor_contents="hidden"),
    "options": lambda torch: torch.set_printoptions(profile="default"),
    "buffer": lambda torch: torch.nn.Buffer(torch.ones(2)),
    "buffer kept apart": lambda torch: repr(torch.nn.Buffer(torch.ones(2), persistent=False)),
    "not yet a parameter": lambda torch: repr(torch.nn.UninitializedParameter()),
    "sizes": lambda torch: f"{torch.ones(2, 3).shape} {torch.Size([])!r} {torch.zeros(2, 3).shape[1:]}",
    "dtypes": lambda torch: [str(getattr(torch, name)) + repr(getattr(torch, name)) for name in NAMES],
    "devices": lambda torch: [repr(torch.device(x)) + str(torch.device(x)) for x in ("cpu", "cpu:0", "cuda:1", "meta")],
    "layouts": lambda torch: f"{torch.strided} {torch.channels_last!r} {torch.ones(1).layout}",
    "iinfo": lambda torch: [repr(torch.iinfo(getattr(torch, name))) for name in NAMES if "int" in name],
    "finfo": lambda torch: [repr(torch.finfo(getattr(torch, name))) for name in ("float16", "bfloat16", "float64")],
    "max": lambda torch: torch.arange(6.0).view(2, 3).max(1),
    "sorted": lambda torch: repr(torch.arange(60.0, requires_grad=True).view(3, 20).sort(1)),
    "ordered dict": lambda torch: OrderedDict(a=torch.ones(2), b=torch.zeros(1, 30)),
    "list of long ones": lambda torch: [torch.arange(40.0)] * 2,
    "parameter list": lambda torch: torch.nn.ParameterList([torch.nn.Parameter(torch.ones(2))]),
    "format of several": lambda torch: f"{torch.ones(2)} {torch.ones(2)!r} {torch.tensor(1)!s} {torch.tensor(2.5)}",
    "class that says its name": lambda torch: str(
        torch.ones(2).as_subclass(type("S", (torch.Tensor,), {"__str__": name_of}))
    ),
    "%": lambda torch: operator.mod("%s %d %.2f %r %x", (*map(torch.tensor, (2.5, 2, 2.25, 1)), torch.tensor(255))),
    "class of a tensor": lambda torch: str(type(torch.ones(1))) + str(type(torch.ones(1).shape)),
    "expanded": lambda torch: torch.ones(1).expand(3, 2),
    "half on meta with a gradient": lambda torch: (
        torch.ones(2, dtype=torch.half, device="meta", requires_grad=True) * 2
    ),
}


@pytest.mark.parametrize("make", TENSORS.values(), ids=TENSORS)
def test_a_tensor_prints_as_in_torch(make):
    same_print(make)


@pytest.mark.parametrize("spec", ["", ".3f", "+.2e", ">12", "08.1f", "g", ".1%"])
@pytest.mark.parametrize("number", [2.5, -1e-7, 3, True, NAN])
def test_a_tensor_without_dims_formats_as_its_number(number, spec):
    same_print(lambda torch: format(torch.tensor(number), spec))


def test_a_tensor_that_requires_grad_formats_as_its_number():
    same_print(lambda torch: f"{leaf(torch)[0, 0]:.2f}")


@pytest.mark.parametrize("spec", ["x", "q", ".2d"])
def test_a_format_that_the_number_refuses_is_an_error(spec):
    same_error(lambda torch: format(torch.tensor(2.5), spec))


@pytest.mark.parametrize(
    "make",
    [
        lambda torch: torch.ones(1),
        lambda torch: torch.nn.Parameter(torch.ones(())),
        lambda torch: torch.ones((), device="meta"),
    ],
)
def test_other_tensors_take_no_format(make):
    same_print(lambda torch: format(make(torch), ""))
    same_error(lambda torch: format(make(torch), ".2f"))


def test_a_tensor_inside_a_jax_function_prints_its_shape():
    printed = []

    def double(x):
        printed.append(repr(from_array(x)))
        return x * 2

    jax.jit(double)(np.ones((2, 3), np.float32))
    assert printed == ["tensor(..., size=(2, 3))"]
