"""Sparse tensors beside torch's: what is made, printed, added and multiplied, gradients, and a graph net's step."""

import warnings

import numpy as np
import pytest
import torch

import jtorch
from tests.oracle import same_error

PLACES, VALUES = [[0, 1, 1, 0], [2, 0, 2, 2]], [3.0, 4.0, 5.0, 6.0]


def pair(torch, size=(2, 3), dtype=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.sparse_coo_tensor(torch.tensor(PLACES), torch.tensor(VALUES), size, dtype=dtype, **options)


def plain(value):
    """What can be compared of a result: texts, arrays, and the parts of sparse tensors."""
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if not isinstance(value, (torch.Tensor, jtorch.Tensor)):
        return str(value).replace("jtorch", "torch")
    if value.is_sparse:
        merged = value.detach().coalesce()
        return [str(value.dtype), tuple(value.shape), merged.indices().numpy(), merged.values().numpy()]
    return [str(value.dtype), value.detach().numpy()]


def alike(one, other):
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and np.allclose(one, other, rtol=1e-5, atol=1e-6)
    return one == other


def dense(torch, *shape):
    return torch.from_numpy(np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32))


EXPRESSIONS = """
s, s.coalesce(), s.t(), s.transpose(0, 1), s.clone(), s.detach(), s.double(), s.to(torch.float64), s.cpu()
s.coalesce().indices(), s.coalesce().values(), s._indices(), s._values(), s._nnz(), s.is_coalesced()
s._coalesced_(True).is_coalesced(), s.values(), s._coalesced_(False).is_coalesced()
s.shape, s.size(0), s.dim(), s.numel(), s.layout, s.is_sparse, s.dtype, s.device, s.sparse_dim(), s.dense_dim()
s.to_dense(), s.coalesce().is_coalesced(), s.requires_grad, s.is_leaf, s.grad, isinstance(s, torch.Tensor)
s @ d, torch.mm(s, d), torch.sparse.mm(s, d), torch.spmm(s, d), s.mm(d), torch.matmul(s, d), s.mv(d[:, 0]), s @ d[:, 0]
torch.spmm(d.t(), d), e @ s, torch.sparse.mm(s, s.t()), s.matmul(s.t())
torch.sparse.addmm(e, s, d, beta=0.5, alpha=2), torch.addmm(e, s, d)
s + s, 2 * s, s * 2, s / 2, s - s, -s, s.add(s, alpha=3), f + s, torch.add(f, s), s * f, s.mul(f)
s.abs(), s.sqrt(), torch.relu(s), s.neg(), s.pow(2), s ** 2, torch.sin(s), s.tanh()
s.sum(), torch.sparse.sum(s), torch.sparse.sum(s, 0), torch.sparse.sum(s, (0, 1)), torch.sum(s)
torch.sparse.softmax(s, 1), torch.sparse.log_softmax(s, 0)
f.to_sparse(), torch.eye(3).to_sparse(), torch.eye(3).to_sparse().coalesce().indices(), f.to_sparse().to_dense()
torch.sparse_coo_tensor(size=(2, 3)), torch.sparse_coo_tensor(p, v), torch.sparse_coo_tensor(p, w, (2, 3, 2))
torch.sparse_coo_tensor(p, w, (2, 3, 2)).to_dense(), torch.sparse.sum(torch.sparse_coo_tensor(p, w, (2, 3, 2)), (1, 2))
torch.sparse_coo_tensor(PLACES, VALUES, dtype=torch.int64), torch.sparse_coo_tensor(p, v.long(), (2, 3)).to_dense()
""".strip().split("\n")


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)))
def test_values(number):
    def seen(torch):
        names = {"torch": torch, "s": pair(torch), "PLACES": PLACES, "VALUES": VALUES, "p": torch.tensor(PLACES)}
        names |= {"v": torch.tensor(VALUES), "w": dense(torch, 4, 2), "d": dense(torch, 3, 2), "e": dense(torch, 2, 2)}
        return plain(eval(EXPRESSIONS[number], names | {"f": dense(torch, 2, 3).relu()}))

    assert alike(seen(torch), seen(jtorch)), (seen(torch), seen(jtorch))


def test_texts():
    for make in (
        lambda t: pair(t),
        lambda t: pair(t).coalesce(),
        lambda t: pair(t, dtype=t.float64),
        lambda t: pair(t, requires_grad=True),
        lambda t: t.sparse_coo_tensor(size=(2, 3)),
        lambda t: t.eye(40).to_sparse(),
        lambda t: t.eye(2, dtype=t.int64).to_sparse(),
        lambda t: t.sparse_coo_tensor(t.tensor(PLACES), dense(t, 4, 2), (2, 3, 2)),
    ):
        assert repr(make(torch)) == repr(make(jtorch)) and str(make(torch)) == str(make(jtorch))


def test_gradients():
    def gradients(torch):
        values, d, f = torch.tensor(VALUES).requires_grad_(), dense(torch, 3, 2), dense(torch, 2, 3)
        d.requires_grad_(), f.requires_grad_()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            s = torch.sparse_coo_tensor(torch.tensor(PLACES), values, (2, 3))
        out = (
            torch.sparse.mm(s, d).pow(2).sum() + (s.to_dense() * f).sum() + torch.sparse.softmax(s, 1).to_dense()[0, 2]
        )
        out.backward()
        leaf = pair(torch, requires_grad=True)
        torch.sparse.mm(leaf, d.detach()).sum().backward()
        return plain([values.grad, d.grad, f.grad, leaf.grad.to_dense(), leaf.requires_grad, leaf.is_leaf])

    assert alike(gradients(torch), gradients(jtorch)), (gradients(torch), gradients(jtorch))


def test_errors():
    for call in (
        lambda t: pair(t).indices(),
        lambda t: pair(t).values(),
        lambda t: pair(t) + dense(t, 2, 3),
        lambda t: pair(t).numpy(),
        lambda t: t.sparse_coo_tensor(t.tensor(PLACES), t.ones(2), (2, 3)),
        lambda t: t.sparse.mm(pair(t), dense(t, 2, 3)),
    ):
        same_error(call)
    with pytest.raises(NotImplementedError, match="Could not run 'aten::exp'.*to_dense"):
        pair(jtorch).exp()


def losses(torch):
    """Three steps of a graph net over a normalized adjacency, as lessons write it."""
    torch.manual_seed(0)
    edges = torch.tensor([[0, 1, 1, 2, 3, 0], [1, 0, 2, 1, 0, 3]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adjacency = torch.sparse.FloatTensor(edges, torch.ones(6), torch.Size([4, 4]))
    degree = torch.sparse.sum(adjacency, 1).to_dense()
    scale = degree.pow(-1)[edges[0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adjacency = torch.sparse_coo_tensor(edges, scale, (4, 4)).coalesce()

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = torch.nn.Linear(3, 8), torch.nn.Linear(8, 2)

        def forward(self, x, adjacency):
            return torch.spmm(adjacency, self.two(torch.relu(torch.spmm(adjacency, self.one(x)))))

    net, x, y, found = Net(), dense(torch, 4, 3), torch.tensor([0, 1, 0, 1]), []
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(3):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x, adjacency), y)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def test_a_graph_net_learns_the_same():
    np.testing.assert_allclose(losses(jtorch), losses(torch), rtol=1e-4)
