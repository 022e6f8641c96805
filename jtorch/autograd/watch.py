"""Watchers: told of each call that a thread makes, and able to put other values in the place of its results."""

from jtorch import modes


class Watcher:
    """Context manager: inside, `see` is told of each call. Calls that it makes itself are not watched."""

    def __enter__(self):
        modes.local.watchers = (*modes.local.watchers, self)
        modes.enter_rare()
        return self

    def __exit__(self, *exc):
        modes.leave_rare()
        modes.local.watchers = modes.local.watchers[:-1]

    def see(self, op, operands, attrs, results):
        """A call that was just recorded: its op, operands, static attributes, and the Tensors that came of it."""
        raise NotImplementedError


def tell(op, operands, attrs, results):
    """Tell the watchers of a call, the innermost first."""
    local = modes.local
    watchers, local.watchers = local.watchers, ()
    try:
        for watcher in reversed(watchers):
            watcher.see(op, operands, attrs, results)
    finally:
        local.watchers = watchers


def replace(results, refs):
    """Give the results of a call other values, also for its gradient. What then nobody reads is not computed."""
    for number, (x, ref) in enumerate(zip(results, refs, strict=True)):
        x._storage.ref = ref
        node = x._grad_fn
        if node is not None and node.tape.results:
            node.saved[len(node.tape.saved) + number] = ref
