"""The base of all distributions: shapes, checks of parameters and samples, expansion, and what each must give."""

import warnings
from functools import partial
from typing import Any

from jtorch._tensor import Tensor
from jtorch.api.size import Size
from jtorch.autograd.grad_mode import no_grad
from jtorch.distributions import checking, constraints
from jtorch.distributions.utils import broadcast_all, lazy_property, required

__all__ = ["Distribution"]

_NONE = Size()


class Distribution:
    """A probability distribution over events of `event_shape`, one for each place of `batch_shape`.

    Parameters and the values given to log_prob are checked unless validate_args is False, here or by
    `set_default_validate_args`. A check runs what its values wait for: one program for each constructor at most.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    arg_constraints: Any = required("{name of a parameter: its constraint}.")
    support: Any = required("The constraint that samples satisfy.")
    _validate_args = __debug__
    # The parameters, and distributions inside, that `expand` expands; of a class whose constructor takes just these.
    _expands: tuple[str, ...] | None = None
    _keeps: tuple[str, ...] = ()  # what `expand` hands on as it is

    @staticmethod
    def set_default_validate_args(value):
        """Whether distributions check their arguments unless told otherwise: True, but False under `python -O`.

        Raises: ValueError for what is no bool.
        """
        if value not in [True, False]:
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape=_NONE, event_shape=_NONE, validate_args=None):
        self._batch_shape = batch_shape
        self._event_shape = event_shape
        if validate_args is not None:
            self._validate_args = validate_args
        checks = self.__dict__.pop("_unchecked", [])
        if self._validate_args:
            checks += self._checks()
        checking.require(checks)
        super().__init__()

    def _checks(self):
        """The checks of all parameters: (constraint, value, function giving the error's text)."""
        try:
            found = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `arg_constraints`. "
                "Please set `arg_constraints = {}` or initialize the distribution "
                "with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return []
        checks = []
        for name, constraint in found.items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and isinstance(getattr(type(self), name), lazy_property):
                continue
            value = getattr(self, name)
            checks.append((constraint, value, partial(self._refusal, name, constraint, value)))
        return checks

    def _refusal(self, name, constraint, value):
        return (
            f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
            f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
        )

    def _part(self, kind, *args, **kwargs):
        """A distribution that this one is made of; its checks are made together with this one's."""
        with checking.left_to(self.__dict__.setdefault("_unchecked", [])):
            return kind(*args, **kwargs)

    def _take(self, **parameters):
        """Keep parameters, broadcast against each other; their shape."""
        for name, value in zip(parameters, broadcast_all(*parameters.values()), strict=True):
            setattr(self, name, value)
        return getattr(self, next(iter(parameters))).size()

    def expand(self, batch_shape, _instance=None):
        """The distribution with its batch dims expanded to `batch_shape`; takes no new memory and checks nothing."""
        new, batch_shape = self._begin_expand(batch_shape, _instance)
        return self._end_expand(new, batch_shape)

    def _begin_expand(self, batch_shape, instance):
        """(new instance with expanded parameters, Size of the batch)."""
        cls = next(c for c in type(self).__mro__ if "_expands" in c.__dict__)
        if cls._expands is None:
            raise NotImplementedError
        new, batch_shape = self._get_checked_instance(cls, instance), Size(batch_shape)
        for name in cls._expands:
            value = self.__dict__.get(name)
            if value is not None:
                own = value.shape if isinstance(value, Tensor) else value.batch_shape
                setattr(new, name, value.expand(batch_shape + own[len(self._batch_shape) :]))
        for name in cls._keeps:
            setattr(new, name, getattr(self, name))
        return new, batch_shape

    def _end_expand(self, new, batch_shape):
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def batch_shape(self):
        """The shape of the parameters' batch."""
        return self._batch_shape

    @property
    def event_shape(self):
        """The shape of one sample."""
        return self._event_shape

    @property
    def mean(self):
        """The mean. Shape: batch + event."""
        raise NotImplementedError

    @property
    def mode(self):
        """The most likely value. Shape: batch + event."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self):
        """The variance. Shape: batch + event."""
        raise NotImplementedError

    @property
    def stddev(self):
        """The standard deviation. Shape: batch + event."""
        return self.variance.sqrt()

    def sample(self, sample_shape=()):
        """Samples without gradient. Shape: sample_shape + batch + event."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=()):
        """Samples through which gradients reach the parameters. Shape: sample_shape + batch + event."""
        raise NotImplementedError

    def sample_n(self, n):
        """n samples. Shape: (n,) + batch + event. Deprecated."""
        warnings.warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning, stacklevel=2)
        return self.sample(Size((n,)))

    def log_prob(self, value):
        """The logarithm of the density, or of the probability, at `value`. Shape: batch."""
        raise NotImplementedError

    def cdf(self, value):
        """The probability of what is at most `value`. Shape: batch."""
        raise NotImplementedError

    def icdf(self, value):
        """The value of which `value` is the cdf. Shape: batch."""
        raise NotImplementedError

    def enumerate_support(self, expand=True):
        """All values of a discrete distribution. Shape: (count,) + batch + event; batch dims of 1 without `expand`."""
        raise NotImplementedError

    def entropy(self):
        """The entropy in nats. Shape: batch."""
        raise NotImplementedError

    def perplexity(self):
        """e to the entropy. Shape: batch."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape=()):
        """The shape of samples: sample_shape + batch + event."""
        return Size(Size(sample_shape) + self._batch_shape + self._event_shape)

    def _enumerated(self, values, expand):
        """The values of a 1-d support as enumerate_support gives them."""
        values = values.view((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values

    def _check_value(self, value):
        if self._validate_args:
            self._validate_sample(value)

    def _validate_sample(self, value):
        """Raise ValueError unless `value` broadcasts to batch + event and lies in the support."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        size, event = value.size(), self._event_shape
        if size[len(size) - len(event) :] != event:
            raise ValueError(f"The right-most size of value must match event_shape: {size} vs {event}.")
        wanted = self._batch_shape + event
        for i, j in zip(reversed(size), reversed(wanted), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {size} vs {wanted}.")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `support` to enable sample validation. "
                "Please initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=2,
            )
            return
        if support is None:
            raise AssertionError("support is unexpectedly None")
        checking.require([(support, value, partial(self._refused_value, value, support))])

    def _refused_value(self, value, support):
        return (
            f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
            f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
        )

    def _get_checked_instance(self, cls, _instance=None):
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotImplementedError(
                f"Subclass {self.__class__.__name__} of {cls.__name__} that defines a custom __init__ method must also "
                "define a custom .expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    def __repr__(self):
        given = {name: self.__dict__[name] for name in self.arg_constraints if name in self.__dict__}
        shown = [f"{name}: {value if value.numel() == 1 else value.size()}" for name, value in given.items()]
        return self.__class__.__name__ + "(" + ", ".join(shown) + ")"
