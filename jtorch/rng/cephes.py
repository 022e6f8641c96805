"""float32 log, sine and cosine in the very roundings of torch's AVX2 kernel, for its Box-Muller transform.

The polynomials are those of Moshier's Cephes library (logf.c, sinf.c). Where they fuse a multiply with an add, so does
this. The functions are written for NumPy and JAX arrays alike: XLA fuses all steps, but would also fuse roundings away
where a float32 product is added at once.
"""

import numpy as np

from jtorch.rng.rounding import fma32, rounded

F32, F64, I32 = np.float32, np.float64, np.int32
_LOG = [F64(F32(c)) for c in (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)]  # fmt: skip
_LN2 = F32(0.693359375), F32(-2.12194440e-4)  # the first part is exact with any exponent
_COS = [F64(F32(c)) for c in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)]
_SIN = [F64(F32(c)) for c in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)]
_QUARTER_PI = [F32(c) for c in (0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8)]
_SQRT_HALF_BITS = F32(0.707106781186547524).view(I32)


def _polynomial(coefficients, x):
    """Horner's rule, each step rounded once to float32."""
    wide = x.astype(F64)
    y = wide * coefficients[0]
    for c in coefficients[1:-1]:
        y = (y + c).astype(F32).astype(F64) * wide
    return (y + coefficients[-1]).astype(F32)


def log(x):
    """ln x for normal positive float32."""
    bits = x.view(I32)
    exponent = (bits - _SQRT_HALF_BITS) >> 23
    m = (bits - (exponent << 23)).view(F32) - F32(1)  # x = (m + 1)·2^exponent, m + 1 in [√½, √2)
    exponent = exponent.astype(F32)
    square = m * m
    y = fma32(_polynomial(_LOG, m) * m, square, exponent * _LN2[1])
    return y - square * F32(0.5) + m + exponent * _LN2[0]


def sincos(x):
    """Sine and cosine of float32 in [0, 2π]."""
    octant = ((x * F32(4 / np.pi)).astype(I32) + 1) & ~1
    turns = octant.astype(F32)
    for part in _QUARTER_PI:
        x = x - rounded(turns, part)
    square = x * x
    cosine = fma32(_polynomial(_COS, square) * square, square, square * F32(-0.5)) + F32(1)
    sine = fma32(_polynomial(_SIN, square) * square, x, x)
    # In every second quadrant the two change places; bit 2 of the octant holds the sign of the sine.
    s, c = sine.view(I32), cosine.view(I32)
    swap = (s ^ c) & -(octant >> 1 & 1)
    return (s ^ swap ^ (octant & 4) << 29).view(F32), (c ^ swap ^ (octant + 2 & 4) << 29).view(F32)
