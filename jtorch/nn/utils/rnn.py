"""Sequences of many lengths: padded into one block, packed for recurrent layers, and back."""

from collections.abc import Iterable

import numpy as np

from jtorch import _tensor, dtypes
from jtorch._tensor import Tensor
from jtorch.api import packing
from jtorch.api.construct import as_tensor
from jtorch.api.packed import PackedSequence, invert_permutation

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip

PackedSequence.__module__ = invert_permutation.__module__ = __name__  # where pickles and prints look for them


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
