"""torch's names for what calls compute: the ATen operator that makes the result of a recorded call."""

from jtorch._ops import OpOverloadPacket, namespace
from jtorch._tensor import Tensor, aval
from jtorch.autograd.grad_mode import no_grad
from jtorch.ops.op import Op
from jtorch.shapes import numel


def kernel(op, operands, attrs):
    """(OpOverload, arguments, keyword arguments) that torch would show of a call.

    A call that torch makes of several operators is shown as the one that computes its values: a linear layer is addmm.
    What torch has no operator for has an overload of the namespace `jtorch`.
    """
    op = getattr(op, "op", op)
    if not isinstance(op, Op):
        return _own(op.name), tuple(operands), {}
    args, kwargs = op.bind(operands, attrs, None)
    shown = _SHOWN.get(op.name)
    if shown is not None:
        name, args = shown(*args, **kwargs) if op.name in _WHOLE else shown(*args)
    else:
        name, args = _NAMES.get(op.name, op.name), _told(op, args)
    name, _, overload = name.partition(".")
    kwargs = {} if op.name in _WHOLE else {k: v for k, v in kwargs.items() if not _is_default(op, k, v)}
    return _overload(name, overload or "default"), tuple(args), kwargs


def _told(op, args):
    """torch leaves out the last arguments that have their defaults."""
    names, args = [p.name for p in op.params], list(args)
    while args and _is_default(op, names[len(args) - 1], args[-1]):
        args.pop()
    return args


def _is_default(op, name, value):
    default = next(p.default for p in op.params if p.name == name)
    return value is default or (type(value) is type(default) and value == default)


def _overload(name, overload):
    packet = getattr(namespace("aten"), name, None)
    return _own(name) if packet is None else getattr(packet, overload)


def _own(name):
    space = namespace("jtorch")
    if name not in vars(space):
        setattr(space, name, OpOverloadPacket("jtorch", name, _refuse))
    return getattr(space, name).default


def _refuse(*args, **kwargs):
    raise NotImplementedError("this operator is a part of jtorch, which no function calls by itself")


def _second(name, tensor="Tensor", number="Scalar"):
    """The overload goes by whether the second argument is a tensor."""
    return lambda x, y, *rest: (f"{name}.{tensor if isinstance(y, Tensor) else number}", (x, y, *rest))


_LISTED = ("amax", "amin", "mean", "sum")


def _along(name, dims="dim"):
    """The overload goes by whether a reduction has dims, which torch shows as a list."""

    def shown(x, dim=None, keepdim=False, *rest):
        if dim is None or dim == ():
            return f"{name}.default", (x,)
        if name in _LISTED:
            dim = [dim] if isinstance(dim, int) else list(dim)
        return f"{name}.{dims}", (x, dim, keepdim) if keepdim else (x, dim)

    return shown


def _linear(input, weight, bias=None):
    with no_grad():
        flat, turned = input.reshape(-1, aval(input).shape[-1]), weight.t()
    return ("mm", (flat, turned)) if bias is None else ("addmm", (bias, flat, turned))


def _matmul(a, b):
    m, n = aval(a).ndim, aval(b).ndim
    with no_grad():
        if m <= 1 and n <= 1:
            return "dot", (a, b)
        if n == 1:
            return "mv", (a.reshape(-1, aval(a).shape[-1]), b)
        if m == 1 and n == 2:
            return "mm", (a.unsqueeze(0), b)
        if n == 2:
            return "mm", (a.reshape(-1, aval(a).shape[-1]), b)
        if m == 2 and n == 2:
            return "mm", (a, b)
        return "bmm", _batches(a if m > 1 else a.unsqueeze(0), b)


def _batches(a, b):
    """Two stacks of matrices with the same dims before, as two batches."""
    rows, columns = aval(a).shape, aval(b).shape
    batch = aval(a[..., 0, 0] + b[..., 0, 0]).shape
    count = numel(batch)
    return (
        a.expand(*batch, *rows[-2:]).reshape(count, *rows[-2:]),
        b.expand(*batch, *columns[-2:]).reshape(count, *columns[-2:]),
    )


def _attention(query, key, value, mask=None, is_causal=False, scale=None):
    name = "_scaled_dot_product_flash_attention_for_cpu"
    if aval(query).device.type != "cpu":
        flash = mask is None and aval(query).dtype.name in ("float16", "bfloat16")
        name = f"_scaled_dot_product_{'flash' if flash else 'efficient'}_attention"
    return name, (query, key, value, *((0.0, True) if is_causal else ()))


