"""Random sizes, strides and tensors to time operators with, from one seed."""

import functools
import itertools

import numpy as np

from jtorch import dtypes
from jtorch.api.sampling import rand, randint
from jtorch.api.settings import finfo, iinfo
from jtorch.random import manual_seed


class FuzzedParameter:
    """A number that is drawn anew for each set of tensors.

    distribution: "loguniform" or "uniform", from minval to maxval, both included, ints unless one is a float; or
    {value: probability}. strict: it is not drawn again when a set is refused. Raises AssertionError for distributions
    that are none.
    """

    def __init__(self, name, minval=None, maxval=None, distribution=None, strict=False):
        self._name = name
        self._minval = minval
        self._maxval = maxval
        self._distribution = self._check_distribution(distribution)
        self.strict = strict

    @property
    def name(self):
        """What tensors call it."""
        return self._name

    def _check_distribution(self, distribution):
        if not isinstance(distribution, dict):
            if distribution not in ("loguniform", "uniform"):
                raise AssertionError(f"Unknown distribution: {distribution}")
            return distribution
        if any(share < 0 for share in distribution.values()):
            raise AssertionError("Probabilities cannot be negative")
        if abs(sum(distribution.values()) - 1) > 1e-5:
            raise AssertionError("Distribution is not normalized")
        for name, value in (("minval", self._minval), ("maxval", self._maxval)):
            if value is not None:
                raise AssertionError(f"When passing a custom distribution, '{name}' must be None")
        return distribution

    def sample(self, state):
        """A value. state: a NumPy RandomState."""
        low, high = self._minval, self._maxval
        if isinstance(self._distribution, dict):
            # The numbers of the values are drawn, since NumPy would make its own types of the values.
            number = state.choice(np.arange(len(self._distribution)), p=tuple(self._distribution.values()))
            return list(self._distribution)[number]
        if self._distribution == "loguniform":
            bounds = {"low": low if low is None else np.log2(low), "high": high if high is None else np.log2(high)}
            drawn = int(2 ** state.uniform(**bounds))
            return max(low, min(drawn, high)) if low is not None and high is not None else drawn
        if isinstance(low, int) and isinstance(high, int):
            return int(state.randint(low=low, high=high + 1))
        return state.uniform(low=low, high=high)


class ParameterAlias:
    """In a distribution: the value of another parameter."""

    def __init__(self, alias_to):
        self.alias_to = alias_to

    def __repr__(self):
        return f"ParameterAlias[alias_to: {self.alias_to}]"


def dtype_size(dtype):
    """Bytes of an element."""
    if dtype == dtypes.bool_:
        return 1
    info = finfo if dtype.is_floating_point or dtype.is_complex else iinfo
    return int(info(dtype).bits / 8)


def prod(values, base=1):
    """The product of ints, however large."""
    return functools.reduce(lambda x, y: int(x) * int(y), values, base)


