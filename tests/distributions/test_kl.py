"""Kullback-Leibler divergences: the registered pairs, each of them beside torch's, and how one is found."""

import warnings
from functools import partial

import pytest
import torch
from torch.distributions.kl import _KL_REGISTRY as THEIRS

from jtorch.distributions.kl import _KL_REGISTRY as OURS
from tests.distributions.cases import PARAMETERS, made, maker
from tests.distributions.comparing import alike, outcome
from tests.oracle import same, same_error, same_warnings


def names(registry):
    return sorted((p.__name__, q.__name__) for p, q in registry)


def sets(name):
    """The sets of parameters in which there is a tensor: numbers have the default dtype."""
    return [p for p in PARAMETERS[name] if any(isinstance(v, list) for v in (p.values() if isinstance(p, dict) else p))]


def test_the_registered_pairs_are_torchs():
    assert names(OURS) == names(THEIRS)


def pairs(module):
    found = {}
    for p, q in names(THEIRS):
        if p not in PARAMETERS:
            continue
        for i, mine in enumerate(sets(p)):
            for j, theirs in enumerate(sets(q)):
                one, other = made(module, p, mine, "float64"), made(module, q, theirs, "float64")
                shapes = {one.batch_shape, other.batch_shape}
                if len(shapes - {()}) > 1:
                    continue  # see below
                found[f"{p} {i}, {q} {j}"] = outcome(partial(module.distributions.kl_divergence, one, other))
    return found


def test_every_pair():
    assert alike(pairs) > 150


def broadcast(module):
    # torch: its masks do not broadcast, and raise or fall on the wrong elements; so torch's are expanded before.
    found = {}
    for p, q in WITH_MASKS:
        one, other = made(module, p, sets(p)[-1], "float64"), made(module, q, sets(q)[0], "float64")
        if module is torch:
            shape = torch.broadcast_shapes(one.batch_shape, other.batch_shape)
            one, other = one.expand(shape), other.expand(shape)
        found[f"{p}, {q}"] = module.distributions.kl_divergence(one, other)
    return found


WITH_MASKS = (
    ("Bernoulli", "Bernoulli"), ("Beta", "Uniform"), ("Pareto", "Pareto"), ("Pareto", "Exponential"),
    ("Pareto", "Gamma"), ("Pareto", "Normal"), ("Uniform", "Beta"), ("Uniform", "Uniform"), ("Uniform", "Gamma"),
    ("Uniform", "Pareto"), ("Categorical", "Categorical"),
)  # fmt: skip


def test_batches_broadcast():
    assert alike(broadcast) == len(WITH_MASKS)


def wrapped(module):
    d, t = module.distributions, maker(module, "float64")
    normal, wider = d.Normal(t([0.0, 1.0]), t([0.5, 2.0])), d.Normal(t([1.0, 1.0]), t(3.0))
    squash = [d.TanhTransform()]
    families = (
        [d.Independent(x, 1) for x in (normal, wider)],
        [d.TransformedDistribution(x, squash) for x in (normal, wider)],
    )
    found = {f"{i}": d.kl_divergence(*family) for i, family in enumerate(families)}
    low = d.LowRankMultivariateNormal(t([0.5, -1.0]), t([[1.0], [0.5]]), t([0.7, 1.5]))
    full = d.MultivariateNormal(t([[0.0, 1.0], [2.0, 0.0]]), t([[2.0, 0.5], [0.5, 1.0]]))
    for i, (p, q) in enumerate([(low, full), (full, low), (low, low), (full, full)]):
        found[f"vectors {i}"] = d.kl_divergence(p, q)

    class Own(d.Gamma):
        pass

    found["subclass"] = d.kl_divergence(Own(t([1.0, 2.0]), t(2.0)), d.Gamma(t(2.0), t(3.0)))
    binomials = [d.Binomial(n, t([0.3, 0.6])) for n in (5, 3)]
    found["binomials"] = d.kl_divergence(*binomials)
    found["family"] = d.kl.kl_divergence(*(d.Poisson(t([1.0, 3.0])) for _ in range(2)))
    found["by Bregman"] = d.kl._KL_REGISTRY[d.ExponentialFamily, d.ExponentialFamily](normal, wider)
    return found


def test_of_wrapped_distributions():
    assert alike(wrapped) == 10


REFUSED = {
    "no pair": lambda m, d: d.kl_divergence(*pair(m, "Normal", "Cauchy")),
    "families": lambda m, d: d.kl._KL_REGISTRY[(d.ExponentialFamily,) * 2](*pair(m, "Normal", "Gamma")),
    "events": lambda m, d: d.kl_divergence(*(d.MultivariateNormal(m.zeros(n), m.eye(n)) for n in (2, 3))),
    "counts": lambda m, d: d.kl_divergence(*(d.Binomial(n, m.tensor([0.5])) for n in (3, 5))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    same_error(lambda m: REFUSED[name](m, m.distributions))


def pair(m, *classes):
    return [getattr(m.distributions, name)(m.tensor(1.0), m.tensor(2.0)) for name in classes]


def test_ambiguous_classes_warn():
    def ambiguous(m):
        d = m.distributions

        class Left(d.Normal):
            pass

        class Right(d.Normal):
            pass

        d.register_kl(Left, d.Normal)(lambda p, q: "left")
        d.register_kl(d.Normal, Right)(lambda p, q: "right")
        try:
            return d.kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0))
        finally:
            for key in ((Left, d.Normal), (d.Normal, Right)):
                del d.kl._KL_REGISTRY[key]
            d.kl._KL_MEMOIZE.clear()

    same_warnings(ambiguous)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(ambiguous)


def test_gradients():
    def gradients(module):
        leaves = [
            maker(module, "float64")(x).requires_grad_() for x in ([0.5, 2.0], [1.0, 3.0], [0.7, 0.2], [2.0, 1.0])
        ]
        found = {}
        for name in ("Normal", "Gamma", "Beta", "Laplace", "Gumbel", "Cauchy", "Uniform"):
            shift = 10 * (name == "Uniform")
            p, q = (getattr(module.distributions, name)(a, b + shift) for a, b in (leaves[:2], leaves[2:]))
            divergence = module.distributions.kl_divergence(p, q)
            found[name] = module.autograd.grad(divergence.sum(), leaves, allow_unused=True)
        return found

    assert alike(gradients) == 28
