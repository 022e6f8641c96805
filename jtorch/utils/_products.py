"""Which of torch's products a recorded call, or the gradient of one, is made of: operators with the shapes they see."""

import math

from jtorch.engine.ref import Ref
from jtorch.ops.contract import _parsed
from jtorch.recordable import SAVED, Vjp


def products(op, attrs, ins, outs):
    """(operator of aten, shapes and other arguments, shape of the result), one for each that torch would call.

    torch: matrix times vector, and attention of batches of heads on a CPU, are kernels that no formula is for. What
    recurrent layers (their cells are told) and second derivatives compute is not told.
    """
    if type(op) is not Vjp:
        shapes = [_shape(x) for x in ins if x is None or type(x) is Ref]
        made = _FORWARD.get(op.name)
        if made is not None:
            return made(shapes, attrs, outs)
        return [(op.name, tuple(shapes), _shape(outs[0]) if outs else None)]
    if type(op.op) is Vjp:
        return []
    fwd_attrs, _, layout, needs, present, _ = attrs
    given = iter(ins)
    cotangents = [_shape(next(given)) if here else None for here in present]
    shapes = [_shape(next(given)) if at is SAVED else None if at is None else at.shape for at in layout]
    pulled = _BACKWARD.get(op.op.name)
    if pulled is None or cotangents[0] is None:
        return []
    if op.op.name == "attention" and ins[0].aval.device.type == "cpu" and len(shapes[0]) == 4:
        return []
    return pulled(cotangents[0], shapes, fwd_attrs, needs)


def _shape(ref):
    return ref.aval.shape if type(ref) is Ref else None


def _mm(name, a, b, *before):
    return name, (*before, a, b), (*a[:-1], b[-1])


def _turned(shape):
    return (*shape[:-2], shape[-1], shape[-2])


def _pulled(name, a, b, needs):
    """The products that the gradients of a product are."""
    out = (*a[:-1], b[-1])
    return [_mm(name, *pair) for pair, need in zip(((out, _turned(b)), (_turned(a), out)), needs, strict=True) if need]


def _linear(shapes):
    """(name, a, b, bias) of a linear layer: rows times the turned weight."""
    x, weight, *bias = shapes
    rows = (math.prod(x[:-1]), x[-1])
    return ("mm", rows, _turned(weight)) if not bias or bias[0] is None else ("addmm", rows, _turned(weight), bias[0])


def _matmul(shapes):
    """(name, a, b) of a matmul, None where it is none of matrices."""
    a, b = shapes
    if len(b) == 1 or (len(a) == 1 and len(b) > 2):
        return None
    if len(a) == 1:
        return "mm", (1, *a), b
    if len(b) == 2:
        return "mm", (math.prod(a[:-1]), a[-1]), b
    if len(a) == 2:
        return "mm", (math.prod(b[:-2]) * b[-1], b[-2]), _turned(a)
    batch = 1
    for i in range(max(len(a), len(b)) - 2):
        sizes = [shape[-3 - i] for shape in (a, b) if len(shape) > 2 + i]
        batch *= max(sizes) if min(sizes) else 0
    return "bmm", (batch, *a[-2:]), (batch, *b[-2:])


def _of_matmul(shapes, attrs, outs):
    found = _matmul(shapes)
    return [] if found is None else [_mm(*found)]


def _of_linear(shapes, attrs, outs):
    name, a, b, *bias = _linear(shapes)
    return [_mm(name, a, b, *bias)]


def _of_cell(shapes, attrs, outs):
    """A step of a recurrent cell: a layer on its input and one on its state."""
    return [*_of_linear(shapes[0::2], attrs, outs), *_of_linear(shapes[1::2], attrs, outs)]


def _of_convolution(shapes, attrs, outs):
    return [("convolution", (*shapes, *attrs), _shape(outs[0]))]


def _of_heads(shapes, attrs, outs):
    """Attention by two products of batches: with dropout, and without a dim for heads."""
    (*batch, rows, width), columns, values = shapes[0], shapes[1][-2], shapes[2][-1]
    count = math.prod(batch)
    return [_mm("bmm", (count, rows, width), (count, width, columns)),
            _mm("bmm", (count, rows, columns), (count, columns, values))]  # fmt: skip


def _of_attention(shapes, attrs, outs):
    if len(shapes[0]) != 4:
        return _of_heads(shapes, attrs, outs)
    if outs[0].aval.device.type == "cpu":
        return []
    return [("_scaled_dot_product_efficient_attention", tuple(shapes), _shape(outs[0]))]


