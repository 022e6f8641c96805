"""Samples: torch's own from its seeds, and the gradients that reach the parameters through them."""

from functools import partial

import pytest

from tests.distributions.cases import PARAMETERS, RELAXED, every, like, made, maker
from tests.distributions.comparing import alike, outcome

# torch: approximates the slopes of gamma, beta and Dirichlet numbers, to three digits; ours are exact to the dtype's.
APPROXIMATE = (
    "Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "InverseGamma", "StudentT", "Wishart",
)  # fmt: skip


def samples(module):
    found = {}
    module.manual_seed(3)
    for label, distribution in every(module, "float32").items():
        found[f"{label}: sample"] = distribution.sample((20,))
        if distribution.has_rsample:
            found[f"{label}: rsample"] = distribution.rsample((20,))
    return found


@pytest.mark.filterwarnings("ignore")
def test_every_sample():
    assert alike(samples, rtol=1e-4, atol=1e-5) > 180


def gradients(names, values, module):
    found = {}
    for name, sets in {**PARAMETERS, **RELAXED}.items():
        if name in names:
            parameters = next(p for p in sets if isinstance(p, tuple) and _has_list(p))
            for of, grads in of_one(module, name, parameters, values).items():
                found[f"{name}: {of}"] = grads
    return found


def of_one(module, name, parameters, values):
    """Gradients of log_prob, entropy and rsample in the parameters, and of log_prob in the value."""
    leaves = []

    def leaf(value):
        leaves.append(maker(module, "float64")(value).requires_grad_())
        return leaves[-1]

    def grad(result, wanted=leaves):
        return module.autograd.grad(result.sum(), wanted, allow_unused=True)

    distribution = made(module, name, parameters, leaf)
    module.manual_seed(1)
    drawn = distribution.sample((2,))
    value = like(module, values.setdefault(name, drawn)).requires_grad_(drawn.dtype.is_floating_point)
    given = [*leaves, value] if value.requires_grad else leaves
    return {
        "log_prob": outcome(lambda: grad(distribution.log_prob(value), given)),
        "entropy": outcome(lambda: grad(distribution.entropy())),
        "rsample": outcome(lambda: grad(_weighed(module, distribution.rsample((20,))))),
    }


def _has_list(parameters):
    return any(isinstance(value, list) for value in parameters)


def _weighed(module, drawn):
    return (drawn * module.arange(drawn.numel(), dtype=drawn.dtype).reshape(drawn.shape).cos()).sum()


@pytest.mark.filterwarnings("ignore")
def test_gradients():
    exact = {*PARAMETERS, *RELAXED} - {*APPROXIMATE}
    # torch: the log_prob of GeneralizedPareto refuses float64.
    assert alike(partial(gradients, exact, {}), known="Double did not match Float", rtol=1e-6, atol=1e-7) > 150


@pytest.mark.filterwarnings("ignore")
def test_gradients_of_gamma_numbers():
    assert alike(partial(gradients, APPROXIMATE, {}), rtol=3e-3, atol=1e-3) > 30
