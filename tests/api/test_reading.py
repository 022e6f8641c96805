"""Tensors read as Python numbers, lists and NumPy arrays."""

import math
import operator

import numpy as np
import pytest
import torch

from tests.oracle import check, same, same_error, same_print, same_warnings

TENSORS = {
    "0-d": lambda t: t.tensor(2.5), "one": lambda t: t.tensor([2.5]), "1 x 1": lambda t: t.tensor([[3]]),
    "two": lambda t: t.ones(2), "none": lambda t: t.zeros(0), "bool": lambda t: t.tensor(True),
    "int": lambda t: t.tensor(7), "complex": lambda t: t.tensor(1 + 2j), "real": lambda t: t.tensor(1 + 0j),
    "half": lambda t: t.tensor(0.1, dtype=t.float16), "bfloat16": lambda t: t.tensor(0.1, dtype=t.bfloat16),
    "float8": lambda t: t.tensor([0.5]).to(t.float8_e5m2), "nan": lambda t: t.tensor(math.nan),
    "inf": lambda t: t.tensor(-math.inf), "leaf": lambda t: t.tensor(2.5, requires_grad=True),
    "meta": lambda t: t.ones((), device="meta"), "meta from data": lambda t: t.tensor([1.0], device="meta"),
    "large": lambda t: t.tensor(2**62), "negative": lambda t: t.tensor(-3.7), "ints": lambda t: t.arange(2),
    "bools": lambda t: t.tensor([True, False]), "uint8": lambda t: t.tensor(200, dtype=t.uint8),
    "uint16": lambda t: t.tensor([1, 60000], dtype=t.uint16), "uint64": lambda t: t.tensor(2**63, dtype=t.uint64),
    "bfloat16s": lambda t: t.tensor([0.1, 2], dtype=t.bfloat16), "float8s": lambda t: t.tensor([0.5]).to(t.float8_e5m2),
    "halves": lambda t: t.tensor([[0.1], [2]]).half(), "complexes": lambda t: t.tensor([1j, 2]),
    "empty": lambda t: t.zeros(2, 0, 3), "transposed": lambda t: t.arange(6).view(2, 3).T,
    "result": lambda t: t.ones(2, requires_grad=True) * 2,
}  # fmt: skip
READS = {
    "item": lambda x: x.item(), "tolist": lambda x: x.tolist(), "float": float, "int": int, "bool": bool,
    "complex": complex, "index": lambda x: list(range(10))[x], "len": len, "floor": math.floor, "ceil": math.ceil,
    "trunc": math.trunc, "sqrt": math.sqrt, "isnan": math.isnan, "range": lambda x: list(range(x)),
    "times": lambda x: "a" * x, "slice": lambda x: [1, 2, 3, 4][:x], "hex": hex, "chr": chr, "bytes": bytes,
    "format": lambda x: f"{x:.2f}",
    "%d": lambda x: operator.mod("%d", x), "%.1f": lambda x: operator.mod("%.1f", x), "not": operator.not_,
    "hash": lambda x: hash(x) == hash(x), "operator.index": operator.index, "numpy": lambda x: x.numpy(),
    "numpy by force": lambda x: x.numpy(force=True), "asarray": np.asarray,
    "as float64": lambda x: np.asarray(x, float),
    "round": round, "iter of 0-d": lambda x: iter(x) if not x.ndim else None,
}  # fmt: skip
# torch: an uint64 above the largest int64 is refused by all that go by int(); it is read here.
UNLIKE = {(name, "uint64") for name in (
    "int", "bool", "index", "range", "times", "slice", "hex", "chr", "bytes", "%d", "not", "operator.index",
)}  # fmt: skip


@pytest.mark.parametrize("name", READS)
def test_reads(name):
    for kind, make in TENSORS.items():
        if (name, kind) not in UNLIKE:
            with np.errstate(over="ignore"):
                check(lambda t, make=make: READS[name](make(t)), grad=False, exact=True)


def test_numbers_of_tensors_that_require_grad_warn():
    for convert in (float, complex, math.floor):
        same_warnings(lambda t, convert=convert: convert(t.tensor(2.5, requires_grad=True)))


