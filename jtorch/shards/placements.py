"""How a tensor lies on one dim of a device mesh: in parts along a dim, whole on each rank, or as a sum to be made."""


class Placement:
    """How a tensor lies on one dim of a device mesh."""

    def is_shard(self, dim=None):
        """Whether each rank has a part, along this dim if one is given."""
        return isinstance(self, Shard) and dim in (None, self.dim)

    def is_replicate(self):
        """Whether each rank has the whole."""
        return isinstance(self, Replicate)

    def is_partial(self, reduce_op=None):
        """Whether the ranks' values are still to be put together, in this way if one is given."""
        return isinstance(self, Partial) and reduce_op in (None, self.reduce_op)

    def _key(self):
        return ()

    def __eq__(self, other):
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self):
        return hash((type(self).__name__, self._key()))


class Shard(Placement):
    """Each rank has a part along a dim, in parts of ⌈size / ranks⌉; the last ones may be smaller, or empty."""

    def __init__(self, dim):
        self.dim = dim

    def _key(self):
        return self.dim

    @staticmethod
    def local_shard_size_and_offset(curr_local_size, num_chunks, rank):
        """(size of a rank's part, where it begins)."""
        each = -(-curr_local_size // num_chunks)
        start = min(each * rank, curr_local_size)
        return min(each, curr_local_size - start), start

    def __repr__(self):
        return f"Shard(dim={self.dim})"

    def __str__(self):
        return f"S({self.dim})"


class Replicate(Placement):
    """Each rank has the whole."""

    def __repr__(self):
        return "Replicate()"

    def __str__(self):
        return "R"


class Partial(Placement):
    """Each rank has a value of the whole's size; the whole is what they are put together: sum, avg, max or min."""

    def __init__(self, reduce_op="sum"):
        self.reduce_op = reduce_op

    def _key(self):
        return self.reduce_op

    def __repr__(self):
        return f"Partial({self.reduce_op})"

    def __str__(self):
        return f"P({self.reduce_op})"


for _kind in (Placement, Shard, Replicate, Partial):
    _kind.__module__ = "torch.distributed.tensor.placement_types"
REPLICATE, SUM = Replicate(), Partial()
