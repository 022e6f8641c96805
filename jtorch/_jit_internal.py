"""The marks of TorchScript by the names under which libraries import them: they mean nothing here."""

import functools
import inspect

from jtorch.jit import Final, _overload, _overload_method, export, ignore, is_scripting, unused
from jtorch.jit import isinstance as _isinstance

__all__ = [
    "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "BroadcastingList4", "BroadcastingList5",
    "BroadcastingList6", "Final", "_copy_to_script_wrapper", "_isinstance", "_overload", "_overload_method",
    "boolean_dispatch", "copy_torchscript_modifier", "export", "ignore", "is_scripting", "unused",
]  # fmt: skip


class BroadcastingListCls:
    """A type that TorchScript reads: a list, or one value for all of it."""

    def __getitem__(self, types):
        """Nothing, as in torch."""


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = BroadcastingListCls()
BroadcastingList4 = BroadcastingList5 = BroadcastingList6 = BroadcastingList1


def _copy_to_script_wrapper(fn):
    """The method itself: mark of one that a scripted module takes along."""
    return fn


def copy_torchscript_modifier(orig, new):
    """Let a function have another's mark: there are none."""


def boolean_dispatch(arg_name, arg_index, default, if_true, if_false, module_name, func_name):
    """The function that calls one of two, by the value of a flag among its arguments."""

    @functools.wraps(inspect.unwrap(if_true if if_true.__doc__ else if_false))
    def choose(*args, **kwargs):
        flag = kwargs.get(arg_name, args[arg_index] if arg_index < len(args) else default)
        return (if_true if flag else if_false)(*args, **kwargs)

    if module_name is not None:
        choose.__module__ = module_name
    if func_name is not None:
        choose.__name__ = func_name
    return choose
