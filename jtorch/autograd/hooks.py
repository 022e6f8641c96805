"""The handle that registering a hook returns, wherever hooks are kept."""

import weakref
from collections import OrderedDict


class RemovableHandle:
    """Takes a hook away again: `remove()`, or the end of a `with` block. It does not keep the hooks alive.

    hooks_dict: where the hook stands, under `id`. extra_dict: a dict or a list of dicts with marks under the same id.
    """

    next_id = 0

    def __init__(self, hooks_dict, *, extra_dict=None):
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extra = [extra_dict] if isinstance(extra_dict, dict) else extra_dict or []
        self._dicts = tuple(_reference(d) for d in (hooks_dict, *extra))

    def remove(self):
        """Take the hook away; nothing happens if it is gone already."""
        for reference in self._dicts:
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        hooks, *extra = (reference() for reference in self._dicts)
        return hooks, self.id, tuple(extra)

    def __setstate__(self, state):
        hooks, self.id, *extra = state
        dicts = (hooks, *(extra[0] or () if extra else ()))
        self._dicts = tuple(_reference(OrderedDict() if d is None else d) for d in dicts)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


def _reference(hooks):
    """A weak reference, where the dict can have one: a plain dict cannot."""
    return (lambda: hooks) if type(hooks) is dict else weakref.ref(hooks)
