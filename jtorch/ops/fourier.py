"""Discrete Fourier transforms along one dim and along several."""

from jax import lax
from jax import numpy as jnp

from jtorch.dtypes import COMPLEX, from_numpy
from jtorch.ops.op import Array, op
from jtorch.shapes import normalize_dim

_OPPOSITE = {"forward": "backward", "backward": "forward", "ortho": "ortho"}


def _scale(norm, opposite=False):
    """The normalization in JAX's words, with the two directions' exchanged where the opposite is asked for."""
    norm = "backward" if norm is None else norm
    if norm not in _OPPOSITE:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return _OPPOSITE[norm] if opposite else norm


def _dim(x, dim):
    if not x.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return normalize_dim(dim, x.ndim)


def _supported(x):
    if x.dtype.itemsize < 4:
        raise RuntimeError(f"Unsupported dtype {from_numpy(x.dtype).label}")
    return x


def _complex(x):
    x = _supported(x)
    return x if jnp.iscomplexobj(x) else lax.complex(x, jnp.zeros_like(x))


def _real(x, words):
    if jnp.iscomplexobj(x):
        raise RuntimeError(words.format(from_numpy(x.dtype).label))
    return _supported(x)


def _resized(x, dim, size):
    """x cut or padded by zeros at the end of a dim."""
    have = x.shape[dim]
    if size <= have:
        return x if size == have else lax.slice_in_dim(x, 0, size, axis=dim)
    return jnp.pad(x, [(0, size - have if d == dim else 0) for d in range(x.ndim)])


def _points(n):
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


# What every transform comes down to: complex to complex, real to half complex, half complex to real.


def _c2c(x, dims, norm, forward):
    transform = jnp.fft.fftn if forward else jnp.fft.ifftn
    for at in range(0, len(dims), 3):  # XLA takes three dims at a time
        x = transform(x, axes=dims[at : at + 3], norm=norm)
    return x


