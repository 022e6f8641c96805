"""Python numbers on their way into tensors: what fits a dtype, in torch's words."""

from jtorch import dtypes


def check_fits(value, dtype):
    """Raise in torch's words where a number cannot be assigned to an element of a dtype."""
    if isinstance(value, int) and value >= 2**63:
        raise ValueError("Overflow when unpacking long long")
    # torch: a number for a half or quarter float is only looked at as a double.
    dtypes.check_number(value, dtypes.float64 if dtype.is_floating_point and dtype.itemsize < 4 else dtype)