def _max_pool(input, rank, kernel_size, stride=None, padding=0, *rest):
    def listed(n):
        return [n] * rank if isinstance(n, int) else list(n)

    given = (kernel_size, *(() if stride is None else (stride,)), *((padding,) if padding else ()))
    return f"max_pool{max(rank, 2)}d_with_indices", (input, *map(listed, given))


def _group_norm(x, groups, weight=None, bias=None, eps=1e-5, cudnn=True):
    n, channels, *rest = aval(x).shape
    return "native_group_norm", (x, weight, bias, n, channels, numel(tuple(rest)), groups, eps)


def _slice(x, dim, start, *, length, step=1):
    end = start + (length - 1) * step + 1
    return "slice.Tensor", (x, dim, start, end, *((step,) if step != 1 else ()))


def _spread(name):
    def shown(x, dim=None, correction=1, keepdim=False):
        return f"{name}.correction", (x, None if dim is None else [dim] if isinstance(dim, int) else list(dim))

    return shown


_SHOWN = {
    **{name: _second(name, number="Tensor") for name in ("add", "sub", "mul", "div")},
    **{name: _second(name) for name in ("eq", "ne", "lt", "le", "gt", "ge", "remainder", "bitwise_and", "bitwise_or")},
    **{name: _along(name) for name in ("mean", "any", "all")},
    "sum": _along("sum", "dim_IntList"),
    "prod": _along("prod", "dim_int"),
    "true_divide": _second("div", number="Tensor"),
    "pow": lambda x, y: (
        "pow." + ("Tensor_Tensor" if isinstance(y, Tensor) else "Tensor_Scalar" if isinstance(x, Tensor) else "Scalar"),
        (x, y),
    ),
    "masked_fill": lambda x, mask, value: (f"masked_fill.{'Tensor' if isinstance(value, Tensor) else 'Scalar'}",
                                           (x, mask, value)),
    "amax": _along("amax", "default"),
    "amin": _along("amin", "default"),
    "std_kernel": _spread("std"),
    "var_kernel": _spread("var"),
    "mT": lambda x: ("transpose.int", (x, -2, -1)),
    "group_norm": _group_norm,
    "slice": _slice,
    "linear": _linear,
    "matmul": _matmul,
    "attention": _attention,
    "max_pool": _max_pool,
    "softmax": lambda x, dim, dtype=None: ("_softmax", (x, dim, False)),
    "log_softmax": lambda x, dim, dtype=None: ("_log_softmax", (x, dim, False)),
    "layer_norm": lambda x, shape, weight=None, bias=None, eps=1e-5, cudnn=True: (
        "native_layer_norm", (x, list(shape), weight, bias, eps)
    ),
    "batch_norm_train": lambda x, mean, var, weight, bias, momentum, eps: (
        "native_batch_norm", (x, weight, bias, mean, var, True, momentum, eps)
    ),
    "batch_norm_eval": lambda x, mean, var, weight, bias, eps: (
        "native_batch_norm", (x, weight, bias, mean, var, False, 0.1, eps)
    ),
    "index": lambda x, indices, dims: ("index.Tensor", (x, indices)),
    "cat": lambda tensors, dim=0: ("cat", (tensors, dim) if dim else (tensors,)),
    "stack": lambda tensors, dim=0: ("stack", (tensors, dim) if dim else (tensors,)),
    "to_dtype": lambda x, dtype: ("_to_copy", (x,)),
    "clone": lambda x, *rest: ("clone", (x,)),
    "view": lambda x, shape: ("view", (x, list(shape))),
    "unsafe_view": lambda x, shape: ("_unsafe_view", (x, list(shape))),
}  # fmt: skip

_WHOLE = ("slice",)  # shown with their keyword arguments
_NAMES = {
    "attention_dropout": "_scaled_dot_product_attention_math", "fill_kernel": "fill.Scalar",
    "max_all": "max", "max_dim": "max.dim", "min_all": "min", "min_dim": "min.dim",
    "nll_loss": "nll_loss_forward", "select": "select.int",
    "squeeze_dim": "squeeze.dim", "swapaxes": "transpose.int", "transpose": "transpose.int",
    "where_kernel": "where.self",
}  # fmt: skip
