"""PackedSequence: sequences of many lengths as recurrent layers take them; below nn, so layers need no nn.utils."""

from typing import NamedTuple

from jtorch import dtypes
from jtorch._tensor import Tensor
from jtorch.api.construct import tensor


def invert_permutation(permutation):
    """The permutation that undoes one. Shape: (B,) of ints -> the same. None for None."""
    return None if permutation is None else permutation.argsort()


class PackedSequence_(NamedTuple):
    """The fields of a PackedSequence."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """Sequences of many lengths as rows, step by step, the longest first. Made by `pack_padded_sequence`.

    Shape: data (N, *); batch_sizes (T,), how many rows belong to each step, on the CPU; sorted_indices and
    unsorted_indices (B,), the way into this order and back, or None.
    Raises: ValueError when batch_sizes is not on the CPU.
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. "
                "They should be instantiated by functions like pack_sequence and pack_padded_sequences in "
                "nn.utils.rnn. https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _each(self, fn):
        """With fn of data and indices; batch_sizes stay on the CPU."""
        indices = [None if x is None else fn(x) for x in (self.sorted_indices, self.unsorted_indices)]
        return type(self)(fn(self.data), self.batch_sizes, *indices)

    def pin_memory(self):
        """With pinned memory. Shape: the same."""
        return self._each(lambda x: x.pin_memory())

    def to(self, *args, **kwargs):
        """With data on another device or of another dtype; itself where data is so already."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        indices = [None if x is None else x.to(data.device) for x in (self.sorted_indices, self.unsorted_indices)]
        return type(self)(data, self.batch_sizes, *indices)

    def _on(self, kind, args, kwargs):
        probe = tensor((), dtype=self.data.dtype, device=self.data.device).to(*args, **kwargs)
        return self.to(*args, **kwargs) if probe.device.type == kind else self.to(*args, **{**kwargs, "device": kind})

    def cuda(self, *args, **kwargs):
        """On the GPU."""
        return self._on("cuda", args, kwargs)

    def cpu(self, *args, **kwargs):
        """On the CPU."""
        return self._on("cpu", args, kwargs)

    def double(self):
        """As float64."""
        return self.to(dtype=dtypes.float64)

    def float(self):
        """As float32."""
        return self.to(dtype=dtypes.float32)

    def half(self):
        """As float16."""
        return self.to(dtype=dtypes.float16)

    def long(self):
        """As int64."""
        return self.to(dtype=dtypes.int64)

    def int(self):
        """As int32."""
        return self.to(dtype=dtypes.int32)

    def short(self):
        """As int16."""
        return self.to(dtype=dtypes.int16)

    def char(self):
        """As int8."""
        return self.to(dtype=dtypes.int8)

    def byte(self):
        """As uint8."""
        return self.to(dtype=dtypes.uint8)

    @property
    def is_cuda(self):
        """Whether data is on a GPU."""
        return self.data.is_cuda

    def is_pinned(self):
        """Whether data is in pinned memory."""
        return self.data.is_pinned()
