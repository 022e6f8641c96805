"""BlockMask: which blocks of queries look at which blocks of keys, as lists of blocks per row."""

import itertools

from jtorch._tensor import Tensor, aval
from jtorch.api.creation import arange
from jtorch.autograd.apply import call
from jtorch.dtypes import bool_

BLOCK = 128
WHOLE = 1 << 30  # a block that holds any sequence

_TENSORS = (
    "kv_num_blocks", "kv_indices", "full_kv_num_blocks", "full_kv_indices", "q_num_blocks", "q_indices",
    "full_q_num_blocks", "full_q_indices",
)  # fmt: skip
_ORDERS = ("dq_write_order", "dq_write_order_full", "dq_kv_order", "dq_kv_order_spt")


def noop_mask(batch, head, token_q, token_kv):
    """A mask under which every query looks at every key."""
    return batch.new_ones(size=(), dtype=bool_)


def sliced_mask(batch, head, token_q, token_kv):
    """The mask of a slice, which is to be set by the caller. Raises RuntimeError."""
    raise RuntimeError(
        "Cannot use mask_mod from a sliced BlockMask. When you slice a BlockMask using [], the mask_mod attribute is "
        "reset. You must set it from the original BlockMask's mask_mod."
        "\n\nIncorrect usage:\n  base_mask = create_block_mask(my_mask_fn, ...)"
        "\n  sliced_mask = base_mask[:, :, block_idx]"
        "\n  sliced_mask.mask_mod = apply_offset(sliced_mask.mask_mod, offset)  # WRONG!"
        "\n\nCorrect usage:\n  base_mask = create_block_mask(my_mask_fn, ...)"
        "\n  sliced_mask = base_mask[:, :, block_idx]"
        "\n  sliced_mask.mask_mod = apply_offset(base_mask.mask_mod, offset)  # Use base_mask!"
    )


sliced_mask.__name__ = "_sliced_mask_mod_error"  # torch: a slice prints it


