"""TestCase, whose assertEqual knows tensors, and run_tests."""

import sys
import unittest

from jtorch._tensor import Tensor
from jtorch.random import manual_seed
from jtorch.testing.comparison import assert_close

__all__ = ["TestCase", "run_tests"]


class TestCase(unittest.TestCase):
    """unittest's, from the same seed before each test. precision, rel_tol: the least tolerances of assertEqual."""

    precision: float = 0
    rel_tol: float = 0

    def setUp(self):
        manual_seed(1234)

    def assertEqual(
        self, x, y, msg=None, *, atol=None, rtol=None, equal_nan=True, exact_dtype=True, exact_device=False,
        exact_stride=False,
    ):  # fmt: skip
        """Raise AssertionError unless both are equal; tensors and numbers as assert_close compares them."""
        if not _compared(x) and not _compared(y):
            return super().assertEqual(x, y, msg)
        if isinstance(x, Tensor) != isinstance(y, Tensor):
            x, y = (value.item() if isinstance(value, Tensor) and value.numel() == 1 else value for value in (x, y))
        if atol is None and (self.precision or self.rel_tol):
            atol, rtol = self.precision, self.rel_tol
        checks = {"check_dtype": exact_dtype, "check_device": exact_device, "check_stride": exact_stride}
        return assert_close(x, y, atol=atol, rtol=rtol, equal_nan=equal_nan, msg=msg, **checks)

    def assertNotEqual(self, x, y, msg=None, **options):
        """Raise AssertionError if both are equal."""
        with self.assertRaises(AssertionError, msg=msg):
            self.assertEqual(x, y, msg, **options)


def _compared(value):
    """Whether there are numbers or tensors in a value."""
    if isinstance(value, (list, tuple)):
        return any(map(_compared, value))
    if isinstance(value, dict):
        return any(map(_compared, value.values()))
    return isinstance(value, (Tensor, float, complex))


def run_tests(argv=None):
    """Run the tests of the script, and leave the process."""
    unittest.main(argv=sys.argv if argv is None else argv)
