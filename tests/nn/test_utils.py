"""Gradient clipping and parameter vectors against torch's, and what clipping costs."""

import pytest

import jtorch
from jtorch.engine import stats
from tests.oracle import same, same_error, same_warnings


def parameters(torch, dtype="float32", scale=1.0):
    """Three parameters with gradients, and one without."""
    kind = getattr(torch, dtype)
    values = [[[1.0, -2.0, 3.0], [0.5, 4.0, -6.0]], [2.0, -1.0], 7.0]
    made = [torch.nn.Parameter(torch.tensor(v, dtype=kind)) for v in values]
    for p in made:
        p.grad = p.detach() * scale
    return [*made, torch.nn.Parameter(torch.ones(2, dtype=kind))]


@pytest.mark.parametrize("norm_type", [2, 2.0, 1, 3.5, 0, "inf", float("-inf")])
@pytest.mark.parametrize("max_norm", [1.0, 1000, 0])
def test_clip_by_norm(norm_type, max_norm):
    def run(torch):
        ps = parameters(torch)
        grads = [p.grad for p in ps]
        norm = torch.nn.utils.clip_grad_norm_(ps, max_norm, norm_type)
        return norm, [p.grad for p in ps], [p.grad is g for p, g in zip(ps, grads, strict=True)]

    same(run)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_clip_by_norm_in_other_dtypes(dtype):
    def run(torch):
        ps = parameters(torch, dtype)
        return torch.nn.utils.clip_grad_norm_(ps, 2.0), [p.grad for p in ps]

    same(run)


def test_norm_of_mixed_dtypes():
    def run(torch):
        ps = parameters(torch) + parameters(torch, "float64")
        return torch.nn.utils.clip_grad_norm_(ps, 2.0), [p.grad for p in ps]

    same(run)


def test_one_tensor_generators_and_nothing():
    def run(torch):
        utils = torch.nn.utils
        ps = parameters(torch)
        results = [utils.clip_grad_norm_(ps[0], 1.0), utils.clip_grad_norm_(iter(ps), 1.0)]
        return [*results, utils.clip_grad_norm_([], 1.0), utils.clip_grad_norm_(ps[3], 1.0), [p.grad for p in ps]]

    same(run)


def test_in_two_steps():
    def run(torch):
        ps = parameters(torch)
        total = torch.nn.utils.get_total_norm([p.grad for p in ps[:3]])
        torch.nn.utils.clip_grads_with_norm_(ps, 1.0, total)
        return total, [p.grad for p in ps]

    same(run)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_gradients_that_are_not_finite(bad):
    def run(torch):
        ps = parameters(torch, scale=bad)
        return torch.nn.utils.clip_grad_norm_(ps, 1.0), [p.grad for p in ps]

    same(run)
    same_error(lambda torch: torch.nn.utils.clip_grad_norm_(parameters(torch, scale=bad), 1.0, error_if_nonfinite=True))


def test_clip_by_value():
    def run(torch):
        ps = parameters(torch)
        return torch.nn.utils.clip_grad_value_(ps, 1.5), [p.grad for p in ps]

    same(run)


def test_warnings():
    same_warnings(lambda torch: torch.nn.utils.clip_grad_norm(parameters(torch), 1.0))
    same_warnings(lambda torch: torch.nn.utils.clip_grad_norm_((p for p in []), 1.0))


def test_parameters_as_a_vector_and_back():
    def run(torch):
        ps = parameters(torch)
        vector = torch.nn.utils.parameters_to_vector(ps)
        torch.nn.utils.vector_to_parameters(vector.detach() * 2, ps)
        return vector, ps, [p.is_leaf for p in ps]

    same(run)


def test_parameters_become_views_of_the_vector():
    def run(torch):
        ps = parameters(torch)
        vector = torch.zeros(11)
        torch.nn.utils.vector_to_parameters(vector, ps)
        with torch.no_grad():
            ps[1].fill_(5.0)
        return vector, ps

    same(run)


def test_a_vector_is_a_tensor():
    same_error(lambda torch: torch.nn.utils.vector_to_parameters([1.0], []))


def test_clipping_is_part_of_the_step():
    model = jtorch.nn.Sequential(jtorch.nn.Linear(4, 8), jtorch.nn.Tanh(), jtorch.nn.Linear(8, 1))
    optimizer = jtorch.optim.SGD(model.parameters(), lr=0.1)
    x, y = jtorch.randn(16, 4), jtorch.randn(16, 1)

    def step(bound):
        optimizer.zero_grad()
        jtorch.nn.functional.mse_loss(model(x), y).backward()
        jtorch.nn.utils.clip_grad_norm_(model.parameters(), bound)
        jtorch.nn.utils.clip_grad_value_(model.parameters(), bound)
        optimizer.step()

    for bound in (1.0, 0.9, 0.8, 0.7):
        step(bound)
    stats.reset()
    for i in range(5):
        step(0.6 - i / 100)
    assert stats.compiles == 0
    assert dict(stats.flushes) == {"step": 5}
