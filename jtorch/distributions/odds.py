"""What distributions share that take probabilities or logits, whichever is given: the other follows from it."""

from jtorch.distributions.utils import lazy_property, logits_to_probs, probs_to_logits


class Odds:
    """A parameter given as probs or as logits."""

    _expands = ("probs", "logits", "_param")

    def _take_odds(self, probs, logits, **others):
        """Keep what is given, broadcast with other parameters, which come first; their shape.

        Raises: ValueError unless just one of probs and logits is given.
        """
        _need_one(probs, logits)
        name, value = ("logits", logits) if probs is None else ("probs", probs)
        shape = self._take(**others, **{name: value})
        self._param = getattr(self, name)
        return shape

    @lazy_property
    def logits(self):
        """The logarithm of the odds. Shape: batch."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self):
        """The probability. Shape: batch."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def param_shape(self):
        """The shape of what was given."""
        return self._param.size()

    def _new(self, *args, **kwargs):
        return self._param.new(*args, **kwargs)


def _need_one(probs, logits):
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


class OfCategorical:
    """What distributions share that are made of a Categorical, `_categorical`: its parameters are theirs."""

    _expands = ("_categorical",)

    def _checks(self):
        return [] if self._categorical._validate_args else super()._checks()  # they would be the same

    @property
    def probs(self):
        """The probabilities, which sum to 1. Shape: batch + (n,)."""
        return self._categorical.probs

    @property
    def logits(self):
        """The logarithms of the probabilities. Shape: batch + (n,)."""
        return self._categorical.logits

    @property
    def param_shape(self):
        """The shape of what was given."""
        return self._categorical.param_shape

    def _new(self, *args, **kwargs):
        return self._categorical._new(*args, **kwargs)
