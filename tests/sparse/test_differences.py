"""Where jtorch's sparse tensors differ from torch's, each a gap with its reason in tests/gaps.toml."""

from tests.oracle import same


def test_the_gradient_of_a_table_that_is_no_leaf():
    def run(torch):
        weight = torch.ones(4, 2, requires_grad=True)
        torch.nn.functional.embedding(torch.tensor([1]), weight * 2, sparse=True).sum().backward()
        return weight.grad.is_sparse

    same(run)


def test_values_at_the_same_places_of_a_sum():
    def run(torch):
        one, other = (torch.sparse_coo_tensor([places], [1.0, 2.0], (4,)) for places in ([3, 1], [1, 1]))
        return (one + other)._indices()

    same(run)
