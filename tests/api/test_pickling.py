"""Copies and pickles of tensors and of what hangs on them."""

import copy
import pickle

import numpy as np
import pytest

import jtorch as torch
from tests.oracle import same


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "bfloat16", "complex64"])
def test_a_tensor_survives_pickling(dtype):
    x = torch.tensor([[1, 0], [3, 4]]).to(getattr(torch, dtype))
    y = pickle.loads(pickle.dumps(x))
    assert type(y) is torch.Tensor and y.dtype is x.dtype and torch.equal(x, y)


def test_requires_grad_and_class_survive():
    p = torch.nn.Parameter(torch.ones(2))
    q = pickle.loads(pickle.dumps(p))
    assert type(q) is torch.nn.Parameter and q.requires_grad and q.tolist() == [1.0, 1.0]
    assert pickle.loads(pickle.dumps(torch.ones(1, requires_grad=True))).requires_grad


@pytest.mark.parametrize("make", [lambda t: t.float32, lambda t: t.device("cpu"), lambda t: t.ones(2, 3).shape])
def test_small_things_survive(make):
    thing = make(torch)
    again = pickle.loads(pickle.dumps(thing))
    assert again == thing and type(again) is type(thing)
    assert copy.deepcopy(thing) == thing


def test_deepcopy_keeps_sharing():
    def run(torch):
        x = torch.arange(6.0)
        both = copy.deepcopy([x, x.view(2, 3), x[1:3]])
        both[0].add_(1)
        both[2].mul_(10)
        return [t.tolist() for t in both], x.tolist()

    same(run)


def test_deepcopy_of_a_leaf_with_gradient():
    def run(torch):
        x = torch.ones(2, requires_grad=True)
        (x * 3).sum().backward()
        y = copy.deepcopy(x)
        y.grad.add_(1)
        return y.requires_grad, y.is_leaf, y.grad.tolist(), x.grad.tolist()

    same(run)


def test_deepcopy_of_a_result_raises():
    same(lambda torch: copy.deepcopy(torch.ones(2, requires_grad=True) * 2))


def test_copies_do_not_follow():
    def run(torch):
        x = torch.from_numpy(np.ones(3))
        copies = copy.copy(x), copy.deepcopy(x), x.clone()
        x.add_(1)
        return [c.tolist() for c in copies]

    same(run)
