"""The 60 ops that programs use most, and on what: inputs in three sizes, and the call, for torch and jtorch alike."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SIZES = ("small", "medium", "large")


class Case(NamedTuple):
    """An op to time. make(draw, size) gives its inputs, floats with a gradient; run(torch, *inputs) is the call."""

    name: str
    make: Callable
    run: Callable
    grad: bool = True  # whether it has a gradient
    settled: bool = True  # whether two calls give the same


def _normal(draw, *shape):
    return draw.standard_normal(shape, dtype=np.float32)


def _flat(count=1, positive=False):
    """Inputs of as many elements as an op on each element is timed with."""

    def make(draw, size):
        shape = ((32, 32), (256, 256), (2048, 2048))[size]
        arrays = [_normal(draw, *shape) for _ in range(count)]
        return [np.abs(a) + 0.1 for a in arrays] if positive else arrays

    return make


def _shaped(*shapes):
    """Inputs by their shapes in each size: one tuple of three shapes per input."""
    return lambda draw, size: [_normal(draw, *shape[size]) for shape in shapes]


def _with_index(shapes, limits, counts):
    """An input, and ints below a limit."""

    def make(draw, size):
        return [_normal(draw, *shapes[size]), draw.integers(0, limits[size], counts[size])]

    return make


_IMAGES = ((2, 8, 8, 8), (8, 16, 32, 32), (16, 64, 56, 56))
_ROWS = ((16, 64), (256, 256), (4096, 1024))
_SQUARE = ((16, 16), (128, 128), (1024, 1024))
_BATCH = ((8, 8, 8), (64, 32, 32), (256, 128, 128))
_TOKENS = ((2, 8, 32), (8, 64, 128), (8, 256, 768))
_CLASSES = _with_index(_ROWS, (64, 256, 1024), ((16,), (256,), (4096,)))


def _bools(draw, size):
    x, y = _flat(2)(draw, size)
    return [x, y > 0]


def _choices(draw, size):
    x, y, z = _flat(3)(draw, size)
    return [x > 0, y, z]


def _convolution(kernel, groups=1, transposed=False):
    def make(draw, size):
        x = _normal(draw, *_IMAGES[size])
        c = x.shape[1]
        return [x, _normal(draw, c, c // (c if groups is None else groups), kernel, kernel) * 0.1, _normal(draw, c)]

    return make


def _signal(draw, size):
    b, c, n = ((2, 8, 32), (8, 32, 256), (16, 64, 2048))[size]
    return [_normal(draw, b, c, n), _normal(draw, c, c, 3) * 0.1]


def _normed(draw, size):
    x = _normal(draw, *_IMAGES[size])
    return [x, _normal(draw, x.shape[1]), _normal(draw, x.shape[1])]


def _heads(draw, size):
    shape = ((1, 2, 16, 8), (4, 4, 64, 32), (8, 12, 256, 64))[size]
    return [_normal(draw, *shape) for _ in range(3)]


def _recurrent(draw, size):
    length, batch, width = ((5, 2, 8), (20, 16, 64), (64, 32, 256))[size]
    shapes = [(length, batch, width), (1, batch, width), (1, batch, width), *[(4 * width, width)] * 2]
    return [_normal(draw, *s) * 0.1 for s in shapes]


def _rows_index(draw, size):
    x = _normal(draw, *_ROWS[size])
    return [x, draw.integers(0, x.shape[1], x.shape)]


def _rows_moved(draw, size):
    x = _normal(draw, *_ROWS[size])
    return [x, draw.integers(0, len(x), len(x)), _normal(draw, *x.shape)]


def _ordered(draw, size):
    """Rows without equal elements: torch and jtorch may order those differently."""
    rows, width = _ROWS[size]
    return [draw.permuted(np.tile(np.linspace(-3, 3, width, dtype=np.float32), (rows, 1)), axis=1)]


def _targets(draw, size):
    x, y = _flat(2)(draw, size)
    return [x, y > 0]


def _ints(draw, size):
    return [draw.integers(0, 100, (1 << 10, 1 << 16, 1 << 20)[size])]


def _drawn(name):
    def run(torch, x):
        return getattr(torch, name)(x.shape)

    return Case(name, _flat(), run, grad=False, settled=False)


def _unary(name, positive=False):
    return Case(name, _flat(positive=positive), lambda torch, x: getattr(torch, name)(x))


def _binary(name):
    return Case(name, _flat(2, positive=True), lambda torch, x, y: getattr(torch, name)(x, y))


def _activation(name, **kwargs):
    return Case(name, _flat(), lambda torch, x: getattr(torch.nn.functional, name)(x, **kwargs))


_CASES = [
    *map(_binary, ("add", "sub", "mul", "div", "maximum")),
    *(_unary(name, positive=name in ("log", "sqrt", "rsqrt")) for name in
      ("exp", "log", "sqrt", "rsqrt", "sin", "abs", "erf", "sigmoid", "tanh")),
    Case("pow", _flat(), lambda torch, x: x**3),
    Case("clamp", _flat(), lambda torch, x: torch.clamp(x, -1, 1)),
    Case("eq", _flat(2), lambda torch, x, y: x == y, grad=False),
    Case("where", _choices, lambda torch, c, x, y: torch.where(c, x, y)),
    Case("masked_fill", _bools, lambda torch, x, m: x.masked_fill(m, -1e9)),
    Case("sum", _shaped(_ROWS), lambda torch, x: x.sum(-1)),
    Case("mean", _shaped(_ROWS), lambda torch, x: x.mean(0)),
    Case("max", _shaped(_ROWS), lambda torch, x: x.max(-1).values),
    Case("argmax", _shaped(_ROWS), lambda torch, x: x.argmax(-1), grad=False),
    Case("std", _shaped(_ROWS), lambda torch, x: x.std(-1)),
    Case("norm", _shaped(_ROWS), lambda torch, x: torch.norm(x)),
    Case("cumsum", _shaped(_ROWS), lambda torch, x: x.cumsum(-1)),
    Case("matmul", _shaped(_SQUARE, _SQUARE), lambda torch, x, y: x @ y),
    Case("bmm", _shaped(_BATCH, _BATCH), lambda torch, x, y: torch.bmm(x, y)),
    Case("einsum", _shaped(_BATCH, _BATCH), lambda torch, x, y: torch.einsum("bij,bkj->bik", x, y)),
    Case("linear", _shaped(_TOKENS, ((32, 32), (128, 128), (768, 768)), ((32,), (128,), (768,))),
         lambda torch, x, w, b: torch.nn.functional.linear(x, w, b)),
    Case("cat", _flat(2), lambda torch, x, y: torch.cat([x, y], 1)),
    Case("stack", _flat(2), lambda torch, x, y: torch.stack([x, y], 1)),
    Case("transpose", _flat(), lambda torch, x: x.transpose(0, 1).contiguous()),
    Case("repeat", _flat(), lambda torch, x: x.repeat(2, 2)),
    Case("flip", _flat(), lambda torch, x: x.flip(0)),
    Case("pad", _shaped(_IMAGES), lambda torch, x: torch.nn.functional.pad(x, (1, 1, 1, 1))),
    Case("getitem", _with_index(_ROWS, (16, 256, 4096), ((16,), (256,), (4096,))), lambda torch, x, i: x[i]),
    Case("gather", _rows_index, lambda torch, x, i: x.gather(1, i)),
    Case("scatter", _rows_index, lambda torch, x, i: torch.zeros_like(x).scatter_add(1, i, x)),
    Case("index_add", _rows_moved, lambda torch, x, i, y: x.index_add(0, i, y)),
    Case("embedding", _with_index(((64, 32), (1000, 128), (10000, 768)), (64, 1000, 10000), ((16,), (8, 64), (8, 256))),
         lambda torch, w, i: torch.nn.functional.embedding(i, w)),
    Case("sort", _ordered, lambda torch, x: x.sort(-1).values),
    Case("topk", _ordered, lambda torch, x: x.topk(5).values),
    Case("unique", _ints, lambda torch, x: torch.unique(x), grad=False),
    _drawn("rand"),
    _drawn("randn"),
    _activation("relu"),
    _activation("gelu"),
    _activation("silu"),
    Case("softmax", _shaped(_ROWS), lambda torch, x: torch.softmax(x, -1)),
    Case("log_softmax", _shaped(_ROWS), lambda torch, x: torch.log_softmax(x, -1)),
    Case("dropout", _flat(), lambda torch, x: torch.nn.functional.dropout(x, 0.1), settled=False),
    Case("conv2d", _convolution(3), lambda torch, x, w, b: torch.nn.functional.conv2d(x, w, b, padding=1)),
    Case("conv2d 1x1", _convolution(1), lambda torch, x, w, b: torch.nn.functional.conv2d(x, w, b)),
    Case("conv2d grouped", _convolution(3, groups=4),
         lambda torch, x, w, b: torch.nn.functional.conv2d(x, w, b, padding=1, groups=4)),
    Case("conv2d depthwise", _convolution(3, groups=None),
         lambda torch, x, w, b: torch.nn.functional.conv2d(x, w, b, padding=1, groups=x.shape[1])),
    Case("conv1d", _signal, lambda torch, x, w: torch.nn.functional.conv1d(x, w, padding=1)),
    Case("conv_transpose2d", _convolution(2),
         lambda torch, x, w, b: torch.nn.functional.conv_transpose2d(x, w, b, stride=2)),
    Case("max_pool2d", _shaped(_IMAGES), lambda torch, x: torch.nn.functional.max_pool2d(x, 2)),
    Case("max_pool2d 3x3", _shaped(_IMAGES), lambda torch, x: torch.nn.functional.max_pool2d(x, 3, 2, 1)),
    Case("avg_pool2d", _shaped(_IMAGES), lambda torch, x: torch.nn.functional.avg_pool2d(x, 2)),
    Case("adaptive_avg_pool2d", _shaped(_IMAGES), lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, 1)),
    Case("interpolate", _shaped(_IMAGES), lambda torch, x: torch.nn.functional.interpolate(
        x, scale_factor=2, mode="bilinear")),
    Case("batch_norm", _normed, lambda torch, x, w, b: torch.nn.functional.batch_norm(x, None, None, w, b, True)),
    Case("layer_norm", _shaped(_TOKENS), lambda torch, x: torch.nn.functional.layer_norm(x, x.shape[-1:])),
    Case("cross_entropy", _CLASSES, lambda torch, x, y: torch.nn.functional.cross_entropy(x, y)),
    Case("mse_loss", _flat(2), lambda torch, x, y: torch.nn.functional.mse_loss(x, y)),
    Case("binary_cross_entropy_with_logits", _targets,
         lambda torch, x, y: torch.nn.functional.binary_cross_entropy_with_logits(x, y.float())),
    Case("scaled_dot_product_attention", _heads,
         lambda torch, q, k, v: torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)),
    Case("lstm", _recurrent, lambda torch, x, h, c, *w: torch.lstm(
        x, (h, c), list(w), False, 1, 0.0, True, False, False)[0]),
]  # fmt: skip
CASES = {case.name: case for case in _CASES}
