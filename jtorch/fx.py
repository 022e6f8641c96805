"""torch.fx's marks, for code that bears them. Graphs of torch.fx are not there: jtorch records programs of its own."""

__all__ = ["wrap", "has_side_effect"]


def wrap(fn_or_name):
    """The function itself, or its name: mark of one that symbolic tracing does not look into. Raises as torch's.

    Raises: RuntimeError for what is neither a function nor a name.
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("Unsupported type for global function! Must be either a callable or string name")
    return fn_or_name


def has_side_effect(fn):
    """The function itself: mark of one whose call is kept though nobody takes its result."""
    return fn