def _one_dim(x, n, dim, half=False):
    """x resized to n points along a dim, that dim, and n. half: x has the first half of the points."""
    dim = _dim(x, dim)
    points = _points((2 * (x.shape[dim] - 1) if half else x.shape[dim]) if n is None else n)
    return _resized(x, dim, points // 2 + 1 if half else points), dim, points


def _fft(forward):
    def transform(input: Array, n=None, dim=-1, norm=None):
        x, dim, _ = _one_dim(_complex(input), n, dim)
        return _c2c(x, (dim,), _scale(norm), forward)

    return transform


def _rfft(name, forward):
    def transform(input: Array, n=None, dim=-1, norm=None):
        x, dim, _ = _one_dim(_real(input, name + " expects a real input tensor, but got {}"), n, dim)
        found = jnp.fft.rfft(x, axis=dim, norm=_scale(norm, not forward))
        return found if forward else jnp.conj(found)

    return transform


def _irfft(forward):
    def transform(input: Array, n=None, dim=-1, norm=None):
        x, dim, points = _one_dim(_complex(input), n, dim, half=True)
        return jnp.fft.irfft(jnp.conj(x) if forward else x, points, axis=dim, norm=_scale(norm, forward))

    return transform


# Several dims.


def _layout(x, s, dim):
    """(dims, sizes) of a transform along several dims; a size of None leaves the dim as it is."""
    s = (s,) if isinstance(s, int) else s
    dim = (dim,) if isinstance(dim, int) else dim
    if dim is not None:
        dims = tuple(_dim(x, d) for d in dim)
        if len(set(dims)) < len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif s is not None:
        if len(s) > x.ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {x.ndim} dimensions.")
        dims = tuple(range(x.ndim - len(s), x.ndim))
    else:
        dims = tuple(range(x.ndim))
    sizes = [None] * len(dims) if s is None else [None if n == -1 else n for n in s]
    return dims, sizes


def _several(x, dims, sizes, half=False):
    """x resized along dims, and the points along the last one. half: of which x has the first half."""
    points = None
    for i, (dim, size) in enumerate(zip(dims, sizes, strict=True)):
        last = half and i == len(dims) - 1
        points = _points((2 * (x.shape[dim] - 1) if last else x.shape[dim]) if size is None else size)
        x = _resized(x, dim, points // 2 + 1 if last else points)
    return x, points


def _need_dims(name, dims):
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")


def _fftn(x, s, dim, norm, forward):
    dims, sizes = _layout(x, s, dim)
    return _c2c(_several(_complex(x), dims, sizes)[0], dims, _scale(norm), forward)


def _rfftn(x, s, dim, norm):
    x = _real(x, "rfftn expects a real-valued input tensor, but got {}")
    dims, sizes = _layout(x, s, dim)
    _need_dims("rfftn", dims)
    x, _ = _several(x, dims, sizes)
    norm = _scale(norm)
    return _c2c(jnp.fft.rfft(x, axis=dims[-1], norm=norm), dims[:-1], norm, True)


def _irfftn(name, x, s, dim, norm, forward):
    dims, sizes = _layout(x, s, dim)
    _need_dims(name, dims)
    x, points = _several(_complex(x), dims, sizes, half=True)
    x = _c2c(x, dims[:-1], _scale(norm), forward)
    return jnp.fft.irfft(jnp.conj(x) if forward else x, points, axis=dims[-1], norm=_scale(norm, forward))


def _ihfftn(x, s, dim, norm):
    x = _real(x, "Only supports floating-point dtypes, but found: {}")
    dims, sizes = _layout(x, s, dim)
    _need_dims("ihfftn", dims)
    x, _ = _several(x, dims, sizes)
    half = jnp.conj(jnp.fft.rfft(x, axis=dims[-1], norm=_scale(norm, True)))
    return _c2c(half, dims[:-1], _scale(norm), False)


_SEVERAL = {
    "fft": lambda x, s, dim, norm: _fftn(x, s, dim, norm, True),
    "ifft": lambda x, s, dim, norm: _fftn(x, s, dim, norm, False),
    "rfft": _rfftn,
    "irfft": lambda x, s, dim, norm: _irfftn("irfftn", x, s, dim, norm, False),
    "hfft": lambda x, s, dim, norm: _irfftn("hfftn", x, s, dim, norm, True),
    "ihfft": _ihfftn,
}


# The table.


def _by_input(real, complex):
    """torch's name of the grad_fn, which depends on whether the input is complex."""
    return lambda operands, attrs: complex if operands[0][0].category == COMPLEX else real


_C2C, _R2C, _C2R = "FftC2CBackward0", "FftR2CBackward0", "FftC2RBackward0"
_ONE = {
    "fft": (_fft(True), _by_input(_R2C, _C2C), "The transform along a dim. Shape: n points along it; complex."),
    "ifft": (_fft(False), _by_input("ConjBackward0", _C2C), "The inverse of fft. Shape: n points along dim; complex."),
    "rfft": (_rfft("rfft", True), _R2C, "The first half of a real input's fft. Shape: n // 2 + 1 points; complex."),
    "irfft": (
        _irfft(False),
        _C2R,
        "The inverse of rfft. Shape: n points along dim, 2 · (size - 1) unless given; real.",
    ),
    "hfft": (_irfft(True), _C2R, "The fft of a Hermitian signal's first half. Shape: n points along dim; real."),
    "ihfft": (_rfft("ihfft", False), "ConjBackward0", "The inverse of hfft. Shape: n // 2 + 1 points; complex."),
}


def _ihfftn_name(operands, attrs):
    s, dim, _ = attrs
    several = dim if dim is not None else s if s is not None else range(operands[0][1])
    return "ConjBackward0" if isinstance(several, int) or len(several) == 1 else _C2C


_NAMES = {"fft": _C2C, "ifft": _C2C, "rfft": _R2C, "irfft": _C2R, "hfft": _C2R, "ihfft": _ihfftn_name}


def _register(kind):
    one, node, words = _ONE[kind]
    one.__doc__ = words
    op(f"fft_{kind}", door="fft", rule="float", out=True, grad_name=node)(one)

    def along_two(input: Array, s=None, dim=(-2, -1), norm=None):
        return _SEVERAL[kind](input, s, dim, norm)

    def along_all(input: Array, s=None, dim=None, norm=None):
        return _SEVERAL[kind](input, s, dim, norm)

    along_two.__doc__ = f"torch.fft.{kind} along two dims. Shape: s points along them."
    along_all.__doc__ = f"torch.fft.{kind} along several dims, all unless given. Shape: s points along them."
    op(f"fft_{kind}2", door="fft", rule="float", out=True, grad_name=_NAMES[kind])(along_two)
    op(f"fft_{kind}n", door="fft", rule="float", out=True, grad_name=_NAMES[kind])(along_all)


for _kind in _ONE:
    _register(_kind)


@op("overlap_add", door=None, grad_name="UnfoldBackwardBackward0")
def overlap_add(frames: Array, hop):
    """Frames, each hop after the one before, summed where they overlap. Shape: (b, t, n) -> (b, n + hop (t - 1))."""
    batch, count, size = frames.shape
    places = hop * jnp.arange(count)[:, None] + jnp.arange(size)
    return jnp.zeros((batch, size + hop * (count - 1)), frames.dtype).at[:, places].add(frames)
