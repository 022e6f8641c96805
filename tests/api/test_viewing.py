"""Views as functions and methods beside torch: values, strides, gradients, names, errors, in-place forms."""

import numpy as np
import pytest
import torch

from tests.edges import ordinary
from tests.labels import label
from tests.oracle import check, same_warnings

CUBE = ordinary((2, 3, 4), "float32")
MATRIX, VECTOR = CUBE[0].copy(), CUBE[0, 0].copy()
SCALAR = np.array(2.0, np.float32)
COMPLEX = ordinary((3, 2), "complex64")
TENSORS = {"cube": CUBE, "permuted": CUBE.transpose(2, 0, 1), "matrix": MATRIX, "vector": VECTOR, "0-d": SCALAR}
CALLS = [
    ("Tensor.view", -1), ("Tensor.view", 2, 12), ("Tensor.view", (24,)), ("Tensor.view", 1, -1), ("Tensor.view", 5),
    ("Tensor.view",), ("Tensor.view", 1.5), ("Tensor.reshape", -1), ("reshape", (12, 2)), ("Tensor.reshape", 2, -1),
    ("reshape", (0, -1)), ("flatten",), ("Tensor.flatten", 1), ("flatten", 1, 2), ("flatten", 2, 1), ("flatten", 0, 5),
    ("ravel",), ("squeeze",), ("squeeze", 0), ("squeeze", -1), ("squeeze", (0, 1)), ("squeeze", 9), ("unsqueeze", 0),
    ("Tensor.unsqueeze", -1), ("unsqueeze", 9), ("narrow", 0, 1, 1), ("narrow", 1, 0, 2), ("narrow", -1, -1, 1),
    ("narrow", 0, 0, 9), ("Tensor.expand", -1, -1, -1, -1), ("Tensor.expand", 5, 2, 3, 4), ("Tensor.expand", (3, -1)),
    ("broadcast_to", (2, 2, 3, 4)), ("as_strided", (2, 2), (1, 2)), ("as_strided", (2,), (3,), 1),
    ("as_strided", (99,), (1,)), ("movedim", 0, 1), ("Tensor.moveaxis", 0, -2), ("Tensor.permute", 0, 2, 1),
    ("permute", (2, 1, 0)), ("Tensor.permute", 0, 0, 1), ("transpose", 0, -1), ("swapaxes", 0, 1), ("swapdims", 0, 1),
    ("Tensor.transpose", 0, 5), ("t",), ("adjoint",), ("diagonal",), ("Tensor.diagonal", 1, -2, -1), ("select", 0, 1),
    ("Tensor.unfold", 0, 2, 1), ("Tensor.unfold", -1, 2, 2), ("atleast_1d",), ("atleast_2d",), ("atleast_3d",),
    ("select", -1, -2), ("Tensor.select", 0, 9),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", TENSORS)
@pytest.mark.parametrize("call", CALLS, ids=label)
def test_view(given, call):
    # torch gives an alias for movedim of a 0-d tensor, jtorch a permutation.
    check(call[0], TENSORS[given], *call[1:], strides=True, grad_fn=given != "0-d")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", TENSORS)
@pytest.mark.parametrize("name", ["T", "mT", "H", "mH", "real", "imag"])
def test_attribute(given, name):
    check(lambda t, x: getattr(x, name), TENSORS[given], strides=True)


@pytest.mark.parametrize("name", ["T", "mT", "H", "mH"])
def test_attribute_of_a_0d_tensor_warns(name):
    same_warnings(lambda t: getattr(t.tensor(2.0), name))


def test_T_of_more_dims_warns():
    same_warnings(lambda t: t.zeros(2, 3, 4).T)


def test_unflatten():
    for args in [(0, (1, -1)), (-1, (2, 2)), (1, (3,)), (0, (1, 3)), (0, ()), (7, (2, 1))]:
        check("Tensor.unflatten", CUBE, *args, strides=True)


def test_narrow_from_a_tensor():
    check(lambda t, x: x.narrow(0, t.tensor(1), 1), CUBE)
    check(lambda t, x: x.narrow(0, t.tensor(1.0), 1), CUBE)


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.float64, torch.bool, torch.float32])
@pytest.mark.parametrize("given", TENSORS)
def test_view_of_another_dtype(given, dtype):
    check("Tensor.view", TENSORS[given], dtype, strides=True, grad=False)


def test_complex_parts():
    for name in ("view_as_real", "real", "imag"):
        check(name, COMPLEX, strides=True)
    check("view_as_complex", MATRIX[:, :2].copy(), strides=True)
    check("real", MATRIX)
    check(lambda t, z: z.real * 2 + z.imag**2, COMPLEX)
    for name in ("mH", "H"):
        check(lambda t, z, name=name: getattr(z, name), COMPLEX)


def test_complex_parts_are_written_to():
    def write(t, z):
        y = z.clone()
        y.real = 3.0 * y.imag
        y.imag[0] = 7
        return y

    check(write, COMPLEX, grad=False)


def test_broadcast_tensors():
    check("broadcast_tensors", MATRIX, VECTOR, SCALAR, strides=True)
    check("broadcast_tensors", MATRIX, CUBE[:, :2, :2])
    check("atleast_2d", [SCALAR, VECTOR])


@pytest.mark.parametrize("given", ["cube", "matrix", "vector"])
@pytest.mark.parametrize(
    "call",
    [("unsqueeze_", 0), ("squeeze_",), ("squeeze_", 0), ("transpose_", 0, 1), ("t_",), ("swapaxes_", 0, 1)],
    ids=label,
)
def test_in_place(given, call):
    check(f"Tensor.{call[0]}", TENSORS[given][:1].copy(), *call[1:], strides=True, grad_fn=False)


def test_in_place_view_then_write():
    def write(t, x, w):
        y = x * 2
        y.unsqueeze_(0)
        y[0, 1] = w
        y.transpose_(0, 1)
        y[0] += 1
        return y * y

    check(write, MATRIX, VECTOR, grad_fn=False)


def test_views_share_memory():
    def write(t, x):
        y = x.clone()
        y.view(-1)[::2] = 0
        y.t().add_(1)
        y.diagonal().mul_(3)
        y.unfold(1, 2, 2).sub_(1)
        y.reshape(2, 6)[1].zero_()
        y.as_strided((2, 2), (1, 5), 1).fill_(-7)
        y.squeeze().unsqueeze(0)[0, 0, 0] = 5
        y.flatten()[3:5] = 9
        return y

    check(write, MATRIX, grad_fn=False)


def test_writing_to_expanded_memory_raises():
    check(lambda t, x: x.clone().expand(3, 2, 3, 4).add_(1), CUBE, grad=False)
