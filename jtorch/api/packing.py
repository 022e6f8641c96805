"""Packed sequences, as torch's functions make them of padded ones and back."""

import numpy as np

from jtorch import devices
from jtorch._tensor import Tensor, aval, from_host, host
from jtorch.api.put import function
from jtorch.autograd.apply import apply
from jtorch.errors import bad_argument
from jtorch.ops.op import TABLE


def _counts(input, lengths):
    """Lengths as a NumPy array, checked. Raises RuntimeError in torch's words."""
    a = aval(lengths)
    if a.ndim != 1 or a.device is not devices.CPU or a.dtype.name != "int64":
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {a.ndim}D {a.device.type} {a.dtype.label} "
            "tensor"
        )
    shape = aval(input).shape
    if len(shape) < 2:
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got 1)")
    if 0 in shape:
        raise RuntimeError("Cannot pack empty tensors.")
    if a.shape[0] != shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {a.shape[0]} (batch_size={shape[1]})"
        )
    counts = host(lengths)
    if counts[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (counts[1:] > counts[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    return counts


@function
def _pack_padded_sequence(input, lengths, batch_first):
    """(rows, how many of them belong to each step) of padded sequences, the longest first.

    Shape: (T, B, *) or (B, T, *), (B,) -> (N, *), (T,). Raises RuntimeError for lengths that do not fit.
    """
    if not isinstance(input, Tensor):
        raise bad_argument("_pack_padded_sequence", 1, "input", "Tensor", input)
    input = input.transpose(0, 1) if batch_first else input
    counts = _counts(input, lengths)
    sizes = from_host((np.arange(counts[0])[:, None] < counts).sum(1), device=devices.CPU)
    # torch: a length beyond the end of the block counts in the sizes, but has no rows.
    total = int(np.minimum(counts, aval(input).shape[0]).sum())
    return apply(TABLE["pack_padded"], (input, sizes), (total, "PackPaddedSequenceBackward0")), sizes


def check_packed(counts):
    """Raise RuntimeError when a step has more rows than the one before: the longest sequence must stand first."""
    if (counts[1:] > counts[:-1]).any():
        raise RuntimeError(f"batch_sizes of packed sequences must not increase, but got {counts.tolist()}")


@function
def _pad_packed_sequence(data, batch_sizes, batch_first, padding_value, total_length):
    """(padded sequences, their lengths) of packed ones. Shape: (N, *), (S,) -> (T, B, *) or (B, T, *), (B,)."""
    counts = host(batch_sizes)
    check_packed(counts)
    if counts.sum() > aval(data).shape[0]:
        size = [len(counts), int(counts[0]), *aval(data).shape[1:]]
        raise RuntimeError(f"shape '{size}' is invalid for input of size {np.prod(aval(data).shape, dtype=int)}")
    batch = int(counts[0])
    length = max(total_length, len(counts))
    out = apply(TABLE["pad_packed"], (data, batch_sizes, padding_value), (batch, length))
    lengths = from_host((np.arange(batch)[:, None] < counts).sum(1), device=devices.CPU)
    return (out.transpose(0, 1) if batch_first else out), lengths


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Sequences beside each other in one block, padded to the longest. Shape: (L, *) each -> (T, B, *) or (B, T, *).

    Raises: RuntimeError for no sequences, sizes that differ after the first dim, or another side than left or right.
    """
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if not aval(sequences[0]).ndim:
        raise RuntimeError("ArrayRef: invalid slice, N = 1; size = 0")
    operands = (*sequences, padding_value)
    return apply(TABLE["pad_sequences"], operands, (len(sequences), bool(batch_first), padding_side == "left"))
