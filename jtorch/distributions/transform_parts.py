"""Transforms of parts of a tensor: pieces along a dim, or the places along it, each with a transform of its own."""

from jtorch.autograd.apply import call
from jtorch.distributions import constraints
from jtorch.distributions.transform import Transform
from jtorch.distributions.utils import _sum_rightmost, lazy_property


class _Parts(Transform):
    """A transform for each part along a dim."""

    def __init__(self, tseq, dim, cache_size):
        if not all(isinstance(t, Transform) for t in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    @property
    def bijective(self):
        return all(t.bijective for t in self.transforms)

    def _need(self, value, name, shown="tensor"):
        """Raise AssertionError unless a tensor has the dim, and along it the size that is wanted."""
        if not -value.dim() <= self.dim < value.dim():
            raise AssertionError(f"dim {self.dim} out of range for {shown} with {value.dim()} dimensions")
        words, size = self._size()
        if value.size(self.dim) != size:
            raise AssertionError(f"{name}.size({self.dim}) = {value.size(self.dim)} must equal {words} {size}")

    def _each(self, value, name, inverse=False):
        """The parts of a tensor, each sent through its transform."""
        self._need(value, name)
        pairs = zip(self.transforms, self._cut(value), strict=True)
        return [(t.inv if inverse else t)(part) for t, part in pairs]

    def _slopes(self, x, y):
        self._need(x, "x", "x")
        self._need(y, "y", "y")
        parts = zip(self.transforms, self._cut(x), self._cut(y), strict=True)
        return [(t, t.log_abs_det_jacobian(before, after)) for t, before, after in parts]


class CatTransform(_Parts):
    """Transforms of pieces of these lengths along a dim, put together again."""

    def __init__(self, tseq, dim=0, lengths=None, cache_size=0):
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})")

    @lazy_property
    def event_dim(self):
        return max(t.event_dim for t in self.transforms)

    @lazy_property
    def length(self):
        """The length of all pieces together."""
        return sum(self.lengths)

    def _remade(self, cache_size):
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _size(self):
        return "length", self.length

    def _cut(self, value):
        starts = [sum(self.lengths[:i]) for i in range(len(self.lengths))]
        return [value.narrow(self.dim, *piece) for piece in zip(starts, self.lengths, strict=True)]

    def _call(self, x):
        return call("cat", self._each(x, "x"), dim=self.dim)

    def _inverse(self, y):
        return call("cat", self._each(y, "y", inverse=True), dim=self.dim)

    def log_abs_det_jacobian(self, x, y):
        slopes = [
            _sum_rightmost(slope, self.event_dim - t.event_dim) if t.event_dim < self.event_dim else slope
            for t, slope in self._slopes(x, y)
        ]
        dim = (self.dim - x.dim() if self.dim >= 0 else self.dim) + self.event_dim
        return call("cat", slopes, dim=dim) if dim < 0 else sum(slopes)

    @constraints.dependent_property
    def domain(self):
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self):
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(_Parts):
    """A transform for each place along a dim."""

    def __init__(self, tseq, dim=0, cache_size=0):
        super().__init__(tseq, dim, cache_size)

    def _remade(self, cache_size):
        return StackTransform(self.transforms, self.dim, cache_size)

    def _size(self):
        return "len(transforms)", len(self.transforms)

    def _cut(self, value):
        return [value.select(self.dim, i) for i in range(value.size(self.dim))]

    def _call(self, x):
        return call("stack", self._each(x, "x"), dim=self.dim)

    def _inverse(self, y):
        return call("stack", self._each(y, "y", inverse=True), dim=self.dim)

    def log_abs_det_jacobian(self, x, y):
        return call("stack", [slope for _, slope in self._slopes(x, y)], dim=self.dim)

    @constraints.dependent_property
    def domain(self):
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self):
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
