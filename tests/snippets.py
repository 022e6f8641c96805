"""Short pieces of code, a line each, run with torch and with jtorch on tensors of known names and compared."""

import re

import numpy as np

from tests.oracle import check

# What a line of code may name; only what it does name is made. y is the result of a call on the leaf x.
NAMES = {
    "b": "torch.arange(12.0).reshape(3, 4) * 1", "c": "torch.arange(24.0).reshape(2, 3, 4) * 1",
    "i": "torch.arange(12).reshape(3, 4) * 1",
    "z": "torch.complex(torch.arange(6.0), -torch.arange(6.0)).reshape(2, 3)",
    "x": "(torch.arange(12.0).reshape(3, 4) + 1).requires_grad_()",
    "w": "(torch.arange(12.0).reshape(3, 4) / 2 + 2).requires_grad_()", "y": "x * 1",
}  # fmt: skip


def graph(node):
    """The names of a node and of all behind it."""
    return None if node is None else [type(node).__name__, [graph(n) for n, _ in node.next_functions]]


def run(code, torch):
    """What the last expression of a line of code gives; statements before it are parted by semicolons."""
    names = {"torch": torch, "np": np, "graph": graph}
    wanted = set(re.findall(r"\b[a-z]\b", code))
    for name, made in NAMES.items():
        if name in wanted or (name == "x" and "y" in wanted):
            names[name] = eval(made, names)
    *statements, last = code.split("; ")
    exec("\n".join(statements), names)
    return eval(last, names)


def compare(lines):
    """Assert that every line gives the same with both: values, dtypes, shapes, strides, graphs, or error and words."""
    __tracebackhide__ = True
    for code in filter(None, map(str.strip, lines.splitlines())):

        def fn(torch, code=code):
            return run(code, torch)

        fn.__name__ = code
        check(fn, grad=False, strides=True)