def _pull_attention(grad, shapes, attrs, needs):
    if len(shapes[0]) != 4:
        return _pull_heads(grad, shapes, attrs, needs)
    return [("_scaled_dot_product_efficient_attention_backward", (grad, *shapes), None)]


def _contraction(shapes, equation):
    """(batch, rows, sums, columns) of an einsum of two operands that sums over what both have; None of others."""
    inputs, output = _parsed(equation, [len(shape) for shape in shapes])
    if len(inputs) != 2:
        return None
    sizes = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            sizes[label] = max(size, sizes.get(label, 1))
    first, second = (set(labels) for labels in inputs)
    kept = [first & second & {*output}, first - second, (first & second) - {*output}, second - first]
    batch, rows, sums, columns = (math.prod(sizes[label] for label in group) for group in kept)
    return (batch, rows, sums, columns) if kept[2] else None


def _of_einsum(shapes, attrs, outs):
    found = _contraction(shapes, attrs[-1])
    if found is None:
        return []
    batch, rows, sums, columns = found
    return [_mm("bmm", (batch, rows, sums), (batch, sums, columns))]


def _tensordot(shapes, attrs):
    sums = math.prod(shapes[0][i] for i in attrs[0])
    return (math.prod(shapes[0]) // max(sums, 1), sums), (sums, math.prod(shapes[1]) // max(sums, 1))


_FORWARD = {
    "matmul": _of_matmul,
    "linear": _of_linear,
    **dict.fromkeys(("rnn_step", "lstm_sums", "gru_step"), _of_cell),
    "convolution": _of_convolution,
    "attention": _of_attention,
    "attention_dropout": _of_heads,
    "einsum_kernel": _of_einsum,
    "tensordot_kernel": lambda shapes, attrs, outs: [_mm("mm", *_tensordot(shapes, attrs))],
}


def _pull_matmul(grad, shapes, attrs, needs):
    found = _matmul(shapes)
    if found is None:
        return []
    turned = len(shapes[0]) == 2 and len(shapes[1]) > 2  # the two sides were exchanged
    return _pulled(*found, needs[::-1] if turned else needs)


def _pull_linear(grad, shapes, attrs, needs):
    _, a, b, *_ = _linear(shapes)
    return _pulled("mm", a, b, needs[:2])


def _pull_cell(grad, shapes, attrs, needs):
    sides = ((shapes[i::2], needs[i::2]) for i in (0, 1))
    return [one for side in sides for one in _pull_linear(grad, side[0], attrs, side[1])]


def _pull_after(name):
    return lambda grad, shapes, attrs, needs: _pulled(name, shapes[1], shapes[2], needs[1:3])


def _pull_convolution(grad, shapes, attrs, needs):
    x, weight, bias = shapes
    mask = [bool(need) for need in needs]
    out = tuple(shape if need else None for shape, need in zip(shapes, mask, strict=True))
    return [("convolution_backward", (grad, x, weight, bias, *attrs, mask), out)]


def _pull_heads(grad, shapes, attrs, needs):
    score, mix = _of_heads(shapes, attrs, None)
    return [*_pulled("bmm", *mix[1], (needs[0] or needs[1], needs[2])), *_pulled("bmm", *score[1], needs[:2])]


def _pull_einsum(grad, shapes, attrs, needs):
    found = _contraction(shapes, attrs[-1])
    if found is None:
        return []
    batch, rows, sums, columns = found
    return _pulled("bmm", (batch, rows, sums), (batch, sums, columns), needs[:2])


_BACKWARD = {
    "mm": lambda grad, shapes, attrs, needs: _pulled("mm", *shapes, needs),
    "bmm": lambda grad, shapes, attrs, needs: _pulled("bmm", *shapes, needs),
    "addmm": _pull_after("mm"),
    "baddbmm": _pull_after("bmm"),
    "addbmm": _pull_after("bmm"),
    "matmul": _pull_matmul,
    "linear": _pull_linear,
    **dict.fromkeys(("rnn_step", "lstm_sums", "gru_step"), _pull_cell),
    "convolution": _pull_convolution,
    "attention": _pull_attention,
    "attention_dropout": _pull_heads,
    "einsum_kernel": _pull_einsum,
    "tensordot_kernel": lambda grad, shapes, attrs, needs: _pulled("mm", *_tensordot(shapes, attrs), needs),
}
