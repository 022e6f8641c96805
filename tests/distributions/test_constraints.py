"""Constraints: which values they let through, what they know of themselves, printed text, and what they refuse."""

import pickle
from functools import partial

import pytest

import jtorch
from tests.distributions.cases import maker
from tests.distributions.comparing import alike, outcome
from tests.oracle import same_error

NUMBERS = [-1.0, 0.0, 0.3, 1.0, 2.0, 2.5, float("nan"), float("inf")]
ROWS = [[0.2, 0.8, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, -1.0], [1.0, 2.0, 0.0]]
MATRICES = [[[1.0, 0.0], [0.6, 0.8]], [[2.0, 0.5], [0.5, 1.0]], [[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.0], [3.0, -1.0]]]


def constraints(c, t):
    """{label: (constraint, values)}."""
    numbers = {
        "boolean": c.boolean, "real": c.real, "positive": c.positive, "nonnegative": c.nonnegative,
        "unit": c.unit_interval, "nonnegative integer": c.nonnegative_integer, "positive integer": c.positive_integer,
        "integers": c.integer_interval(0, 2), "integers below": c._IntegerLessThan(1), "above": c.greater_than(0.3),
        "from": c.greater_than_eq(0.3), "below": c.less_than(t(1.0)), "between": c.interval(0.0, t(1.0)),
        "half open": c.half_open_interval(0.0, 1.0),
        "mixture": c.MixtureSameFamilyConstraint(c.interval(t([0.0, 0.3]), t([1.0, 2.0]))),
    }  # fmt: skip
    rows = {
        "one-hot": c.one_hot, "simplex": c.simplex, "vector": c.real_vector, "counts": c.multinomial(2),
        "cat": c.cat([c.positive, c.boolean], -1, [1, 2]), "stack": c.stack([c.positive, c.real, c.unit_interval], -1),
        "independent": c.independent(c.positive, 2),
    }  # fmt: skip
    matrices = {
        "triangular": c.lower_triangular, "cholesky": c.lower_cholesky, "corr": c.corr_cholesky, "square": c.square,
        "symmetric": c.symmetric, "definite": c.positive_definite, "semidefinite": c.positive_semidefinite,
    }  # fmt: skip
    groups = (numbers, NUMBERS), (rows, ROWS), (matrices, MATRICES)
    return {label: (one, values) for group, values in groups for label, one in group.items()}


def checks(module):
    found = {}
    t = maker(module, "float32")
    for label, (constraint, values) in constraints(module.distributions.constraints, t).items():
        value = t(values)
        found[label] = outcome(partial(constraint.check, value))
        found[f"{label} of one"] = outcome(partial(constraint.check, value[1]))
        found[f"{label}: facts"] = [outcome(partial(getattr, constraint, k)) for k in ("event_dim", "is_discrete")]
        found[f"{label}: repr"] = repr(constraint)
    return found


def test_every_constraint():
    assert alike(checks) > 100


REFUSED = {
    "dependent": lambda m, c: c.dependent.check(m.ones(())),
    "dependent event": lambda m, c: c.dependent.event_dim,
    "dependent kind": lambda m, c: c.dependent_property().is_discrete,
    "independent": lambda m, c: c.independent(c.real, -1),
    "independent of none": lambda m, c: c.independent(3, 1),
    "independent dims": lambda m, c: c.independent(c.real, 1.0),
    "too few dims": lambda m, c: c.real_vector.check(m.ones(())),
    "mixture": lambda m, c: c.MixtureSameFamilyConstraint(3),
    "cat": lambda m, c: c.cat([3]),
    "cat lengths": lambda m, c: c.cat([c.real], 0, [1, 2]),
    "cat dim": lambda m, c: c.cat([c.real], 2).check(m.ones(3)),
    "stack dim": lambda m, c: c.stack([c.real], 2).check(m.ones(3)),
    "base": lambda m, c: c.Constraint().check(m.ones(())),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    same_error(lambda m: REFUSED[name](m, m.distributions.constraints))


def test_registries_go_through_pickle():
    for registry, constraint in (
        (jtorch.distributions.biject_to, "positive"),
        (jtorch.distributions.transform_to, "simplex"),
    ):
        constraint = getattr(jtorch.distributions.constraints, constraint)
        again = pickle.loads(pickle.dumps(registry))
        assert type(again(constraint)) is type(registry(constraint))
