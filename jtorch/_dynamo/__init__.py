"""The names that libraries take from torch._dynamo: those of torch.compiler."""

from jtorch._dynamo import config, eval_frame
from jtorch.compiler import OptimizedModule, allow_in_graph, assume_constant_result, disable, is_compiling, reset

__all__ = ["OptimizedModule", "allow_in_graph", "assume_constant_result", "config", "disable", "eval_frame",
           "is_compiling", "reset"]  # fmt: skip


def disallow_in_graph(fn):
    """The function itself: mark of what is to run in Python."""
    return fn


def graph_break(msg=""):
    """Nothing: no graph is made of Python code."""


def mark_dynamic(t, index, **kwargs):
    """Nothing: a program is compiled for the sizes that it meets."""


mark_static = maybe_mark_dynamic = mark_dynamic