class BlockMask:
    """Blocks of queries and keys: which are looked at in part (by mask_mod), and which in full.

    Attributes: kv_num_blocks (B, H, rows) and kv_indices (B, H, rows, columns), the number of blocks in each row and
    which they are; full_* for those in full; q_* the same by columns; BLOCK_SIZE, seq_lengths, mask_mod, shape.
    Raises: RuntimeError for indices of less than 2 dims, AssertionError where only half of a pair is given.
    """

    def __init__(
        self, seq_lengths, kv_num_blocks, kv_indices, full_kv_num_blocks, full_kv_indices, q_num_blocks, q_indices,
        full_q_num_blocks, full_q_indices, BLOCK_SIZE=(BLOCK, BLOCK), mask_mod=noop_mask, *, dq_write_order=None,
        dq_write_order_full=None, dq_kv_order=None, dq_kv_order_spt=None,
    ):  # fmt: skip
        _check_pair(kv_indices, full_kv_num_blocks, full_kv_indices)
        if (full_q_num_blocks is None) != (full_q_indices is None):
            raise AssertionError("full_q_num_blocks and full_q_indices must be both provided or omitted")
        if dq_write_order_full is not None and dq_write_order is None:
            raise ValueError("dq_write_order_full requires dq_write_order")
        self.seq_lengths, self.BLOCK_SIZE, self.mask_mod = seq_lengths, BLOCK_SIZE, mask_mod
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.q_num_blocks, self.q_indices = q_num_blocks, q_indices
        self.full_q_num_blocks, self.full_q_indices = full_q_num_blocks, full_q_indices
        self.dq_write_order, self.dq_write_order_full = dq_write_order, dq_write_order_full
        self.dq_kv_order, self.dq_kv_order_spt = dq_kv_order, dq_kv_order_spt

    @classmethod
    def from_kv_blocks(
        cls, kv_num_blocks, kv_indices, full_kv_num_blocks=None, full_kv_indices=None, BLOCK_SIZE=BLOCK, mask_mod=None,
        seq_lengths=None, compute_q_blocks=True, *, dq_write_order=None, dq_write_order_full=None, dq_kv_order=None,
    ):  # fmt: skip
        """A mask of the blocks in each row; those in each column are worked out. Raises as the constructor."""
        _check_pair(kv_indices, full_kv_num_blocks, full_kv_indices)
        if dq_kv_order is not None and not isinstance(dq_kv_order, (bool, Tensor)):
            raise ValueError("dq_kv_order must be a bool, Tensor, or None")
        pairs = ((kv_num_blocks, kv_indices), (full_kv_num_blocks, full_kv_indices))
        columns = [_turned(*pair) if compute_q_blocks and pair[0] is not None else (None, None) for pair in pairs]
        size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
        rows, across = aval(kv_indices).shape[-2:]
        lengths = (rows * size[0], across * size[1]) if seq_lengths is None else seq_lengths
        order = {"dq_write_order": dq_write_order, "dq_write_order_full": dq_write_order_full}
        name = "dq_kv_order" if isinstance(dq_kv_order, Tensor) else "dq_kv_order_spt"
        return cls(
            lengths, *pairs[0], *pairs[1], *columns[0], *columns[1], size,
            noop_mask if mask_mod is None else mask_mod, **order, **{name: dq_kv_order},
        )  # fmt: skip

    def as_tuple(self, flatten=True):
        """All that it holds; flatten: lengths and block size as single numbers."""
        lengths, size = (self.seq_lengths, self.BLOCK_SIZE) if flatten else ((self.seq_lengths,), (self.BLOCK_SIZE,))
        held = (getattr(self, name) for name in (*_TENSORS, *_ORDERS))
        return (*lengths, *held, *size, self.mask_mod)

    @property
    def shape(self):
        """(*batch, queries, keys)."""
        return (*aval(self.kv_indices).shape[:-2], *self.seq_lengths)

    def __str__(self):
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%, \n{self.to_string().strip()}\n)"

    def __repr__(self):
        shapes = "".join(
            f"    {name}={None if (held := getattr(self, name)) is None else held.shape},\n" for name in _TENSORS
        )
        return (
            f"BlockMask(\n{shapes}    BLOCK_SIZE={self.BLOCK_SIZE},\n    shape={self.shape},\n"
            f"    sparsity={self.sparsity():.2f}%,\n    mask_mod={getattr(self.mask_mod, '__name__', self.mask_mod)}\n)"
        )

    def __getitem__(self, index):
        given = index if isinstance(index, tuple) else (index,)
        padded = (*given, *[slice(None)] * 3)[:3]
        sizes = aval(self.kv_num_blocks).shape[:3]
        kept = tuple(_kept(one, n) for one, n in zip(padded, sizes, strict=True))
        held = [getattr(self, name) for name in _TENSORS[:4]]
        return self._remade([None if x is None else x[kept] for x in held], sliced_mask, self.seq_lengths)

    def _adjust(self, new_q_len, new_kv_len):
        """The mask of the first queries and keys."""
        rows, across = (-(-n // size) for n, size in zip((new_q_len, new_kv_len), self.BLOCK_SIZE, strict=True))
        pairs = ((self.kv_num_blocks, self.kv_indices), (self.full_kv_num_blocks, self.full_kv_indices))
        cut = [x for pair in pairs for x in (_cut(*pair, rows, across) if pair[0] is not None else pair)]
        return self._remade(cut, self.mask_mod, (new_q_len, new_kv_len))

    def _remade(self, held, mask_mod, lengths):
        made = BlockMask.from_kv_blocks(
            *held, BLOCK_SIZE=self.BLOCK_SIZE, mask_mod=mask_mod, seq_lengths=lengths,
            compute_q_blocks=self.q_indices is not None,
        )  # fmt: skip
        made.dq_kv_order_spt = self.dq_kv_order_spt
        return made

    def numel(self):
        """How many scores there would be without a mask."""
        total = 1
        for n in self.shape:
            total *= n
        return total

    def sparsity(self):
        """The percentage of scores in blocks that nobody looks at."""
        computed = self.kv_num_blocks.sum()
        if self.full_kv_num_blocks is not None:
            computed = computed + self.full_kv_num_blocks.sum()
        return 100 * (1 - computed.item() * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1] / self.numel())

    def to_dense(self):
        """1 for each block that is looked at. Shape: (B, H, rows, columns)."""
        dense = _dense(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_num_blocks is None:
            return dense
        return dense | _dense(self.full_kv_num_blocks, self.full_kv_indices)

    def to_string(self, grid_size=(20, 20), limit=4):
        """A picture of the blocks for up to `limit` batches and heads, in cells of at most grid_size."""
        dense = self.to_dense()
        *batch, rows, across = aval(dense).shape
        most = (grid_size, grid_size) if isinstance(grid_size, int) else grid_size
        down, right = (max(1, -(-n // many)) for n, many in zip((rows, across), most, strict=True))
        parts = []
        for number, place in enumerate(itertools.product(*map(range, batch))):
            if number == limit:
                parts += [
                    "...", "To print out more, set BlockMask.to_string(limit=N)",
                    "You can also index (BlockMask[batch, head]) to choose a specific batch or head",
                ]  # fmt: skip
                break
            parts.append(f"{place}\n{_picture(dense[place].numpy(), down, right)}")
        return "\n".join(parts)

    def to(self, device):
        """The mask with its tensors on a device."""
        held = [None if (x := getattr(self, name)) is None else x.to(device) for name in _TENSORS]
        return BlockMask(self.seq_lengths, *held, self.BLOCK_SIZE, self.mask_mod, dq_kv_order_spt=self.dq_kv_order_spt)


def blocks_of(mask, size, separate_full_blocks):
    """((number, indices) of the blocks in part, and of those in full or (None, None)). Shape of mask: (B, H, Q, KV)."""
    queries, keys = aval(mask).shape[-2:]
    padded = call("constant_pad_nd", mask, (0, -keys % size[1], 0, -queries % size[0]), False)
    padded = padded.unflatten(-1, (-1, size[1])).unflatten(-3, (-1, size[0]))
    counts = padded.sum((-3, -1))
    if not separate_full_blocks:
        return _listed(counts > 0), (None, None)
    whole = size[0] * size[1]
    return _listed((counts > 0) & (counts < whole)), _listed(counts == whole)


def _check_pair(indices, full_number, full_indices):
    if aval(indices).ndim < 2:
        raise RuntimeError("BlockMask must have at least 2 dimensions")
    if (full_number is None) != (full_indices is None):
        raise AssertionError("full_kv_num_blocks and full_kv_indices must be both provided or omitted")


def _listed(dense):
    """(how many there are in each row, which come first) of blocks that are looked at, where dense is not 0."""
    dense = dense.int()
    return dense.sum(-1).int(), dense.argsort(-1, True, stable=True).int()


def _dense(number, indices):
    """The opposite of _listed: 1 where a block is looked at."""
    across = aval(indices).shape[-1]
    listed = (arange(across, device=aval(indices).device) < number.unsqueeze(-1)).int()
    return listed.new_zeros(aval(indices).shape).scatter_add(-1, indices.long(), listed)


def _turned(number, indices):
    return _listed(_dense(number, indices).transpose(-2, -1))


def _cut(number, indices, rows, across):
    indices, number = indices[:, :, :rows, :across], number[:, :, :rows].clamp(max=across)
    return (indices < number.unsqueeze(-1)).sum(-1).int(), indices


def _kept(index, size):
    if not isinstance(index, int):
        return index
    return slice(index + size, index + size + 1) if -size <= index < 0 else slice(index, index + 1)


def _picture(dense, down, right):
    lines = ""
    for row in range(0, dense.shape[0], down):
        for column in range(0, dense.shape[1], right):
            share = dense[row : row + down, column : column + right].mean()
            lines += ("\u2588" if share == 1 else " " if share == 0 else "\u2591") * 2
        lines += "\n"
    return lines
