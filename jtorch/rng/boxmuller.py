"""Uniform numbers in [0, 1) out of words, and normal numbers out of those, as torch's CPU makes both."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from jtorch.rng import cephes, libm
from jtorch.rng.libm import Exact
from jtorch.rng.rounding import fma32, fma64

F32 = np.float32
BLOCK = 16  # torch's Box-Muller works on 8 radii and 8 angles
_PIECE = 1 << 15  # a multiple of BLOCK; the scratch arrays of a piece stay in the cache
_FEW = 16  # so many pairs are not worth an array
_ALONE = 4  # so many pieces are not worth a thread


def unit32(generator, count):
    return (generator.words(count) & np.uint64(0xFFFFFF)).astype(F32) * F32(2.0**-24)


def unit64(generator, count):
    return (generator.longs(count) & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53


unit32.dtype, unit64.dtype = np.float32, np.float64


def serial(generator, count, dtype, mean, std):
    """Normal float64 drawn in pairs; the second of a pair is kept in the generator for the next call that draws so.

    dtype: what the numbers are rounded to later, which says how exact they must be.
    """
    kept = generator.next_normal
    head = [kept] if kept is not None and count else []
    fresh = count - len(head)
    unit = unit64(generator, fresh + fresh % 2).reshape(-1, 2)
    if count:
        generator.next_normal = pair(*unit[-1].tolist())[1] if fresh % 2 else None
    values = np.concatenate([head, _pairs(unit, libm.of(dtype.numpy))])[:count]
    return values + 0.0 if (mean, std) == (0, 1) else fma64(values, float(std), float(mean))


def pair(angle, radius):
    """Box-Muller on two uniform numbers: two normal ones, rounded as the C library does."""
    radius, angle = math.sqrt(-2.0 * math.log1p(-radius)), 2.0 * math.pi * angle
    return radius * math.cos(angle), radius * math.sin(angle)


def _pairs(unit, functions):
    """`pair` of each row, one after the other. Shape: (n, 2) -> (2n,)."""
    if len(unit) < _FEW:
        return [value for row in unit.tolist() for value in pair(*row)]
    angle, radius = 2.0 * math.pi * unit[:, 0], np.sqrt(-2.0 * functions.log1p(-unit[:, 1]))
    return np.stack([radius * functions.cos(angle), radius * functions.sin(angle)], -1).reshape(-1)


def blocks(generator, count, dtype, mean, std):
    """At least 16 normal numbers in blocks of 16: float64, or float32 for the other dtypes. Pieces run in threads."""
    double = dtype.name == "float64"
    unit, transform = (unit64, _transform64) if double else (unit32, _transform32)
    out = np.empty(count, np.float64 if double else F32)
    whole = count - count % BLOCK
    pieces = [out[start : min(start + _PIECE, whole)] for start in range(0, whole, _PIECE)]
    for piece in pieces:
        piece[...] = unit(generator, piece.size)
    if len(pieces) <= _ALONE:
        for piece in pieces:
            transform(piece, mean, std)
    else:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda piece: transform(piece, mean, std), pieces))
    if whole < count:
        # torch: the last 16 are drawn again; only the half types left their rest undrawn before.
        if dtype.itemsize > 2:
            unit(generator, count - whole)
        out[-BLOCK:] = unit(generator, BLOCK)
        transform(out[-BLOCK:], mean, std)
    return out


def _transform32(piece, mean, std):
    """Uniform to normal in place, in float32 as torch's AVX2 kernel rounds it."""
    unit = piece.reshape(-1, 2, 8)
    radius = np.sqrt(F32(-2) * cephes.log(F32(1) - unit[:, 0]))
    sine, cosine = cephes.sincos(F32(2 * np.pi) * unit[:, 1])
    np.multiply(radius, cosine, out=unit[:, 0])
    np.multiply(radius, sine, out=unit[:, 1])
    piece[...] = piece + F32(0) if (mean, std) == (0, 1) else fma32(piece, F32(std), F32(mean))


def _transform64(piece, mean, std):
    """Uniform to normal in place, in float64."""
    unit = piece.reshape(-1, 2, 8)
    radius = np.sqrt(-2 * Exact.log(1 - unit[:, 0]))
    angle = 2 * np.pi * unit[:, 1]
    np.multiply(radius, Exact.cos(angle), out=unit[:, 0])
    np.multiply(radius, Exact.sin(angle), out=unit[:, 1])
    piece[...] = piece + 0.0 if (mean, std) == (0, 1) else fma64(piece, std, mean)
