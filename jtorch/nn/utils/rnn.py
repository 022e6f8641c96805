"""Sequences of many lengths: padded into one block, packed for recurrent layers, and back."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from jtorch import _tensor, dtypes
from jtorch._tensor import Tensor
from jtorch.api import packing
from jtorch.api.construct import as_tensor, tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


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


def invert_permutation(permutation):
    """The permutation that undoes one. Shape: (B,) of ints -> the same. None for None."""
    return None if permutation is None else permutation.argsort()


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """The PackedSequence of padded sequences. Shape: (T, B, *), or (B, T, *) with batch_first; lengths (B,).

    enforce_sorted: sequences come with the longest first; else they are sorted.
    Raises: RuntimeError when they are not, or lengths do not fit.
    """
    lengths = lengths.to(dtypes.int64) if isinstance(lengths, Tensor) else as_tensor(lengths, dtypes.int64, "cpu")
    order = back = None
    if not enforce_sorted:
        counts = _tensor.host(lengths)
        place = np.argsort(-counts, kind="stable")
        lengths = _tensor.from_host(counts[place], device=lengths.device)
        order, back = (_tensor.from_host(x, device=input.device) for x in (place, np.argsort(place)))
        input = input.index_select(0 if batch_first else 1, order)
    data, batch_sizes = packing._pack_padded_sequence(input, lengths, batch_first)
    return PackedSequence(data, batch_sizes, order, back)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """(padded sequences in their first order, their lengths). Shape: -> (T, B, *) or (B, T, *), (B,) of ints.

    Raises: ValueError when total_length is less than the longest sequence.
    """
    length = sequence.batch_sizes.size(0)
    if total_length is not None:
        if total_length < length:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {length}"
            )
        length = total_length
    out, lengths = packing._pad_packed_sequence(sequence.data, sequence.batch_sizes, batch_first, padding_value, length)
    back = sequence.unsorted_indices
    if back is None:
        return out, lengths
    return out.index_select(0 if batch_first else 1, back), lengths[back.cpu()]


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Sequences beside each other in one block, padded to the longest. Shape: (L, *) each -> (T, B, *) or (B, T, *).

    Raises: RuntimeError for what is no iterable, no sequences, sizes that differ after the first dim.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    return packing.pad_sequence(tuple(sequences), batch_first, padding_value, padding_side)


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """Each sequence without its padding. Shape: (T, B, *) or (B, T, *), (B,) -> a list of (L, *)."""
    if not batch_first:
        # torch: the tensor that was given is itself transposed.
        padded_sequences.transpose_(0, 1)
    places = np.arange(padded_sequences.shape[1])
    found = []
    for sequence, length in zip(padded_sequences, lengths.tolist(), strict=True):
        found.append(sequence[_tensor.from_host(places < length, device=sequence.device)])
    return found


def pack_sequence(sequences, enforce_sorted=True):
    """The PackedSequence of a list of sequences. Shape: (L, *) each. enforce_sorted: as for pack_padded_sequence."""
    lengths = as_tensor([x.size(0) for x in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The list of sequences of a PackedSequence. Shape: -> (L, *) each."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
