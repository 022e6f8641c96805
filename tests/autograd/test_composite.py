"""What torch makes of several nodes and jtorch of one call: the graph that users walk is torch's all the same."""

import numpy as np
import pytest
import torch

import jtorch
from tests.autograd.test_graph import walk
from tests.oracle import both, same, same_error


def r(torch, *shape):
    return torch.ones(*shape).requires_grad_()


def pair(torch, a, b):
    return r(torch, *a), r(torch, *b)


GRAPHS = {
    "linear": lambda torch, F: F.linear(r(torch, 2, 3), r(torch, 4, 3), r(torch, 4)),
    "linear without bias": lambda torch, F: F.linear(r(torch, 2, 3), r(torch, 4, 3)),
    "linear on data": lambda torch, F: F.linear(torch.ones(2, 3), r(torch, 4, 3), r(torch, 4)),
    "frozen linear": lambda torch, F: F.linear(r(torch, 2, 3), torch.ones(4, 3), torch.ones(4)),
    "linear on a vector": lambda torch, F: F.linear(r(torch, 3), r(torch, 4, 3), r(torch, 4)),
    "linear on a vector without bias": lambda torch, F: F.linear(r(torch, 3), r(torch, 4, 3)),
    "linear in 3 dims": lambda torch, F: F.linear(r(torch, 2, 5, 3), r(torch, 4, 3), r(torch, 4)),
    "linear in 3 dims without bias": lambda torch, F: F.linear(r(torch, 2, 5, 3), r(torch, 4, 3)),
    "linear in 4 dims on data": lambda torch, F: F.linear(torch.ones(2, 5, 6, 3), r(torch, 4, 3), r(torch, 4)),
    "matmul 3, 2": lambda torch, F: torch.matmul(*pair(torch, (2, 5, 3), (3, 4))),
    "matmul 3, 1": lambda torch, F: torch.matmul(*pair(torch, (2, 2, 3), (3,))),
    "matmul 3, 3": lambda torch, F: torch.matmul(*pair(torch, (2, 5, 3), (2, 3, 4))),
    "matmul 4, 4": lambda torch, F: torch.matmul(*pair(torch, (2, 2, 5, 3), (2, 2, 3, 4))),
    "matmul 1, 2": lambda torch, F: torch.matmul(*pair(torch, (3,), (3, 4))),
    "matmul 2, 2": lambda torch, F: torch.matmul(*pair(torch, (2, 3), (3, 4))),
    "conv1d": lambda torch, F: F.conv1d(r(torch, 1, 2, 5), r(torch, 3, 2, 3)),
    "conv2d": lambda torch, F: F.conv2d(torch.ones(1, 2, 5, 5), r(torch, 3, 2, 3, 3), r(torch, 3)),
    "conv_transpose2d": lambda torch, F: F.conv_transpose2d(r(torch, 1, 2, 4, 4), r(torch, 2, 3, 2, 2)),
    "cross_entropy": lambda torch, F: F.cross_entropy(r(torch, 2, 3), torch.tensor([0, 1])),
    "weighted cross_entropy": lambda torch, F: F.cross_entropy(r(torch, 2, 3), torch.tensor([0, 1]), torch.ones(3)),
    "cross_entropy in 3 dims": lambda torch, F: F.cross_entropy(r(torch, 2, 3, 4), torch.zeros(2, 4).long()),
    "cross_entropy in 4 dims": lambda torch, F: F.cross_entropy(r(torch, 2, 3, 4, 4), torch.zeros(2, 4, 4).long()),
    "cross_entropy of each": lambda torch, F: F.cross_entropy(
        r(torch, 2, 3, 4), torch.zeros(2, 4).long(), reduction="none"
    ),
    "cross_entropy of probabilities": lambda torch, F: F.cross_entropy(r(torch, 2, 3), torch.ones(2, 3)),
    "sum of probabilities": lambda torch, F: F.cross_entropy(r(torch, 2, 3), torch.ones(2, 3), reduction="sum"),
    "each of probabilities": lambda torch, F: F.cross_entropy(r(torch, 2, 3), torch.ones(2, 3), reduction="none"),
    "max_pool1d": lambda torch, F: F.max_pool1d(r(torch, 1, 2, 4), 2),
    "avg_pool1d": lambda torch, F: F.avg_pool1d(r(torch, 1, 2, 4), 2),
    "adaptive_avg_pool1d": lambda torch, F: F.adaptive_avg_pool1d(r(torch, 1, 2, 4), 2),
    "batch_norm": lambda torch, F: F.batch_norm(
        r(torch, 3, 2), torch.zeros(2), torch.ones(2), r(torch, 2), r(torch, 2), True
    ),
    "batch_norm in use": lambda torch, F: F.batch_norm(r(torch, 3, 2), torch.zeros(2), torch.ones(2)),
    "instance_norm": lambda torch, F: F.instance_norm(r(torch, 3, 4, 5)),
    "affine instance_norm": lambda torch, F: F.instance_norm(r(torch, 3, 4, 5), None, None, r(torch, 4), r(torch, 4)),
    "layer_norm": lambda torch, F: F.layer_norm(r(torch, 3, 4), (4,), r(torch, 4), r(torch, 4)),
    "rms_norm": lambda torch, F: F.rms_norm(r(torch, 3, 4), (4,)),
    "affine rms_norm": lambda torch, F: F.rms_norm(r(torch, 3, 4), (4,), r(torch, 4)),
    "embedding": lambda torch, F: F.embedding(torch.tensor([1, 2]), r(torch, 4, 3)),
    "dropout": lambda torch, F: F.dropout(r(torch, 4)),
    "bilinear": lambda torch, F: F.bilinear(r(torch, 2, 3), r(torch, 2, 4), r(torch, 5, 3, 4), r(torch, 5)),
    "index": lambda torch, F: r(torch, 3, 4)[torch.tensor([0, 1])],
    "mask": lambda torch, F: r(torch, 3)[torch.tensor([True, False, True])],
    "gather": lambda torch, F: r(torch, 3).gather(0, torch.tensor([1])),
    "where": lambda torch, F: torch.where(torch.tensor([True, False]), *pair(torch, (2,), (2,))),
    "masked_fill": lambda torch, F: r(torch, 2).masked_fill(torch.tensor([True, False]), 0),
    "a constant of ints": lambda torch, F: r(torch, 2) * torch.tensor([1, 2]),
    "1 / x": lambda torch, F: 1 / r(torch, 3),
    "outer": lambda torch, F: torch.outer(*pair(torch, (2,), (3,))),
    "kron": lambda torch, F: torch.kron(*pair(torch, (2, 2), (2, 2))),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_graph_is_torchs(name):
    expected, actual = both(lambda module: walk(GRAPHS[name](module, module.nn.functional).grad_fn))
    assert actual == expected


@pytest.mark.parametrize("module", [torch, jtorch])
def test_a_node_between_is_one_object_and_leads_to_the_leaf(module):
    layer = module.nn.Linear(3, 4)
    out = layer(module.ones(2, 3))
    turned = out.grad_fn.next_functions[2][0]
    assert turned is out.grad_fn.next_functions[2][0]
    assert turned.name() == "TBackward0" and isinstance(turned, module.autograd.graph.Node)
    assert turned.next_functions[0][0].variable is layer.weight
    assert out.grad_fn.next_functions[0][0].variable is layer.bias


def test_hooks_on_the_call_see_and_change_its_gradients():
    def run(torch):
        layer = torch.nn.Linear(3, 4)
        with torch.no_grad():
            layer.weight.fill_(0.5)
            layer.bias.fill_(1)
        x = torch.from_numpy(np.arange(6, dtype=np.float32).reshape(2, 3)).requires_grad_()
        out = layer(x)
        out.grad_fn.register_hook(lambda gi, go: (gi[0] * 2, gi[1] * 3, gi[2]))
        out.sum().backward()
        return layer.bias.grad, x.grad, layer.weight.grad

    same(run)


def test_a_second_backward_is_refused():
    def run(torch):
        out = torch.nn.Linear(3, 4)(torch.ones(2, 3)).sum()
        out.backward()
        out.backward()

    same_error(run)


def test_a_hook_on_a_node_between_is_refused():
    node = jtorch.nn.Linear(3, 4)(jtorch.ones(2, 3)).grad_fn.next_functions[2][0]
    with pytest.raises(RuntimeError, match="TBackward0 is a part of AddmmBackward0"):
        node.register_hook(lambda gi, go: None)