ARRAYS = {
    "array": lambda t: np.array(t.ones(2)), "array as int": lambda t: np.array(t.ones(2), np.int32),
    "of leaf": lambda t: np.array(t.ones(2, requires_grad=True)), "asanyarray": lambda t: np.asanyarray(t.ones(2)),
    "list of numbers": lambda t: np.array([t.tensor(1.0), t.tensor(2.0)]), "list": lambda t: np.array([t.ones(2)] * 2),
    "stack": lambda t: np.stack([t.ones(2), t.zeros(2)]), "concatenate": lambda t: np.concatenate([t.ones(2)] * 2),
    "method": lambda t: t.ones(2).__array__(), "method as": lambda t: t.ones(2).__array__(np.float64),
    "float32": lambda t: np.float32(t.tensor(2.0)), "int64": lambda t: np.int64(t.tensor(2)),
    "zeros_like": lambda t: np.zeros_like(t.ones(2)), "allclose": lambda t: np.allclose(t.ones(2), np.ones(2)),
    "0-d": lambda t: t.tensor(3.5).numpy(), "empty": lambda t: t.zeros(0, 3).numpy(),
    "shape": lambda t: np.shape(t.ones(2)),
    "index": lambda t: np.arange(5)[t.tensor([0, 2])], "mask": lambda t: np.arange(2)[t.tensor([True, False])],
    "transpose": lambda t: np.transpose(t.ones(2, 3, 4), (1, 2, 0)), "reversed": lambda t: np.transpose(t.ones(2, 3)),
    "squeeze": lambda t: np.squeeze(t.ones(1, 2, 1)), "squeeze a dim": lambda t: np.squeeze(t.ones(1, 2, 1), axis=0),
    "of leaf transposed": lambda t: np.transpose(t.ones(2, 3, 4, requires_grad=True), (1, 2, 0)),
    "reshape": lambda t: np.reshape(t.ones(2, 3), (3, 2)), "expand_dims": lambda t: np.expand_dims(t.ones(2, 3), 0),
    "repeat": lambda t: np.repeat(t.arange(3), 2), "where": lambda t: np.where(t.tensor([True, False]), 1, 2),
    "dot": lambda t: np.dot(t.ones(2), t.ones(2)), "matmul": lambda t: np.matmul(t.ones(2, 2), t.ones(2, 2)),
    "einsum": lambda t: np.einsum("i,i", t.ones(2), t.ones(2)), "norm": lambda t: np.linalg.norm(t.ones(4)),
    "clip": lambda t: np.clip(t.arange(4.0), 1, 2), "median": lambda t: np.median(t.arange(4.0)),
    "reduce": lambda t: np.add.reduce(t.ones(3)), "outer": lambda t: np.add.outer(t.ones(2), t.ones(2)),
    "histogram": lambda t: np.histogram(t.arange(4.0)), "searchsorted": lambda t: np.searchsorted(t.arange(4), 2),
    "bincount": lambda t: np.bincount(t.tensor([0, 1, 1])), "pad": lambda t: np.pad(t.ones(2), 1),
    "out": lambda t: np.add(np.ones(2, np.float32), 1, out=t.zeros(2).numpy()),
    "percentile": lambda t: np.percentile(t.arange(5.0), 50),
    "of a subclass": lambda t: t.ones(2).as_subclass(type("S", (t.Tensor,), {})).numpy(),
    "of a parameter": lambda t: t.nn.Parameter(t.ones(2)).numpy(),
    "of a view": lambda t: t.arange(9.0).view(3, 3).diagonal().numpy(),
    "expanded": lambda t: t.ones(1).expand(3).numpy(), "strided": lambda t: t.arange(10)[1::3].numpy(),
    "other dtype": lambda t: t.ones(2).view(t.int32).numpy(), "imag": lambda t: t.tensor([1 + 2j]).imag.numpy(),
    "is nan": lambda t: np.isnan(t.tensor([1.0, math.nan])), "equal": lambda t: np.equal(t.ones(2), 1),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:__array", "ignore:Conversion of an array")
def test_what_numpy_makes_of_tensors():
    for make in ARRAYS.values():
        check(lambda t, make=make: _described(t, make(t)), grad=False, strides=True)


def _described(module, value):
    """Arrays with what check does not look at."""
    return (value, value.strides, value.flags.writeable) if isinstance(value, np.ndarray) and value.size else value


UFUNCS = (
    "negative absolute sqrt exp sin isfinite sign square floor conjugate logical_not reciprocal add subtract multiply "
    "divide power maximum arctan2 less logical_and floor_divide hypot"
)


@pytest.mark.filterwarnings("ignore:__array")
@pytest.mark.parametrize("name", UFUNCS.split())
def test_ufuncs_give_tensors(name):
    ufunc = getattr(np, name)
    for numbers in ([1.0, 2.0, 4.0], [1, 2, 4], 2.0):
        if ufunc.nin == 1:
            check(lambda t, numbers=numbers: ufunc(t.tensor(numbers)), grad=False)
            continue
        check(lambda t, numbers=numbers: ufunc(t.tensor(numbers), np.array([2.0, 3.0, 4.0])), grad=False)
        check(lambda t, numbers=numbers: ufunc(np.array([2.0, 3.0, 4.0]), t.tensor(numbers)), grad=False)
        check(lambda t, numbers=numbers: ufunc(t.tensor(numbers), t.tensor(numbers)), grad=False)
        check(lambda t, numbers=numbers: ufunc(t.tensor(numbers), 2.5), grad=False)


def test_an_array_that_was_asked_not_to_be_copied_is_not():
    same(lambda t: (t.zeros(3), (x := t.zeros(3)), np.asarray(x).__setitem__(1, 5))[1])


def test_numpy_is_refused():
    for refused in (
        lambda t: t.ones(2, requires_grad=True).numpy(),
        lambda t: (t.ones(2, requires_grad=True) * 2).numpy(),
        lambda t: t.ones(2, dtype=t.bfloat16).numpy(),
        lambda t: t.ones(2).to(t.float8_e4m3fn).numpy(),
        lambda t: t.ones(2, device="meta").numpy(),
    ):
        same_error(refused)


@pytest.mark.parametrize("make", [lambda t: t.ones(2, 3, device="meta", requires_grad=True) * 2])
def test_a_result_on_meta_prints(make):
    same_print(lambda t: repr(make(t)))
    assert make(torch).is_meta
