"""Functions of nn.functional as the torch namespace has them."""

import numpy as np
import pytest

from tests.oracle import check, const, same

draw = np.random.default_rng(1)


def normal(*shape):
    return draw.standard_normal(shape).astype(np.float32)


IMAGE, KERNEL = normal(2, 3, 5, 6), normal(4, 3, 2, 2)
CALLS = {
    "conv1d": (normal(2, 3, 7), normal(4, 3, 2), normal(4), 2, 1),
    "conv2d": (IMAGE, KERNEL),
    "conv3d": (normal(1, 2, 4, 4, 4), normal(2, 2, 2, 2, 2)),
    "conv_transpose1d": (normal(1, 3, 5), normal(3, 2, 2)),
    "conv_transpose2d": (normal(1, 3, 4, 4), normal(3, 2, 2, 2), normal(2), 2),
    "max_pool1d": (normal(2, 3, 8), 2),
    "max_pool2d": (IMAGE, 2),
    "avg_pool1d": (normal(2, 3, 8), 2, 3),
    "adaptive_avg_pool1d": (normal(2, 3, 8), 4),
    "adaptive_max_pool1d": (normal(2, 3, 8), 4),
    "max_pool1d_with_indices": (normal(2, 3, 8), 3, 2),
    "instance_norm": (IMAGE, None, None, None, None, True, 0.1, 1e-5, False),
    "embedding": (normal(5, 3), np.array([[1, 4], [0, 1]])),
    "cosine_similarity": (normal(4, 3), normal(4, 3)),
    "pairwise_distance": (normal(4, 3), normal(4, 3)),
    "pdist": (normal(4, 3),),
    "kl_div": (normal(4, 3), np.abs(normal(4, 3)), 2),
    "margin_ranking_loss": (normal(4), normal(4), np.sign(normal(4)), 0.1),
    "hinge_embedding_loss": (normal(4), np.sign(normal(4))),
    "cosine_embedding_loss": (normal(4, 3), normal(4, 3), np.sign(normal(4)), 0.2, 0),
    "poisson_nll_loss": (normal(4), np.abs(normal(4)), True, False, 1e-8, 1),
    "triplet_margin_loss": (normal(4, 3), normal(4, 3), normal(4, 3)),
    "binary_cross_entropy_with_logits": (normal(4), np.abs(np.sign(normal(4))), None, None, 0),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name):
    check(name, *CALLS[name], grad_fn=False)


def test_in_place_forms_and_training():
    def run(torch):
        x = torch.linspace(-2, 2, 6)
        mean, var = torch.zeros(3), torch.ones(3)
        rows = torch.arange(1.0, 7.0).view(3, 2)
        return [
            torch.celu_(x.clone()), torch.selu_(x.clone()), torch.threshold_(x.clone(), 0.5, 9.0),
            torch.rrelu(x, 0.1, 0.3, False), torch.dropout(x, 0.0, True), torch.dropout(x, 0.5, False),
            torch.dropout_(x.clone(), 0.0, True), torch.alpha_dropout(x, 0.3, False),
            torch.batch_norm(torch.arange(12.0).view(4, 3), None, None, mean, var, True, 0.1, 1e-5, False), mean, var,
            torch.embedding_renorm_(rows, torch.tensor([0, 2]), 1.5, 2.0), rows,
        ]  # fmt: skip

    same(run)


@pytest.mark.parametrize("p", [0.0, 1.0, 1.5, 2.0, float("inf")])
def test_pdist(p):
    check("nn.functional.pdist", normal(5, 3).astype(np.float64), p)


def test_pdist_of_equal_rows():
    check("pdist", np.zeros((3, 2), np.float32))
    check("pdist", np.zeros((3,), np.float32))


def test_native_batch_norm():
    weight, mean, var = normal(3), normal(3), np.abs(normal(3)) + 1
    check("native_batch_norm", IMAGE, weight, normal(3), const(mean), const(var), True, 0.1, 1e-5)
    check("native_batch_norm", IMAGE, weight, None, const(mean), const(var), False, 0.1, 1e-5)
    check("native_layer_norm", IMAGE, [6], normal(6), None, 1e-5)


def test_convolutions_of_whole_and_complex_numbers():
    x, w = np.arange(24).reshape(1, 4, 6) % 7 - 3, np.arange(16).reshape(4, 2, 2) % 5 - 2
    check("conv_transpose1d", x, w, np.array([1, -1, 2, 0]), 2, 1, 1, 2)
    check("avg_pool1d", x, 2)
    z, k = (normal(*s) + 1j * normal(*s) for s in ((1, 2, 5), (2, 2, 2)))
    check("conv1d", z.astype(np.complex64), k.astype(np.complex64), grad=2, grad_fn=False)
    check("conv_transpose1d", z.astype(np.complex64), k.astype(np.complex64), grad_fn=False)
