"""Python expressions evaluated with torch and with jtorch: each must come out the same, as a value or as an error.

In an expression stand torch, np, copy, pickle, operator, math and fresh values: x float32 (2, 3), i int64 (2,), n a
float64 array (2, 3), r a leaf that requires grad, c a complex number. A test may add functions of its own.
"""

import copy
import math
import operator
import pickle
import warnings

import numpy as np
import torch

import jtorch
from tests.sides import fail


def same_expressions(text, **names):
    """Assert that every line of the text gives the same type and repr, or error and words, under both modules."""
    __tracebackhide__ = True
    lines = [line.strip() for line in text.strip().splitlines()]
    expected, actual = ([evaluate(module, line, names) for line in lines] for module in (torch, jtorch))
    apart = [(line, one, other) for line, one, other in zip(lines, expected, actual, strict=True) if one != other]
    if apart:
        wanted, came = ("\n".join(f"{line} => {x[side]}" for line, *x in apart) for side in (0, 1))
        fail(f"{len(apart)} of {len(lines)} expressions", wanted, came)


def evaluate(module, line, names):
    """What one expression gives, as text."""
    known = {
        "torch": module, "np": np, "copy": copy, "math": math, "operator": operator, "pickle": pickle, "S": module.Size,
        "x": module.arange(6.0).view(2, 3), "i": module.tensor([1, 2]), "c": module.tensor(1 + 2j),
        "n": np.arange(6, dtype=np.float64).reshape(2, 3) + 1, "r": module.ones(2, requires_grad=True),
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _shown(eval(line, known | {k: v(module) for k, v in names.items()}))
        except Exception as error:
            return f"{type(error).__name__}: {str(error).split(', but expected one of:')[0]}"


def _shown(value):
    if type(value) in (list, tuple):
        return f"{type(value).__name__}[{', '.join(map(_shown, value))}]"
    return f"{type(value).__name__}: {value!r}".replace("jtorch", "torch")
