"""Ops that join, repeat, reorder, pad and convert, beside torch."""

import numpy as np
import pytest
import torch

from tests.edges import ordinary
from tests.oracle import COMPLEX, FLOATS, INTS, check

X = ordinary((2, 3), "float32")
CUBE = ordinary((2, 3, 4), "float32")
SCALAR = np.array(1.5, np.float32)
EMPTY = np.zeros((0,), np.float32)
NO_ROWS = np.zeros((0, 3), np.float32)
WHOLE = np.array([1, 2])
TENSORS = {"matrix": X, "0-d": SCALAR, "cube": CUBE, "transposed": X.T, "empty": NO_ROWS}

JOINED = {
    "two": [X, X + 1], "one": [X], "none": [], "of other dims": [X, X[0]], "0-d": [X, SCALAR],
    "two 0-d": [SCALAR, SCALAR],
    "other columns": [X, CUBE[0, :, :3]], "legacy empty": [X, EMPTY], "legacy empties": [EMPTY, EMPTY],
    "legacy empty first": [EMPTY, X], "no rows": [X, NO_ROWS], "half and bfloat16": [X.astype("float16"), X],
    "whole and float": [WHOLE, np.array([1.5], np.float32)], "vectors": [X[0], X[1]], "cubes": [CUBE, CUBE],
    "bool and float": [X > 0, X],
}  # fmt: skip


@pytest.mark.parametrize("given", JOINED)
@pytest.mark.parametrize("name", ["cat", "stack", "hstack", "vstack", "dstack", "column_stack", "block_diag"])
def test_join(name, given):
    if name == "block_diag":
        # torch's own gradient is shifted by the row that a first empty vector takes up.
        check("block_diag", *JOINED[given], grad=given != "legacy empty first")
    else:
        check(name, JOINED[given], grad_fn=name in ("cat", "stack"))


@pytest.mark.parametrize("dim", [1, -1, 2, -3])
def test_join_along_a_dim(dim):
    check("cat", [X, X * 2], dim)
    check("stack", [X, X * 2], dim=dim)
    check("concatenate", [CUBE, CUBE], dim=dim)


def test_join_into_out():
    check("cat", [X, X], out=np.zeros((4, 3), np.float32))
    check("stack", [X, X], 1, out=np.zeros((1,), np.float32))


@pytest.mark.parametrize("given", TENSORS)
def test_repeat(given):
    x = TENSORS[given]
    for repeats in [(2,), (2, 2, 2), (2, 0), (2, 3), ()]:
        check("Tensor.repeat", x, repeats)
        check("tile", x, repeats)
    check("Tensor.repeat", x, 2, 1, 3)
    check("Tensor.tile", x, 2, 1)
    if x.size:
        check("Tensor.repeat", x, -1, 2)


@pytest.mark.parametrize("given", TENSORS)
def test_roll_and_flip(given):
    x = TENSORS[given]
    for shifts, dims in [(1, 0), (-4, -1), ((1, 2), (0,)), ((1, 2), (0, 1)), ((1, 1), (0, 0)), ((), ())]:
        check("roll", x, shifts, dims)
    check("roll", x, 2)
    check("roll", x, (1, 2))
    for dims in [(0,), (), (0, 0), (5,), (-1, 0)]:
        check("flip", x, dims)
    check("Tensor.flip", x, 0)
    check("fliplr", x)
    check("Tensor.flipud", x)


@pytest.mark.parametrize("given", TENSORS)
def test_rot90(given):
    for k in range(-1, 5):
        check("rot90", TENSORS[given], k)
    for dims in [(-1, 0), (0, 0), (0,), (0, 5), (0, -2)]:
        check("rot90", TENSORS[given], 1, dims)


@pytest.mark.parametrize("given", TENSORS)
@pytest.mark.parametrize("diagonal", [-9, -1, 0, 1])
def test_triangles_and_diagonals(given, diagonal):
    x = TENSORS[given]
    for name in ("tril", "triu", "diag", "diagflat", "diag_embed"):
        check(name, x, diagonal)
    check("Tensor.tril_", x, diagonal)


def test_diag_of_vectors_and_triangles_of_bools():
    check("diag", X[0])
    check("diag", X[0], 2)
    check("diag", X[0], -1)
    check("triu", X > 0)


@pytest.mark.parametrize("dims", [(0, 2), (2, 0), (1, 0), (0, 0), (-1, 0), (0, 7), (0, -1)])
def test_diag_embed_in_dims(dims):
    for offset in (0, 1, -1):
        check("diag_embed", X, offset, *dims)
    check("diag_embed", SCALAR, 0, *dims)


@pytest.mark.parametrize("pad", [(1, 2), (1, -1, 0, 1), (1,), (1,) * 6, (-2, -2), (-1, -2), (5, -4), (), (2, -3, 1, 1)])
def test_constant_pad(pad):
    check("constant_pad_nd", X, pad)
    check("constant_pad_nd", X, pad, 7.5)
    check("constant_pad_nd", WHOLE, pad, 1.5)
    check("constant_pad_nd", X > 0, pad, 1)


def test_clone():
    check("clone", X.T)
    check("Tensor.clone", SCALAR)


NUMBERS = [
    0.0, -0.0, 0.5, -1.5, 300.7, 7e4, -7e4, 3e9, -3e9, 9.3e18, 1e20, -1e20, 2**31 - 200.0, -(2.0**31), np.inf, -np.inf,
    np.nan,
]  # fmt: skip


@pytest.mark.parametrize("source", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("target", [*FLOATS, *INTS, *COMPLEX, "bool", "uint16", "uint32", "uint64"])
def test_convert_floats(source, target):
    # What does not fit a wide unsigned integer depends, in torch, on where in the tensor it stands.
    numbers = [n for n in NUMBERS if 0 <= n < 2**32 or target not in ("uint32", "uint64")]
    check(lambda t, x: x.to(getattr(t, source)).to(getattr(t, target)), np.array(numbers), grad=False)


@pytest.mark.parametrize("target", [*FLOATS, *INTS, *COMPLEX, "bool", "uint16", "uint32", "uint64"])
def test_convert_whole_numbers(target):
    x = np.array([300, -1, 2**40, 0, -(2**63), 2**63 - 1])
    check("Tensor.to", x, getattr(torch, target))


@pytest.mark.filterwarnings("ignore:Casting complex")
@pytest.mark.parametrize("target", ["float32", "int32", "bool", "complex128"])
def test_convert_complex(target):
    check("Tensor.to", np.array([1 + 2j, 1j, -2.5, 0], np.complex64), getattr(torch, target))


def test_convert_to_float8():
    x = np.array([0, 1.1, 448, 470, 500, -500, 6e4, np.nan], np.float32)
    check(lambda t, x: x.to(t.float8_e4m3fn).to(t.float32), x, grad=False)
    check(lambda t, x: x.to(t.float8_e5m2).to(t.float32), x, grad=False)
