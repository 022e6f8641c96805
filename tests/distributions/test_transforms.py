"""Transforms: values, inverses, Jacobians, shapes, caches, composition, printed text; and the registries of them."""

from functools import partial

import pytest

from tests.distributions.cases import maker
from tests.distributions.comparing import alike, outcome
from tests.oracle import same, same_error

UNIT, REAL, POSITIVE = [0.1, 0.5, 0.9], [-2.0, 0.3, 1.5], [0.2, 1.0, 7.0]
MATRIX = [[0.5, -1.0], [0.3, 0.2]]
SPD = [[2.0, 0.5], [0.5, 1.0]]


def transforms(d, t):
    """{label: (transform, inputs, outputs)}."""
    one = d.constraints
    cat = d.CatTransform([d.ExpTransform(), d.AffineTransform(1.0, 2.0)], dim=-1, lengths=[1, 2])
    return {
        "abs": (d.AbsTransform(), REAL, POSITIVE),
        "affine": (d.AffineTransform(0.5, -2.0), REAL, REAL),
        "affine of tensors": (d.AffineTransform(t([[0.5], [1.0]]), t([1.0, -2.0, 3.0])), REAL, [REAL, REAL]),
        "affine of vectors": (d.AffineTransform(0.5, t([1.0, -2.0, 3.0]), event_dim=1), [REAL], [REAL]),
        "cat": (cat, [POSITIVE], [POSITIVE]),
        "cat of many": (d.CatTransform([d.SigmoidTransform(), d.identity_transform], 0, [2, 1]), REAL, UNIT),
        "stack": (d.StackTransform([d.ExpTransform(), d.TanhTransform()], dim=-1), [[0.3, 0.5]], [[0.3, 0.5]]),
        "corr": (d.CorrCholeskyTransform(), [REAL], [[[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]]]),
        "cdf": (d.CumulativeDistributionTransform(d.Normal(t(0.5), t(2.0))), REAL, UNIT),
        "exp": (d.ExpTransform(), REAL, POSITIVE),
        "lower": (d.LowerCholeskyTransform(), MATRIX, [[1.4, 0.0], [0.3, 0.8]]),
        "definite": (d.PositiveDefiniteTransform(), [MATRIX], [SPD]),
        "power": (d.PowerTransform(t([2.0, -1.0, 0.5])), POSITIVE, POSITIVE),
        "power of a number": (d.PowerTransform(2.0), POSITIVE, POSITIVE),
        "reshape": (d.ReshapeTransform((3,), (3, 1)), [REAL, REAL], [[[1.0], [2.0], [3.0]]]),
        "sigmoid": (d.SigmoidTransform(), REAL, [0.0, 0.5, 1.0]),
        "softmax": (d.SoftmaxTransform(), [REAL], [[0.2, 0.3, 0.5]]),
        "softplus": (d.SoftplusTransform(), [*REAL, 30.0], POSITIVE),
        "stick": (d.StickBreakingTransform(), [REAL], [[0.2, 0.3, 0.5, 0.0]]),
        "tanh": (d.TanhTransform(), REAL, [-0.5, 0.0, 1.0]),
        "identity": (d.identity_transform, REAL, REAL),
        "independent": (d.IndependentTransform(d.ExpTransform(), 1), [REAL], [POSITIVE]),
        "inverse": (d.ExpTransform().inv, POSITIVE, REAL),
        "composed": (d.ComposeTransform([d.AffineTransform(0.5, 2.0), d.TanhTransform()]), REAL, [0.1, -0.5, 0.0]),
        "composed of vectors": (
            d.ComposeTransform([d.ExpTransform(), d.AffineTransform(0.0, 0.5), d.SoftmaxTransform()]), [REAL], [UNIT],
        ),
        "biject to a cat": (d.biject_to(one.cat([one.positive, one.real], -1, [1, 2])), [REAL], [POSITIVE]),
    }  # fmt: skip


def quantities(module):
    found = {}
    t = maker(module, "float64")
    for label, (transform, x, y) in transforms(module.distributions, t).items():
        results = one(module, transform, t(x).requires_grad_(), t(y).requires_grad_())
        found.update({f"{label}: {name}": value for name, value in results.items()})
    return found


def one(module, transform, x, y):
    there = outcome(lambda: transform(x))
    back = outcome(lambda: transform.inv(y))
    slope = outcome(lambda: transform.log_abs_det_jacobian(x, transform(x)))
    results = {"forward": there, "inverse": back, "slope": slope}
    for name in ("domain", "codomain", "bijective", "sign", "event_dim", "inv"):
        results[name] = outcome(partial(getattr, transform, name))
    results["with_cache"] = outcome(lambda: repr(transform.with_cache()))
    results["repr"], results["inverse slope"] = (
        repr(transform),
        outcome(lambda: transform.inv.log_abs_det_jacobian(y, transform.inv(y))),
    )
    results["shapes"] = [outcome(partial(f, x.shape)) for f in (transform.forward_shape, transform.inverse_shape)]
    results["equal"] = [transform == other for other in (transform, transform.inv, transform.inv.inv)]
    if not isinstance(slope, str):
        grads = module.autograd.grad([there.sum() if there.requires_grad else x.sum(), (slope * x.sum()).sum()], x)
        results["gradient"] = grads[0]
    return results


