"""Sparse gradients beside torch's: what they are, how they add up, where they are refused."""

import copy
import io
import warnings

import pytest
import torch

import jtorch
from tests.oracle import same_error, same_print

INDICES, COTANGENT = ((1, 2), (1, 4)), (1.0, 2.0)


def table(torch, **options):
    return torch.arange(10.0).reshape(5, 2).to(**options).requires_grad_()


def looked_up(torch, indices=INDICES, weight=None, **options):
    """A table of which rows were looked up, after the backward pass."""
    weight = table(torch) if weight is None else weight
    rows = torch.nn.functional.embedding(torch.tensor(indices).long(), weight, sparse=True, **options)
    (rows * torch.tensor(COTANGENT, dtype=weight.dtype)).sum().backward()
    return weight


def bagged(torch, mode, samples=None, **options):
    weight, offsets = table(torch), torch.tensor([0, 2])
    samples = None if samples is None else torch.tensor(samples, requires_grad=True)
    bags = torch.nn.functional.embedding_bag(
        torch.tensor([1, 2, 4, 1, 3]), weight, offsets, mode=mode, sparse=True, per_sample_weights=samples, **options
    )
    names = [None if node is None else node.name() for node, _ in bags.grad_fn.next_functions]
    (bags * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    return weight.grad, names, None if samples is None else samples.grad


def added(torch, *others):
    """The gradient after further passes, each of indices looked up: 'dense' where not as sparse ones."""
    weight = looked_up(torch)
    for indices in others:
        if indices == "dense":
            torch.nn.functional.embedding(torch.tensor([0, 0, 3]), weight).sum().backward()
        else:
            looked_up(torch, indices, weight)
    return weight.grad


def in_one_pass(torch, sparse):
    weight = table(torch)
    one = torch.nn.functional.embedding(torch.tensor([1, 1]), weight, sparse=True)
    other = torch.nn.functional.embedding(torch.tensor([0, 1]), weight, sparse=sparse)
    (one * other).sum().backward()
    return weight.grad


def watched(torch):
    with torch.autograd.detect_anomaly():
        return looked_up(torch).grad


def twice(torch):
    weight = table(torch)
    rows = torch.nn.functional.embedding(torch.tensor([1, 1]), weight, sparse=True)
    (grad,) = torch.autograd.grad(rows.pow(2).sum(), weight, create_graph=True)
    grad.coalesce().values().sum().backward()
    return grad, grad.requires_grad, weight.grad


def hooked(torch):
    weight, seen = table(torch), []
    weight.register_hook(lambda grad: seen.append(grad) or grad * 2)
    weight.register_post_accumulate_grad_hook(lambda weight: seen.append(weight.grad))
    return [*seen, looked_up(torch, weight=weight).grad]


def changed(torch):
    """What in-place calls make of a gradient, and what shares its values."""
    grad = looked_up(torch).grad
    other, held, apart = grad.data, grad._values(), copy.deepcopy(grad)
    grad.mul_(2).div_(4).neg_()
    grad.add_(apart, alpha=3)
    return grad, other, held, apart, apart.copy_(grad), other.zero_(), grad.detach().clone()


def cleared(torch):
    layer = torch.nn.Embedding(5, 2, sparse=True, _weight=torch.ones(5, 2))
    layer(torch.tensor([1, 2])).sum().backward()
    layer.zero_grad(set_to_none=False)
    first = repr(layer.weight.grad)
    layer(torch.tensor([3])).sum().backward()
    layer.double()
    return first, layer.weight.grad, copy.deepcopy(layer).weight.grad, repr(layer)


def saved(torch):
    grad = looked_up(torch).grad
    file = io.BytesIO()
    torch.save({"as it is": grad, "coalesced": grad.coalesce()}, file)
    file.seek(0)
    return torch.load(file)


def facts(torch):
    grad = looked_up(torch, padding_idx=1).grad
    merged = grad.coalesce()
    return (
        grad.is_sparse, grad.layout, grad.is_coalesced(), grad._nnz(), grad._indices(), grad._values(), grad.shape,
        grad.dtype, grad.requires_grad, grad.grad_fn, grad.is_leaf, grad.to_dense(), merged, grad.norm(), grad[4],
        table(torch).detach().sparse_mask(merged), grad.isnan(), torch.zeros_like(grad), table(torch).detach() - grad,
    )  # fmt: skip


TEXTS = [
    facts, watched, twice, hooked, changed, cleared, saved,
    lambda torch: [looked_up(torch, **options).grad for options in ({}, {"padding_idx": 1}, {"indices": []})],
    lambda torch: [looked_up(torch, weight=table(torch, dtype=getattr(torch, name))).grad for name in KINDS],
    lambda torch: [added(torch), added(torch, "dense"), added(torch, (0, 3), "dense", (1, 1))],
    lambda torch: [added(torch, (0, 3), (0, 0)).coalesce(), added(torch, *[(0, 3)] * 4).coalesce()],
    lambda torch: [in_one_pass(torch, True).coalesce(), in_one_pass(torch, False)],
    lambda torch: [bagged(torch, mode, padding_idx=at) for mode in ("sum", "mean") for at in (None, 1)],
    lambda torch: bagged(torch, "sum", (1.0, 2.0, 3.0, 4.0, 5.0)),
]  # fmt: skip
KINDS = ("float16", "bfloat16", "float64")


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_texts(number):
    def run(torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(TEXTS[number](torch))

    same_print(run)


def step(torch, name, **options):
    weight = looked_up(torch)
    getattr(torch.optim, name)([weight], **options).step()


def test_refusals():
    optimizers = "Adam AdamW Adamax NAdam RAdam RMSprop Rprop ASGD Adadelta Adafactor Muon".split()
    for call in (
        *(lambda torch, name=name: step(torch, name) for name in optimizers),
        lambda torch: step(torch, "SGD", weight_decay=0.1),
        lambda torch: step(torch, "SGD", fused=True),
        lambda torch: step(torch, "Adagrad", weight_decay=0.1),
        lambda torch: step(torch, "Adagrad", fused=True),
        lambda torch: looked_up(torch, scale_grad_by_freq=True),
        lambda torch: bagged(torch, "sum", scale_grad_by_freq=True),
        lambda torch: bagged(torch, "max"),
        lambda torch: looked_up(torch).grad + table(torch).detach(),
        lambda torch: table(torch).detach().copy_(looked_up(torch).grad),
        lambda torch: looked_up(torch).grad.t(),
        lambda torch: looked_up(torch).grad.values(),
        lambda torch: setattr(table(torch), "grad", torch.eye(3).to_sparse()),
    ):
        same_error(call)
    for call, name in (
        (lambda torch, w: torch.nn.utils.clip_grad_norm_([w], 1.0), "aten::linalg_vector_norm'"),
        (lambda torch, w: torch.nn.utils.clip_grad_value_([w], 1.0), "aten::clamp_min_'"),
        (lambda torch, w: torch.nn.utils.clip_grad_value_([w], 1.0, foreach=False), "aten::clamp_'"),
        (lambda torch, w: w.grad.clamp_(0, 1), "aten::clamp_'"),
    ):
        for module in (torch, jtorch):
            with pytest.raises(NotImplementedError, match=f"Could not run '{name} with arguments from the 'SparseCPU'"):
                call(module, looked_up(module))
