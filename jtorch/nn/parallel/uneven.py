"""Ranks with different numbers of batches: they tell each other at each step who still has one."""

from jtorch.groups.messages import from_all


class Uneven:
    """One `join` of a group. count: what gradients are divided by."""

    def __init__(self, group, by_all, strict):
        self._group, self._by_all, self._strict = group, by_all, strict
        self.count = group.size()

    def meet(self, goes_on):
        """Tell the others whether this rank goes on; which of them do. Raises RuntimeError where all must."""
        every = from_all(goes_on, self._group)
        going = [rank for rank, on in enumerate(every) if on]
        if self._strict and going and len(going) < len(every):
            raise RuntimeError(
                "Detected at least one rank that exhausted inputs. Throwing across all ranks."
                if goes_on else f"Rank {self._group.rank()} exhausted all inputs."
            )  # fmt: skip
        if not self._by_all and going:
            self.count = len(going)
        return going

    def leave(self, join_in):
        """Join in with the others' steps until none goes on; the first of the group's ranks that went on longest."""
        last = None
        while True:
            going = self.meet(False)
            if not going:
                break
            last = going
            join_in()
        return from_all(last is None, self._group).index(True)
