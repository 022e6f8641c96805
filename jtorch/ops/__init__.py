"""The ops, one pure JAX function each, and the table of all of them (`ops.op.TABLE`).

`torch.ops.<namespace>` is found here too: the namespaces of torch's operators and of those that users define.
"""


class Namespaces:
    """What a name of torch.ops stands for; set by _ops.py."""

    find = None


def __getattr__(name):
    if Namespaces.find is None or name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return Namespaces.find(name)
