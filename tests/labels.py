"""Names of parametrised cases."""

import re


def label(value):
    """A value as text without addresses, so that every worker of a parallel run collects the same tests."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))
