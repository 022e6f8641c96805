"""From constraints to transforms: `biject_to` gives bijections, `transform_to` whatever covers the region."""

import functools

from jtorch.distributions import constraints, transforms
from jtorch.distributions.utils import NUMBER

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """{class of a constraint: function that makes a transform of all numbers to the constraint's region}."""

    def __init__(self):
        self._registry = {}
        super().__init__()

    def register(self, constraint, factory=None):
        """Register the factory of a constraint, or of its class; without one, a decorator for it.

        Raises: TypeError for what is no constraint.
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        if isinstance(constraint, constraints.Constraint):
            constraint = type(constraint)
        if not isinstance(constraint, type) or not issubclass(constraint, constraints.Constraint):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._registry[constraint] = factory
        return factory

    def __call__(self, constraint):
        """The transform for a constraint. Raises NotImplementedError where none is registered."""
        try:
            factory = self._registry[type(constraint)]
        except KeyError:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints") from None
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _both(*kinds):
    """Decorator: what makes the transform of these constraints in both registries; it is told which one."""

    def put(factory):
        for registry in (biject_to, transform_to):
            for kind in kinds:
                registry.register(kind, functools.partial(factory, registry=registry))
        return factory

    return put


def _shifted(first, loc, scale):
    return transforms.ComposeTransform([first, transforms.AffineTransform(loc, scale)])


@_both(constraints.real)
def _to_real(constraint, registry):
    return transforms.identity_transform


@_both(constraints.independent)
def _to_independent(constraint, registry):
    base = registry(constraint.base_constraint)
    return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)


@_both(constraints.greater_than, constraints.greater_than_eq)  # `positive` and `nonnegative` are of these classes
def _to_above(constraint, registry):
    return _shifted(transforms.ExpTransform(), constraint.lower_bound, 1)


@_both(constraints.less_than)
def _to_below(constraint, registry):
    return _shifted(transforms.ExpTransform(), constraint.upper_bound, -1)


def _is(bound, number):
    return isinstance(bound, NUMBER) and bound == number


@_both(constraints.interval, constraints.half_open_interval)
def _to_interval(constraint, registry):
    low, high = constraint.lower_bound, constraint.upper_bound
    if _is(low, 0) and _is(high, 1):
        return transforms.SigmoidTransform()
    return _shifted(transforms.SigmoidTransform(), low, high - low)


@_both(constraints.corr_cholesky)
def _to_corr_cholesky(constraint, registry):
    return transforms.CorrCholeskyTransform()


@_both(constraints.cat)
def _to_cat(constraint, registry):
    return transforms.CatTransform(list(map(registry, constraint.cseq)), constraint.dim, constraint.lengths)


@_both(constraints.stack)
def _to_stack(constraint, registry):
    return transforms.StackTransform(list(map(registry, constraint.cseq)), constraint.dim)


@biject_to.register(constraints.simplex)
def _biject_to_simplex(constraint):
    return transforms.StickBreakingTransform()


@transform_to.register(constraints.simplex)
def _transform_to_simplex(constraint):
    return transforms.SoftmaxTransform()


@transform_to.register(constraints.lower_cholesky)
def _transform_to_lower_cholesky(constraint):
    return transforms.LowerCholeskyTransform()


@transform_to.register(constraints.positive_definite)
@transform_to.register(constraints.positive_semidefinite)
def _transform_to_positive_definite(constraint):
    return transforms.PositiveDefiniteTransform()
