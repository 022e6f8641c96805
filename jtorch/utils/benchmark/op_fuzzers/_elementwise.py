"""What fuzzers of elementwise operators share: sizes of 16 to 16 M, powers of two often among them, and steps."""

from jtorch.utils.benchmark.fuzzer import FuzzedParameter, FuzzedTensor, ParameterAlias

_LEAST, _MOST = 16, 16 * 1024**2
_POWERS = tuple(2**i for i in range(4, 25))
_STEPS = {1: 0.8, 2: 0.06, 4: 0.06, 8: 0.04, 16: 0.04}


def parameters(*steps, broadcast=None):
    """dim, k0 to k2, the steps of tensors of these names, and random_value.

    broadcast: the name of a tensor whose sizes are now and then 1.
    """
    dims, extra = range(3), []
    if broadcast:
        choices = [{ParameterAlias(f"k{i}"): 0.8, 1: 0.2} for i in dims]
        extra = [FuzzedParameter(f"{broadcast}_k{i}", distribution=choices[i], strict=True) for i in dims]
    powers = dict.fromkeys(_POWERS, 1.0 / len(_POWERS))
    return [
        FuzzedParameter("dim", distribution={1: 0.3, 2: 0.4, 3: 0.3}, strict=True),
        [FuzzedParameter(f"k_any_{i}", _LEAST, _MOST, "loguniform") for i in dims],
        [FuzzedParameter(f"k_pow2_{i}", distribution=powers) for i in dims],
        [FuzzedParameter(f"k{i}", distribution=_either(i), strict=True) for i in dims],
        extra,
        [FuzzedParameter(f"{name}_step_{i}", distribution=_STEPS) for i in dims for name in steps],
        FuzzedParameter("random_value", 0, 2**32 - 1, "uniform"),
    ]


def _either(i):
    return {ParameterAlias(f"k_any_{i}"): 0.8, ParameterAlias(f"k_pow2_{i}"): 0.2}


def tensor(name, sizes, dtype, cuda, **bounds):
    """A tensor of these sizes, in the steps of x, at most 2 GB."""
    steps = ("x_step_0", "x_step_1", "x_step_2")
    options = {"probability_contiguous": 0.75, "max_allocation_bytes": 2 * 1024**3, "dim_parameter": "dim"}
    return FuzzedTensor(name, sizes, steps, dtype=dtype, cuda=cuda, **options, **bounds)


FIRST = {"min_elements": 4 * 1024, "max_elements": 32 * 1024**2}
