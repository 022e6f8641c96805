"""The `_foreach_` functions: one op on each tensor of a list, as optimizers call them. XLA fuses them in a program."""

from jtorch._tensor import Tensor
from jtorch.api.put import FUNCTIONS
from jtorch.errors import bad_argument

_UNARY = (
    "abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg reciprocal round "
    "rsqrt sigmoid sign sin sinh sqrt tan tanh trunc"
).split()
_BINARY = ("add", "sub", "mul", "div", "pow", "clamp_min", "clamp_max", "maximum", "minimum", "lerp")


def _method(name):
    """The Tensor method that does the work on one tensor."""
    # torch: maximum and minimum take numbers, too.
    return getattr(Tensor, {"maximum": "clamp_min", "minimum": "clamp_max"}.get(name.rstrip("_"), name.rstrip("_")))


def _checked(name, tensors, others=()):
    if not isinstance(tensors, (list, tuple)):
        raise bad_argument(name, 1, "self", "tuple of Tensors", tensors)
    if not tensors:
        raise RuntimeError("Tensor list must have at least one tensor.")
    for other in others:
        if len(other) != len(tensors):
            raise RuntimeError(
                f"Tensor lists must have the same number of tensors, got {len(tensors)} and {len(other)}"
            )


def _place(name, call):
    """Two functions: one whose results are new tensors, and one with an underscore that writes into the first list."""

    def made(self, *args, **kwargs):
        return call(f"_foreach_{name}", self, *args, **kwargs)

    def written(self, *args, **kwargs):
        for target, result in zip(self, call(f"_foreach_{name}_", self, *args, **kwargs), strict=True):
            target.copy_(result)
        return self

    for fn, ending in ((made, ""), (written, "_")):
        fn.__name__ = fn.__qualname__ = f"_foreach_{name}{ending}"
        fn.__doc__ = f"{name} of each tensor of a list{', in place' if ending else ''}."
        FUNCTIONS[fn.__name__] = fn


def _unary(name):
    method = getattr(Tensor, name)

    def call(full, tensors):
        _checked(full, tensors)
        return tuple(method(t) for t in tensors)

    _place(name, call)


def _binary(name):
    method = _method(name)

    def call(full, tensors, other, *args, **kwargs):
        others = other if isinstance(other, (list, tuple)) else None
        _checked(full, tensors, () if others is None else (others,))
        weights = args[0] if args and isinstance(args[0], (list, tuple)) else None
        return tuple(
            method(t, other if others is None else others[i], *(args if weights is None else (weights[i],)), **kwargs)
            for i, t in enumerate(tensors)
        )

    _place(name, call)


def _fused(name):
    method = getattr(Tensor, name)

    def call(full, tensors, first, second, value=1, *, scalars=None):
        _checked(full, tensors, (first, second))
        values = scalars if scalars is not None else value
        each = values.tolist() if isinstance(values, Tensor) else values
        each = each if isinstance(each, (list, tuple)) else [each] * len(tensors)
        return tuple(method(t, a, b, value=v) for t, a, b, v in zip(tensors, first, second, each, strict=True))

    _place(name, call)


for _name in _UNARY:
    _unary(_name)
for _name in _BINARY:
    _binary(_name)
for _name in ("addcmul", "addcdiv"):
    _fused(_name)


def _foreach_zero_(self):
    """Zeros in each tensor of a list."""
    for t in self:
        t.zero_()
    return self


def _foreach_copy_(self, src, non_blocking=False):
    """Each tensor of one list copied into that of another."""
    _checked("_foreach_copy_", self, (src,))
    for target, value in zip(self, src, strict=True):
        target.copy_(value)
    return self


def _foreach_norm(self, ord=2, dtype=None):
    """The vector norm of each tensor of a list."""
    _checked("_foreach_norm", self)
    return tuple(t.norm(ord) if dtype is None else t.to(dtype).norm(ord) for t in self)


def _foreach_max(self):
    """The largest element of each tensor of a list."""
    _checked("_foreach_max", self)
    return tuple(t.max() for t in self)


def _foreach_clone(self):
    """A copy of each tensor of a list."""
    return tuple(t.clone() for t in self)


for _fn in (_foreach_zero_, _foreach_copy_, _foreach_norm, _foreach_max, _foreach_clone):
    FUNCTIONS[_fn.__name__] = _fn
