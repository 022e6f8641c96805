"""Every distribution beside torch's: moments, densities, entropies, supports, shapes, printed text, expansion."""

from functools import partial

import pytest

from tests.distributions.cases import every, like
from tests.distributions.comparing import Shapes, alike, outcome

FACTS = (
    "mean", "mode", "variance", "stddev", "support", "arg_constraints", "batch_shape", "event_shape", "has_rsample",
    "has_enumerate_support",
)  # fmt: skip
LEVELS = (0.1, 0.5, 0.9)


def quantities(samples, dtype, module):
    found = {}
    for label, distribution in every(module, dtype).items():
        if module.__name__ == "torch":
            module.manual_seed(1)
            samples[label] = distribution.sample((2,))
        value = like(module, samples[label])
        results = {fact: outcome(partial(getattr, distribution, fact)) for fact in FACTS}
        for name in ("entropy", "perplexity", "enumerate_support"):
            results[name] = outcome(getattr(distribution, name))
        for name in ("log_prob", "cdf"):
            results[name] = outcome(partial(getattr(distribution, name), value))
        levels = module.tensor(LEVELS, dtype=value.dtype).reshape(3, *(1,) * min(value.dim() - 1, 2))
        results["icdf"] = outcome(partial(distribution.icdf, levels))
        results["repr"] = repr(distribution)
        results.update(expanded(distribution, value))
        for name in () if dtype == "float32" else set(results) - {"log_prob", "repr", "support"}:
            if not isinstance(results[name], (bool, dict)):
                results[name] = Shapes(results[name])
        found.update({f"{label}: {name}": result for name, result in results.items()})
    return found


def expanded(distribution, value):
    wide = distribution.expand((3, *distribution.batch_shape))
    again = wide.expand(wide.batch_shape)
    return {
        "expanded": str([wide.batch_shape, wide.event_shape, repr(again), type(wide).__name__]),
        "expanded log_prob": Shapes(outcome(partial(again.log_prob, value[:, None]))),
        "expanded mean": Shapes(outcome(lambda: wide.mean)),
    }


@pytest.mark.filterwarnings("ignore")
def test_float32():
    assert alike(partial(quantities, {}, "float32")) > 2000


@pytest.mark.filterwarnings("ignore")
def test_float64():
    # torch: compares a float64 concentration with a float32 zero, which its isclose refuses.
    assert alike(partial(quantities, {}, "float64"), known="Double did not match Float") > 1500
