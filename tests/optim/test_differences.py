"""Where jtorch's optimizers differ from torch's, each a gap with its reason in tests/gaps.toml."""

from tests.oracle import same


def test_momentum_of_sparse_gradients():
    def run(torch):
        layer = torch.nn.Embedding(4, 2, sparse=True)
        optimizer = torch.optim.SGD(layer.parameters(), momentum=0.9)
        layer(torch.tensor([1, 1, 3])).sum().backward()
        optimizer.step()
        return optimizer.state_dict()["state"][0]["momentum_buffer"].is_sparse

    same(run)
