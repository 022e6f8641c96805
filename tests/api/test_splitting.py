"""split, chunk, unbind and kin beside torch: pieces, strides, gradients, errors, writes."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.labels import label
from tests.oracle import check

CUBE = ordinary((2, 3, 4), "float32")
TENSORS = {
    "cube": CUBE, "permuted": CUBE.transpose(2, 0, 1), "matrix": CUBE[0].copy(), "vector": CUBE[0, 0].copy(),
    "0-d": np.array(2.0, np.float32), "empty": np.zeros((0, 3), np.float32),
}  # fmt: skip
CALLS = [
    *((name, n) for n in (1, 2, 3, 0, -1) for name in ("split", "chunk", "tensor_split", "unsafe_split")),
    ("unsafe_chunk", 2),
    *((name, n) for n in (1, 2, 3) for name in ("hsplit", "vsplit", "dsplit")),
    ("split", 2, 1), ("chunk", 2, -1), ("tensor_split", 2, 1), ("split", (1, 1)), ("split", [1, 2], 1), ("split", 1, 9),
    ("split", [-1, 3]), ("split", []), ("split_with_sizes", (1, 1)), ("tensor_split", (1,), 1),
    ("tensor_split", (4, 2)),
    ("tensor_split", (-2, 9)), ("hsplit", [1, 3]), ("vsplit", (1,)), ("unbind",), ("unbind", -1), ("unbind", 4),
    ("split", 1.5), ("chunk", 1.5), ("unsafe_split_with_sizes", (1, 1)),
]  # fmt: skip


@pytest.mark.parametrize("given", TENSORS)
@pytest.mark.parametrize("call", CALLS, ids=label)
def test_split(given, call):
    check(call[0], TENSORS[given], *call[1:], strides=given != "empty")


def test_split_as_methods():
    check("Tensor.split", CUBE, split_size=1)
    check("split", CUBE, split_size_or_sections=2, dim=1)
    check("Tensor.chunk", CUBE, 2, dim=-1)
    check("Tensor.unbind", CUBE, dim=1)
    check(lambda torch, x: list(x), CUBE)
    check(lambda torch, x: x.tensor_split(torch.tensor([1, 2]), 1), CUBE)
    check(lambda torch, x: x.tensor_split(torch.tensor(2), 1), CUBE)
    check(lambda torch, x: x.tensor_split(torch.tensor([[1]]), 1), CUBE)
    check(lambda torch, x: x.split(torch.tensor(1)), CUBE)


def test_gradient_of_some_pieces():
    check(lambda torch, x: x.split(2, 1)[0] * 2, CUBE)
    check(lambda torch, x: x.unbind(1)[2] * x.chunk(2)[1][0, 0], CUBE)


def test_pieces_share_memory():
    def write(torch, x):
        y = x.clone()
        a, b = y.split(2, 1)
        with torch.no_grad():
            a.add_(b)
            y.unbind()[1].zero_()
            b[0] = 5
        return y, a, b

    check(write, CUBE, grad=False)
