"""Step counts: a 0-d tensor per parameter as torch has, but one number for all parameters that step together."""

from weakref import WeakKeyDictionary

import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import aval, from_host, host, wrap
from jtorch.engine.ref import of_array


class Clock:
    """Reads and advances the `step` tensors in the states of parameters without running anything.

    Parameters that step together hold the same immutable Ref, whose number is known here. A tensor that was loaded or
    written to holds a Ref unknown here: its value is read once.
    """

    def __init__(self):
        self._known = WeakKeyDictionary()

    def read(self, states, device, dtype):
        """The distinct next steps, and which of them each state goes by. A state without `step` starts at 0."""
        refs, places, index = [], {}, []
        for state in states:
            step = state.get("step")
            if step is None:
                step = state["step"] = wrap(self._zero(refs, device, dtype))
            ref = step._storage.ref
            place = places.get(ref)
            if place is None:
                place = places[ref] = self._place(state, refs)
            index.append(place)
        return [self._known[ref] + 1.0 for ref in refs], tuple(index), refs

    def hold(self, refs, states, device, dtype):
        """Which of `refs` each state goes by. The distinct steps so far join them, on a device; none is read."""
        index = []
        for state in states:
            step = state.get("step")
            if step is None:
                step = state["step"] = wrap(self._zero(refs, device, dtype))
            elif step._view is not None or aval(step).device is not device or not aval(step).dtype.is_floating_point:
                step = state["step"] = from_host(host(step).astype(dtypes.float32.numpy), device=device)
            ref = step._storage.ref
            if ref not in refs:
                refs.append(ref)
            index.append(refs.index(ref))
        return tuple(index)

    def _zero(self, refs, device, dtype):
        for ref in refs:
            if self._known.get(ref) == 0.0:
                return ref
        ref = of_array(np.zeros((), dtype.numpy), devices.get(device))
        self._known[ref] = 0.0
        return ref

    def _place(self, state, refs):
        """Where a Ref seen for the first time stands in `refs`: beside another one of the same value, or at the end."""
        step = state["step"]
        ref = step._storage.ref
        if ref not in self._known:
            value = float(host(step))
            if step._view is not None or not ref.aval.dtype.is_floating_point:
                state["step"] = from_host(np.asarray(value, dtypes.float32.numpy), device=ref.aval.device)
                ref = state["step"]._storage.ref
            self._known[ref] = value
            for place, other in enumerate(refs):
                if self._known[other] == value:
                    return place
        refs.append(ref)
        return len(refs) - 1

    def advance(self, states, values, index, refs):
        """Put the next steps into the states; they are returned as Refs."""
        news = []
        for value, ref in zip(values, refs, strict=True):
            new = of_array(np.asarray(value, ref.aval.dtype.numpy), ref.aval.device)
            self._known[new] = value
            news.append(new)
        self.put(states, index, news)
        return news

    def put(self, states, index, news):
        """Put steps into the states, as Refs."""
        for state, place in zip(states, index, strict=True):
            state["step"]._storage.put(news[place])