class FuzzedTensor:
    """A tensor made of drawn sizes.

    size, steps: ints or names of parameters; with steps it is a slice of a larger one. probability_contiguous: how
    often its dims lie in order. min_elements, max_elements, max_allocation_bytes: what is refused. dim_parameter: the
    name of the number of its dims. tensor_constructor: called with size, dtype and all parameters.
    """

    def __init__(
        self,
        name,
        size,
        steps=None,
        probability_contiguous=0.5,
        min_elements=None,
        max_elements=None,
        max_allocation_bytes=None,
        dim_parameter=None,
        roll_parameter=None,
        dtype=dtypes.float32,
        cuda=False,
        tensor_constructor=None,
    ):
        self._name = name
        self._size = size
        self._steps = steps
        self._probability_contiguous = probability_contiguous
        self._min_elements = min_elements
        self._max_elements = max_elements
        self._max_allocation_bytes = max_allocation_bytes
        self._dim_parameter = dim_parameter
        self._dtype = dtype
        self._cuda = cuda
        self._tensor_constructor = tensor_constructor

    @property
    def name(self):
        """What it is called among the tensors of a set."""
        return self._name

    @staticmethod
    def default_tensor_constructor(size, dtype, **kwargs):
        """Uniform numbers below 1, or ints below 127."""
        if dtype.is_floating_point or dtype.is_complex:
            return rand(size=size, dtype=dtype, device="cpu")
        return randint(1, 127, size=size, dtype=dtype, device="cpu")

    def _make_tensor(self, params, state):
        size, steps, allocated = self._get_size_and_steps(params)
        make = self._tensor_constructor or self.default_tensor_constructor
        raw = make(size=allocated, dtype=self._dtype, **params)
        raw = raw.cuda() if self._cuda else raw
        order = np.arange(len(size))
        if state.rand() > self._probability_contiguous:
            while len(size) > 1 and (order == np.arange(len(size))).all():
                order = state.permutation(raw.dim())
            raw = raw.permute(tuple(map(int, order))).contiguous().permute(tuple(map(int, np.argsort(order))))
        tensor = raw[tuple(slice(0, n * step, step) for n, step in zip(size, steps, strict=True))]
        properties = {"numel": int(tensor.numel()), "order": order, "steps": steps}
        return tensor, {**properties, "is_contiguous": tensor.is_contiguous(), "dtype": str(self._dtype)}

    def _get_size_and_steps(self, params):
        dims = len(self._size) if self._dim_parameter is None else params[self._dim_parameter]

        def resolve(values):
            found = tuple(params.get(value, value) for value in values)[:dims]
            return found + (1,) * (dims - len(found))

        size, steps = resolve(self._size), resolve(self._steps or ())
        return size, steps, tuple(n * step for n, step in zip(size, steps, strict=True))

    def satisfies_constraints(self, params):
        """Whether a set of parameters makes a tensor that is neither too small nor too large."""
        size, _, allocated = self._get_size_and_steps(params)
        count, used = prod(size), prod(allocated, base=dtype_size(self._dtype))
        if count < 0:
            raise AssertionError("Computed number of elements is negative")
        least, most, room = self._min_elements, self._max_elements, self._max_allocation_bytes
        too_small = least is not None and count < least
        return not (too_small or most is not None and count > most or room is not None and used > room)


class Fuzzer:
    """Sets of tensors from parameters, tensors (or lists of them) and constraints on the parameters.

    Raises ValueError for names that come twice, and where no set is found.
    """

    def __init__(self, parameters, tensors, constraints=None, seed=None):
        if seed is None:
            seed = int(np.random.RandomState().randint(0, 2**32 - 1, dtype=np.int64))
        self._seed = seed
        self._parameters = self._unpack(parameters, FuzzedParameter)
        self._tensors = self._unpack(tensors, FuzzedTensor)
        self._constraints = constraints or ()
        both = {p.name for p in self._parameters} & {t.name for t in self._tensors}
        if both:
            raise ValueError(f"Duplicate names in parameters and tensors: {both}")
        self._rejections = 0
        self._total_generated = 0

    @staticmethod
    def _unpack(values, cls):
        return tuple(itertools.chain.from_iterable([v] if isinstance(v, cls) else v for v in values))

    def take(self, n):
        """n sets: (tensors, their properties, parameters), dicts by name. Sets the seed of torch's generator."""
        state = np.random.RandomState(self._seed)
        manual_seed(state.randint(low=0, high=2**63, dtype=np.int64))
        for _ in range(n):
            params = self._generate(state)
            made = {tensor.name: tensor._make_tensor(params, state) for tensor in self._tensors}
            yield {name: t for name, (t, _) in made.items()}, {name: p for name, (_, p) in made.items()}, params

    @property
    def rejection_rate(self):
        """The share of drawn sets that were refused."""
        return self._rejections / self._total_generated if self._total_generated else 0.0

    def _generate(self, state):
        strict = {}
        for _ in range(1000):
            drawn = {}
            for p in self._parameters:
                if p.name in strict:
                    drawn[p.name] = strict[p.name]
                    continue
                drawn[p.name] = p.sample(state)
                if p.strict:
                    strict[p.name] = drawn[p.name]
            drawn = self._resolve_aliases(drawn)
            self._total_generated += 1
            if all(f(drawn) for f in self._constraints) and all(t.satisfies_constraints(drawn) for t in self._tensors):
                return drawn
            self._rejections += 1
        raise ValueError("Failed to generate a set of valid parameters.")

    @staticmethod
    def _resolve_aliases(params):
        params = dict(params)
        left = [key for key, value in params.items() if isinstance(value, ParameterAlias)]
        while left:
            for key in left:
                value = params[key]
                params[key] = params[value.alias_to]
            still = [key for key in left if isinstance(params[key], ParameterAlias)]
            if len(still) == len(left):
                raise ValueError(f"ParameterAlias cycle detected\n{params}")
            left = still
        return params
