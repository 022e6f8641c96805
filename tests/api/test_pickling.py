"""Copies and pickles of tensors and of what hangs on them."""

import copy
import multiprocessing
import operator
import pickle

import numpy as np
import pytest

import jtorch as torch
from tests.oracle import check, same


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


def with_gradient(torch):
    x = torch.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    return x


def with_attributes(torch):
    x = torch.ones(2)
    x.mark, x.other = ["a"], torch.ones(1)
    return x


TENSORS = {
    "rows": lambda t: t.arange(6.0).view(2, 3), "a row": lambda t: t.arange(6.0).view(2, 3)[1],
    "transposed": lambda t: t.arange(6.0).view(2, 3).T, "strided": lambda t: t.arange(6.0)[::2],
    "expanded": lambda t: t.ones(1).expand(3), "empty": lambda t: t.zeros(0, 3), "0-d": lambda t: t.tensor(3.0),
    "bool": lambda t: t.tensor([True]), "complex": lambda t: t.tensor([1j]), "half": lambda t: t.ones(2).half(),
    "bfloat16": lambda t: t.ones(2, dtype=t.bfloat16), "leaf": lambda t: t.ones(2, requires_grad=True),
    "result": lambda t: t.ones(2, requires_grad=True) * 2, "parameter": lambda t: t.nn.Parameter(t.ones(2)),
    "frozen": lambda t: t.nn.Parameter(t.ones(2), requires_grad=False), "buffer": lambda t: t.nn.Buffer(t.ones(2).T),
    "meta": lambda t: t.empty(2, device="meta"), "attributes": with_attributes, "gradient": with_gradient,
    "of numpy": lambda t: t.from_numpy(np.arange(6.0).reshape(2, 3).T), "imag": lambda t: t.tensor([1j, 2]).imag,
    "detached": lambda t: (t.ones(2, requires_grad=True) * 2).detach(), "bits": lambda t: t.ones(2).view(t.int32),
    "max": lambda t: t.arange(6.0).view(2, 3).max(1), "list": lambda t: [x := t.ones(2), x, {"a": x}],
    "not yet": lambda t: t.nn.UninitializedParameter(), "module": lambda t: t.nn.BatchNorm1d(2).state_dict(),
}  # fmt: skip
COPIES = {
    "copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "pickle 2": lambda x: pickle.loads(pickle.dumps(x, 2)), "pickle 5": lambda x: pickle.loads(pickle.dumps(x, 5)),
}  # fmt: skip


def described(module, x):
    if not isinstance(x, module.Tensor) or isinstance(x, module.nn.UninitializedParameter):
        return type(x).__name__ if isinstance(x, module.Tensor) else x
    if x.is_meta:
        return type(x).__name__, str(x.dtype), tuple(x.shape)
    own = {name: value for name, value in vars(x).items() if not name.startswith("_")}
    return type(x).__name__, x, own, x.grad if x.is_leaf else None


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_like_torchs(name):
    for make in TENSORS.values():
        check(lambda t, make=make: described(t, COPIES[name](make(t))), grad=False, strides=True)


def test_pickled_tensors_are_apart_and_one_tensor_stays_one():
    def run(torch):
        x = torch.arange(6.0)
        again = pickle.loads(pickle.dumps([x, x.view(2, 3), x[1:3], x]))
        again[0].add_(1)
        return [t.tolist() for t in again], again[0] is again[3], len(pickle.dumps(torch.arange(10000.0)[:3])) > 20000

    same(run)


def test_tensors_travel_to_a_fresh_process_and_back():
    sent = [
        torch.arange(6.0).view(2, 3).T,
        torch.nn.Parameter(torch.ones(2)),
        torch.tensor([1, 2], dtype=torch.bfloat16),
    ]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        doubled = pool.starmap(operator.mul, [(x.detach(), 2) for x in sent])
        parameter = pool.apply(copy.deepcopy, (sent[1],))
    assert [x.tolist() for x in doubled] == [(x * 2).tolist() for x in sent]
    assert type(parameter) is torch.nn.Parameter and parameter.requires_grad and doubled[2].dtype is torch.bfloat16


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


def test_versions_of_copies():
    def fn(torch):
        x = torch.ones(3).add_(1)
        return [y._version for y in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)))]

    same(fn)


def test_results_that_lie_in_memory_as_their_operands_do():
    def fn(torch):
        x = torch.arange(24.0).view(2, 3, 4).permute(2, 0, 1) * 2
        return [copies(y) for copies in COPIES.values() for y in (x, x[1:], x.mT, x.long())]

    same(fn, strides=True)
