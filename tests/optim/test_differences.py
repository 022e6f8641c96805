"""What differs from torch in optimizers: each of these has its reason in tests/gaps.toml."""

from tests.oracle import same


def test_sparse_gradients():
    def run(torch):
        layer = torch.nn.Embedding(4, 2, sparse=True)
        optimizer = torch.optim.SparseAdam(layer.parameters())
        layer(torch.tensor([1, 1, 3])).sum().backward()
        optimizer.step()
        return layer.weight

    same(run)
