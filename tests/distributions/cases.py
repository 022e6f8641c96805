"""Distributions with several sets of parameters each, made alike of torch and of jtorch."""

from tests.oracle import to_tensor

POSITIVE = ((0.7,), ([0.5, 1.0, 2.5],), ([[0.3], [4.0]],))
CHANCE = (0.3, [0.0, 0.5, 1.0], [[0.2, 0.9], [0.6, 0.001]])
LOGITS = (-0.4, [[-30.0, 0.0, 2.5]])
LOCATED = ((0.5, 2.0), ([0.0, -1.5, 3.0], [0.5, 1.0, 2.0]), ([[1.0], [-2.0]], [0.3, 0.7, 4.0]))
SHAPED = ((2.5, 0.7), ([0.5, 1.0, 6.0], [1.0, 3.0, 0.4]), ([[0.8], [5.0]], 2.0))
ROWS = ([0.2, 0.3, 0.5], [[0.1, 0.9, 1.0], [2.0, 0.5, 0.5]])
SCORES = ([[0.5, -1.0, 2.0], [0.0, 0.0, -3.0]],)
COVARIANCE = [[2.0, 0.5], [0.5, 1.0]]
TRIL = [[1.4, 0.0], [0.3, 0.8]]
BATCH = [[[2.0, 0.5], [0.5, 1.0]], [[1.0, -0.2], [-0.2, 3.0]]]
HOT = ((0.7, [0.2, 0.3, 0.5]), (1.5, [[0.1, 0.9, 1.0], [2.0, 0.5, 0.5]]))

# class: the sets of its parameters; numbers stay numbers, lists become tensors, dicts are keyword arguments.
PARAMETERS = {
    "Bernoulli": [*((p,) for p in CHANCE), *({"logits": x} for x in LOGITS)],
    "Beta": SHAPED,
    "Binomial": [
        (5, [0.3, 0.0, 1.0]),
        ([3.0, 3.0], [[0.5], [0.2]]),
        {"total_count": 4, "logits": [0.5, -2.0]},
        ([3.0, 5.0], [0.2, 0.6]),
    ],
    "Categorical": [*((p,) for p in ROWS), *({"logits": x} for x in SCORES)],
    "Cauchy": LOCATED,
    "Chi2": POSITIVE,
    "ContinuousBernoulli": [(0.3,), ([0.1, 0.5, 0.9],), {"logits": [[0.0, 0.002, -3.0]]}],
    "Dirichlet": [([0.5, 1.0, 4.0],), ([[0.3, 0.6, 0.2], [2.0, 3.0, 8.0]],)],
    "Exponential": POSITIVE,
    "FisherSnedecor": [(3.0, 5.0), ([1.0, 2.5, 6.0], [1.5, 3.0, 10.0])],
    "Gamma": SHAPED,
    "GeneralizedPareto": [(0.5, 1.5, 0.2), ([0.0, 1.0, -1.0], [1.0, 2.0, 0.5], [0.0, -0.3, 1.2])],
    "Geometric": [(0.3,), ([0.2, 0.9, 1.0],), {"logits": [0.5, -1.0]}],
    "Gumbel": LOCATED,
    "HalfCauchy": POSITIVE,
    "HalfNormal": POSITIVE,
    "InverseGamma": SHAPED,
    "Kumaraswamy": SHAPED,
    "LKJCholesky": [(3, 1.5), (2, [0.5, 2.0]), (4, [[1.0], [3.0]])],
    "Laplace": LOCATED,
    "LogNormal": LOCATED,
    "LogisticNormal": LOCATED[1:],
    "LowRankMultivariateNormal": [
        ([0.5, -1.0], [[1.0], [0.5]], [0.7, 1.5]),
        ([[0.5, -1.0, 2.0], [0.0, 1.0, 0.0]], [[1.0, 0.2], [0.5, 0.1], [0.3, 1.0]], [0.7, 1.5, 0.9]),
    ],
    "Multinomial": [
        (4, [0.2, 0.3, 0.5]),
        (3, [[0.1, 0.9, 1.0], [2.0, 0.5, 0.0]]),
        {"total_count": 2, "logits": SCORES[0]},
    ],
    "MultivariateNormal": [
        ([0.5, -1.0], COVARIANCE),
        {"loc": [[0.5, -1.0], [2.0, 0.0]], "precision_matrix": COVARIANCE},
        {"loc": [0.5, -1.0], "scale_tril": TRIL},
        ([[0.5, -1.0]], BATCH),
    ],
    "NegativeBinomial": [(3.0, [0.2, 0.7]), {"total_count": [[1.5], [4.0]], "logits": [0.5, -1.0, 0.0]}],
    "Normal": LOCATED,
    "OneHotCategorical": [*((p,) for p in ROWS), *({"logits": x} for x in SCORES)],
    "OneHotCategoricalStraightThrough": [*((p,) for p in ROWS), *({"logits": x} for x in SCORES)],
    "Pareto": SHAPED,
    "Poisson": [(2.5,), ([0.5, 10.0, 0.0],), ([[1.0], [40.0]],)],
    "StudentT": [(3.0,), ([1.0, 2.0, 5.0], [0.5, 0.0, -1.0], 2.0), (0.7, 0.0, [1.0, 2.0])],
    "Uniform": [(-1.0, 2.0), ([0.0, -1.0], [0.5, 3.0]), ([[0.0], [1.0]], 4.0)],
    "VonMises": [([0.5], [2.0]), ([0.0, -1.0, 3.0], [0.01, 1.0, 50.0])],
    "Weibull": SHAPED,
    "Wishart": [(3.5, COVARIANCE), {"df": [4.0, 2.5], "scale_tril": TRIL}, {"df": 3.0, "precision_matrix": BATCH}],
}
RELAXED = {
    "LogitRelaxedBernoulli": [([0.7], 0.3), ([1.5], [0.2, 0.9])],
    "RelaxedBernoulli": [([0.7], 0.3), ([1.5], [0.2, 0.9])],
    "ExpRelaxedCategorical": [([t], p) for t, p in HOT],
    "RelaxedOneHotCategorical": [([t], p) for t, p in HOT],
}
COMBINED = {
    "Independent": lambda d, t: d.Independent(d.Normal(t([[0.0, 1.0], [2.0, -1.0]]), t([0.5, 2.0])), 1),
    "Independent of none": lambda d, t: d.Independent(d.Bernoulli(t([0.2, 0.7])), 0),
    "mixture of normals": lambda d, t: d.MixtureSameFamily(
        d.Categorical(t([[0.3, 0.7], [0.5, 0.5]])), d.Normal(t([[0.0, 3.0], [1.0, -1.0]]), t([0.5, 2.0]))
    ),
    "mixture of vectors": lambda d, t: d.MixtureSameFamily(
        d.Categorical(t([[0.3, 0.7], [0.5, 0.5]])),
        d.Independent(d.Normal(t([[[0.0, 3.0], [1.0, -1.0]]] * 2), t([0.5, 2.0])), 1),
    ),
    "squashed normal": lambda d, t: d.TransformedDistribution(
        d.Normal(t([0.0, 1.0]), t([0.5, 2.0])), [d.TanhTransform(cache_size=1), d.AffineTransform(1.0, t([-2.0, 3.0]))]
    ),
    "logistic": lambda d, t: d.TransformedDistribution(
        d.Uniform(t([0.0, 0.0]), t([1.0, 1.0])), [d.SigmoidTransform().inv, d.AffineTransform(t(0.5), t(2.0))]
    ),
    "stick": lambda d, t: d.TransformedDistribution(
        d.Normal(t([[0.0, 1.0]]), t([0.5, 2.0])), d.StickBreakingTransform()
    ),
    "reshaped": lambda d, t: d.TransformedDistribution(
        d.Independent(d.Normal(t([0.0, 1.0, 2.0, 3.0]), t(1.5)), 1), [d.ReshapeTransform((4,), (2, 2))]
    ),
}  # fmt: skip


