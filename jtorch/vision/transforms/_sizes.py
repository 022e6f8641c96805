"""Sizes, angles and other arguments as transforms take them."""

import numbers
from collections.abc import Sequence

TWO = "Please provide only two dimensions (h, w) for size."


def output_size(have, size, max_size=None):
    """[height, width] after a resize. have: [height, width]; size: two numbers, or one for the shorter edge.

    Raises ValueError where max_size is no more than the shorter edge.
    """
    if len(size) != 1:
        return [size[0], size[1]]
    height, width = have
    short, long = sorted(have)
    new_short, new_long = size[0], int(size[0] * long / short)
    if max_size is not None:
        if max_size <= size[0]:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested "
                f"size for the smaller edge size = {size}"
            )
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return [new_long, new_short] if width <= height else [new_short, new_long]


def setup_size(size, error_msg=TWO):
    """(height, width) of one number or two. Raises ValueError for more."""
    if isinstance(size, numbers.Number):
        return int(size), int(size)
    if isinstance(size, Sequence) and len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(error_msg)
    return size


def check_sequence(x, name, lengths):
    """Raise TypeError for what is no sequence, ValueError for one of another length."""
    wanted = " or ".join(map(str, lengths))
    if not isinstance(x, Sequence):
        raise TypeError(f"{name} should be a sequence of length {wanted}.")
    if len(x) not in lengths:
        raise ValueError(f"{name} should be a sequence of length {wanted}.")


def setup_angle(x, name, lengths=(2,)):
    """Angles as a list; one number stands for itself and its negative. Raises ValueError for a negative one."""
    if isinstance(x, numbers.Number):
        if x < 0:
            raise ValueError(f"If {name} is a single number, it must be positive.")
        x = [-x, x]
    else:
        check_sequence(x, name, lengths)
    return [float(d) for d in x]


def checked_fill(fill):
    """A fill colour; None is 0. Raises TypeError for what is no number and no sequence."""
    if fill is None:
        return 0
    if not isinstance(fill, (Sequence, numbers.Number)):
        raise TypeError("Fill should be either a sequence or a number.")
    return fill
