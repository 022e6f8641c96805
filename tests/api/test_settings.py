"""Constants and settings beside torch."""

import pickle

import pytest
import torch

import jtorch
from tests.oracle import same_error

FLOATS = ["float32", "float64", "float16", "bfloat16", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2"]
INTS = ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("name", FLOATS)
def test_finfo(name):
    a, b = torch.finfo(getattr(torch, name)), jtorch.finfo(getattr(jtorch, name))
    assert repr(a) == repr(b)
    for field in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(a, field) == getattr(b, field)


@pytest.mark.parametrize("name", INTS)
def test_iinfo(name):
    a, b = torch.iinfo(getattr(torch, name)), jtorch.iinfo(getattr(jtorch, name))
    assert (repr(a), a.bits, a.min, a.max, a.dtype) == (repr(b), b.bits, b.min, b.max, b.dtype)


WRONG = [
    lambda torch: torch.finfo(torch.int32),
    lambda torch: torch.iinfo(torch.float32),
    lambda torch: torch.iinfo(torch.bool),
    lambda torch: torch.finfo(3),
    lambda torch: torch._check(False, lambda: "no"),
    lambda torch: torch._assert(False, "no"),
    lambda torch: torch._assert_async(torch.tensor(0)),
    lambda torch: torch._assert_async(torch.tensor([False]), "no"),
    lambda torch: torch._assert_async(torch.tensor([True, True])),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_errors(wrong):
    same_error(wrong)


@pytest.mark.parametrize("name", ["strided", "channels_last", "contiguous_format", "preserve_format", "sparse_coo"])
def test_constants_print_as_torchs(name):
    mine = getattr(jtorch, name)
    assert repr(mine) == repr(getattr(torch, name))
    assert repr(type(mine)) == repr(type(getattr(torch, name)))
    assert pickle.loads(pickle.dumps(mine)) is mine


def test_typename():
    def names(torch):
        things = torch.ones(1), torch.ones(1, dtype=torch.long), torch.nn.Linear(1, 1), torch.nn.Linear, 3, "a", [1]
        return [torch.typename(t) for t in things]

    assert names(torch) == names(jtorch)


def test_tensor_kind():
    x = jtorch.ones(2)
    assert x.layout is jtorch.strided and x.is_cpu and not x.is_sparse
