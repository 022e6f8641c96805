"""What torch.testing keeps for old code."""

from jtorch._tensor import Tensor
from jtorch.api.construct import tensor
from jtorch.errors import warn
from jtorch.testing.comparison import assert_close

_TOLERANCES = {"float16": (1e-3, 1e-3), "float32": (1e-4, 1e-5), "float64": (1e-5, 1e-8)}


def assert_allclose(actual, expected, rtol=None, atol=None, equal_nan=True, msg=""):
    """assert_close with the tolerances of old (deprecated in torch). Raises as assert_close."""
    warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. Please "
        "use `torch.testing.assert_close()` instead. You can find detailed upgrade instructions in "
        "https://github.com/pytorch/pytorch/issues/61844.",
        FutureWarning,
    )
    if not isinstance(actual, Tensor):
        actual = tensor(actual)
    if not isinstance(expected, Tensor):
        expected = tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        known = [_TOLERANCES.get(x.dtype.name, (0.0, 0.0)) for x in (actual, expected)]
        rtol, atol = (max(pair) for pair in zip(*known, strict=True))
    options = {"equal_nan": equal_nan, "check_dtype": False, "check_stride": False, "msg": msg or None}
    assert_close(actual, expected, rtol=rtol, atol=atol, **options)