def maker(module, dtype):
    """A function that gives a tensor of the module for a list or a number."""
    return lambda values: module.tensor(values, dtype=getattr(module, dtype))


def made(module, name, parameters, dtype, **options):
    """A distribution of a class for one set of parameters. dtype: a name, or what makes a tensor of a list."""
    tensor = dtype if callable(dtype) else maker(module, dtype)
    cls = getattr(module.distributions, name, None) or _relaxed(module, name)
    given = parameters if isinstance(parameters, dict) else dict(enumerate(parameters))
    given = {k: tensor(v) if isinstance(v, list) and len(v) else v for k, v in given.items()}
    args = [v for k, v in given.items() if isinstance(k, int)]
    return cls(*args, **{k: v for k, v in given.items() if isinstance(k, str)}, **options)


def _relaxed(module, name):
    home = module.distributions
    return getattr(home.relaxed_bernoulli if "Bernoulli" in name else home.relaxed_categorical, name)


def every(module, dtype):
    """{label: distribution} of all of them."""
    found = {}
    for name, sets in {**PARAMETERS, **RELAXED}.items():
        for i, parameters in enumerate(sets):
            if dtype == "float64" and not any(isinstance(v, list) for v in _values(parameters)):
                continue  # numbers have the default dtype
            found[f"{name} {i}"] = made(module, name, parameters, dtype)
    for name, make in COMBINED.items():
        found[name] = make(module.distributions, maker(module, dtype))
    return found


def _values(parameters):
    return parameters.values() if isinstance(parameters, dict) else parameters


def like(module, tensor):
    """A tensor of torch as one of the module."""
    return to_tensor(module, tensor.numpy())[1]