def test_every_transform():
    assert alike(quantities) > 300


def test_caches_hold_the_last_pair():
    def held(module):
        d, t = module.distributions, maker(module, "float32")
        plain, cached = d.TanhTransform(), d.TanhTransform(cache_size=1)
        chain = d.ComposeTransform([d.TanhTransform(), d.ExpTransform()], cache_size=1)
        x = t([3.0, 20.0])
        y, z = cached(x), chain(x)
        return {
            "cached": [cached.inv(y) is x, cached(x) is y, chain.inv(z) is x, plain.inv(plain(x)) is x],
            "exact": [cached.inv(y), plain.inv(plain(x))],
            "again": [d.TanhTransform(1).with_cache(1)._cache_size, cached.inv._cache_size, chain._cache_size],
        }

    alike(held)


def test_the_registries_give_torchs_transforms():
    def registered(module):
        d = module.distributions
        c, t = d.constraints, maker(module, "float32")
        kinds = [
            c.real, c.positive, c.nonnegative, c.greater_than(1.0), c.greater_than_eq(2), c.less_than(t(3.0)),
            c.unit_interval, c.interval(-1.0, 2.0), c.half_open_interval(0.0, 1.0), c.simplex, c.lower_cholesky,
            c.corr_cholesky, c.positive_definite, c.positive_semidefinite, c.real_vector, c.boolean, c.dependent,
            c.independent(c.positive, 2), c.cat([c.positive, c.real]), c.stack([c.positive, c.unit_interval], -1),
        ]  # fmt: skip
        x = t([[0.5, -0.3], [0.1, 0.2]])
        found = {}
        for i, kind in enumerate(kinds):
            for name in ("biject_to", "transform_to"):
                transform = outcome(partial(getattr(d, name), kind))
                found[f"{i} {name}"] = repr(transform)
                made = found[f"{i} {name} of x"] = outcome(partial(transform, x)) if callable(transform) else "none"
                found[f"{i} {name} checks"] = None if isinstance(made, str) else outcome(partial(kind.check, made))
        return found

    assert alike(registered) > 100


REFUSED = {
    "cache": lambda m, d: d.ExpTransform(cache_size=2),
    "event_dim": lambda m, d: d.CorrCholeskyTransform().event_dim,
    "reshape": lambda m, d: d.ReshapeTransform((2,), (3,)),
    "reshape shape": lambda m, d: d.ReshapeTransform((2,), (1, 2)).forward_shape((3,)),
    "reshape dims": lambda m, d: d.ReshapeTransform((2,), (1, 2)).inverse_shape((2,)),
    "corr": lambda m, d: d.CorrCholeskyTransform().forward_shape((2,)),
    "square": lambda m, d: d.CorrCholeskyTransform().inverse_shape((2, 3)),
    "vector": lambda m, d: d.IndependentTransform(d.ExpTransform(), 1)(m.tensor(1.0)),
    "cat": lambda m, d: d.CatTransform([d.ExpTransform()], 0, [2])(m.ones(3)),
    "cat dim": lambda m, d: d.CatTransform([d.ExpTransform()], 2)(m.ones(3)),
    "cat lengths": lambda m, d: d.CatTransform([d.ExpTransform()], 0, [2, 1]),
    "cat slope": lambda m, d: d.CatTransform([d.ExpTransform()], 0, [2]).log_abs_det_jacobian(m.ones(2), m.ones(3)),
    "stack": lambda m, d: d.StackTransform([d.ExpTransform()])(m.ones(3)),
    "stack of none": lambda m, d: d.StackTransform([3]),
    "sign": lambda m, d: d.AbsTransform().sign,
    "triangle": lambda m, d: d.utils.vec_to_tril_matrix(m.ones(4)),
    "diagonal": lambda m, d: d.utils.tril_matrix_to_vec(m.ones(2, 2), 2),
    "register": lambda m, d: d.biject_to.register(3, None)(lambda c: c),
    "broadcast": lambda m, d: d.utils.broadcast_all("a", 1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    same_error(lambda m: REFUSED[name](m, m.distributions))


def test_triangles():
    def triangles(module):
        utils, t = module.distributions.utils, maker(module, "float32")
        square, found = t([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]), {}
        for diag in (-2, -1, 0, 1):
            vec = found[f"vec {diag}"] = utils.tril_matrix_to_vec(square, diag)
            found[f"matrix {diag}"] = outcome(partial(utils.vec_to_tril_matrix, vec, diag))
        return found

    assert alike(triangles) == 8


def test_the_inverse_is_named_as_libraries_name_it():
    same(lambda m: isinstance(m.distributions.ExpTransform().inv, m.distributions.transforms._InverseTransform))
