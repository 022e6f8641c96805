"""Uniform numbers in [0, 1) out of words, and normal numbers out of those, as torch's CPU makes both."""

import collections
import functools
import math
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
from jax import numpy as jnp

from jtorch.rng import cephes, libm
from jtorch.rng.libm import Exact
from jtorch.rng.rounding import fma32, fma64, rounded

F32 = np.float32
BLOCK = 16  # torch's Box-Muller works on 8 radii and 8 angles
_PIECE = 1 << 15  # a multiple of BLOCK; the scratch arrays of a piece stay in the cache
_FEW = 16  # so many pairs are not worth an array
_ALONE = 4  # so many pieces are not worth a thread
_COLD = 64  # after so many pieces of a size XLA's program for it is worth its compilation
_LEAST = 512  # smaller pieces are filled up to this size


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


def _normals(xp, unit, angle):
    """Box-Muller on float32 in [0, 1), as torch's AVX2 kernel rounds it, in NumPy or JAX: two normal arrays."""
    radius = xp.sqrt(F32(-2) * cephes.log(F32(1) - unit))
    sine, cosine = cephes.sincos(rounded(angle, F32(2 * np.pi)))
    return radius * cosine, radius * sine


def _transform32(piece, mean, std):
    """Uniform to normal in place, in float32."""
    unit = piece.reshape(-1, 2, 8)
    unit[:, 0], unit[:, 1] = _Warm.normals(unit[:, 0], unit[:, 1])
    piece[...] = piece + F32(0) if (mean, std) == (0, 1) else fma32(piece, F32(std), F32(mean))


class _Warm:
    """_normals by XLA where many were drawn: 3 times as fast as NumPy's many passes, after the time to compile."""

    seen = collections.Counter()  # pieces, by the number of blocks that they are filled up to

    @classmethod
    def normals(cls, unit, angle):
        """As _normals. Shape: (blocks, 8) -> twice the same."""
        count = len(unit)
        blocks = max(1 << (count - 1).bit_length(), _LEAST // BLOCK)
        cls.seen[blocks] += 1
        if cls.seen[blocks] <= _COLD:
            return _normals(np, unit, angle)
        if blocks == count:
            return cls.program(blocks)(unit, angle)
        filled = np.zeros((2, blocks, 8), F32)
        filled[0, :count], filled[1, :count] = unit, angle
        return [np.asarray(x)[:count] for x in cls.program(blocks)(*filled)]

    @staticmethod
    @functools.cache
    def program(blocks):
        """XLA's program for a piece, on the CPU whatever the default device is."""
        place = jax.sharding.SingleDeviceSharding(jax.devices("cpu")[0])
        half = jax.ShapeDtypeStruct((blocks, 8), F32, sharding=place)
        return jax.jit(functools.partial(_normals, jnp)).lower(half, half).compile()


def _transform64(piece, mean, std):
    """Uniform to normal in place, in float64."""
    unit = piece.reshape(-1, 2, 8)
    radius = np.sqrt(-2 * Exact.log(1 - unit[:, 0]))
    angle = 2 * np.pi * unit[:, 1]
    np.multiply(radius, Exact.cos(angle), out=unit[:, 0])
    np.multiply(radius, Exact.sin(angle), out=unit[:, 1])
    piece[...] = piece + 0.0 if (mean, std) == (0, 1) else fma64(piece, std, mean)
