"""Functions that draw random numbers: torch's own numbers on the CPU, JAX's on accelerators."""

import numpy as np

from jtorch import _tensor, devices, dtypes, modes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.creation import named_size, sizes_of
from jtorch.api.drawing import as_dtype, draw, for_rows, number, on_host, order_of, redraw, source, taped
from jtorch.api.guard import Refused
from jtorch.api.put import both, function
from jtorch.autograd.apply import apply, hashable
from jtorch.autograd.inplace import write_out
from jtorch.autograd.level import mapping, may_move
from jtorch.ops.op import TABLE
from jtorch.rng import samplers


def _whole(value, name):
    """A bound as an int. Raises TypeError where torch takes no such number for an int, ValueError beyond 64 bits."""
    value = hashable(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}(): an int is wanted, not {type(value).__name__}")
    if not -(2**63) <= value < 2**63:
        raise ValueError("Overflow when unpacking long long")
    return value


def _finish(name, kind, size, params, generator, out, dtype, device, requires_grad):
    """The common end: new numbers of this dtype and device, or new numbers in `out`."""
    if out is None:
        made = draw(kind, generator, size, dtype, devices.get(device), *params)
    else:
        made = _into(out, name, kind, size, params, generator, as_dtype(dtype), device)
    if requires_grad:
        _tensor.require_grad(made)
    return made


def _into(out, name, kind, size, params, generator, dtype, device):
    a = aval(out)
    if modes.local.grad and out._rg:
        raise RuntimeError(
            f"aten::{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    if dtype is not None and dtype is not a.dtype:
        raise RuntimeError(f"dtype {dtype.label} does not match dtype of out parameter ({a.dtype.label})")
    if device is not None and devices.get(device) is not a.device:
        raise RuntimeError(
            f"device type {devices.get(device).type} does not match device type of out parameter ({a.device.type})"
        )
    if a.shape == size:
        return write_out(out, redraw(out, kind, generator, *params))
    return write_out(out, draw(kind, generator, size, a.dtype, a.device, *params))


def _like(input, kind, params, generator, dtype, device, requires_grad, memory_format):
    a = aval(input)
    place = a.device if device is None else devices.get(device)
    order = order_of(input) if memory_format is None or "preserve" in str(memory_format) else None
    order = None if order == tuple(range(a.ndim)) else order
    if "channels_last" in str(memory_format):
        order = (0, *range(2, a.ndim), 1)
    made = draw(kind, generator, a.shape, as_dtype(dtype) or a.dtype, place, *params, order=order)
    if requires_grad:
        _tensor.require_grad(made)
    return made


def _sized(name, kind):
    def make(*size, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False, **kwargs):  # fmt: skip
        if "size" in kwargs and not size:
            size = named_size(kwargs)
        if kwargs or not size:
            raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(kwargs), None)}'")
        dtype = as_dtype(dtype) or (dtypes.Default.float if out is None else None)
        return _finish(name, kind, sizes_of(name, size), (0.0, 1.0), generator, out, dtype, device, requires_grad)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"Random numbers of the given sizes; see torch.{name}."
    function(make)

    def like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
             memory_format=None):  # fmt: skip
        return _like(input, kind, (0.0, 1.0), generator, dtype, device, requires_grad, memory_format)

    like.__name__ = like.__qualname__ = f"{name}_like"
    like.__doc__ = f"Random numbers with another tensor's sizes, dtype and device; see torch.{name}_like."
    function(like)
    return make


rand = _sized("rand", "uniform")
randn = _sized("randn", "normal")


@function
def randint(*args, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
            pin_memory=False, **kwargs):  # fmt: skip
    """Random integers in [low, high), or [0, high) in the form randint(high, size)."""
    names = ("low", "high", "size") if len(args) + len(kwargs) > 2 else ("high", "size")
    given = _named("randint", names, args, kwargs)
    size = given["size"]
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    bounds = [_whole(given[name], "randint") for name in names[:-1]]
    dtype = as_dtype(dtype) or (dtypes.int64 if out is None else None)
    bounds = bounds if len(bounds) > 1 else [0, *bounds]
    return _finish("randint", "randint", sizes_of("randint", (size,)), bounds, generator, out, dtype, device,
                   requires_grad)  # fmt: skip


def _named(function, names, args, kwargs):
    """{name: value} of a call in which every name is given. Raises TypeError for other calls."""
    if len(args) + len(kwargs) != len(names) or not set(kwargs) <= set(names[len(args) :]):
        raise TypeError(f"{function}() takes {', '.join(names)}")
    return dict(zip(names, args, strict=False)) | kwargs


@function
def randint_like(input, *args, generator=None, dtype=None, layout=None, device=None, requires_grad=False,
                 pin_memory=False, memory_format=None, **kwargs):  # fmt: skip
    """Random integers with another tensor's sizes, dtype and device."""
    names = ("low", "high") if len(args) + len(kwargs) > 1 else ("high",)
    given = _named("randint_like", names, args, kwargs)
    bounds = [0, *(_whole(given[name], "randint_like") for name in names)][-2:]
    return _like(input, "randint", bounds, generator, dtype, device, requires_grad, memory_format)


@function
def randperm(n, *, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False):  # fmt: skip
    """A random permutation of 0 … n-1. Shape: (n,)."""
    n, dtype = _whole(n, "randperm"), as_dtype(dtype) or (dtypes.int64 if out is None else None)
    return _finish("randperm", "randperm", (n,), (), generator, out, dtype, device, requires_grad)


@function
def normal(mean=None, std=None, size=None, *, generator=None, out=None, dtype=None, layout=None, device=None,
           requires_grad=False, pin_memory=False):  # fmt: skip
    """Normal numbers; mean and std are numbers (with a size) or tensors."""
    if size is not None:
        if not isinstance(size, (tuple, list)):
            raise Refused
        dtype = as_dtype(dtype) or (dtypes.Default.float if out is None else None)
        mean, std = number(mean), number(std)
        place = devices.CPU if device is None else device  # torch: the default device is not asked
        return _finish("normal", "normal", sizes_of("normal", (size,)), (mean, std), generator, out, dtype, place,
                       requires_grad)  # fmt: skip
    mean, std = 0.0 if mean is None else mean, 1.0 if std is None else std
    which = isinstance(mean, Tensor) + 2 * isinstance(std, Tensor)
    if not which:
        raise Refused
    if which == 1 and out is not None:
        shapes.broadcast_shapes(aval(mean).shape, aval(out).shape)  # torch: adds mean to out in place
    made = taped(
        _around(mean, std, generator, None if out is None else aval(out).dtype), mean, std,
        grad_name=f"NormalBackward{which}",
    )  # fmt: skip
    return made if out is None else write_out(out, made, "normal")


def _around(mean, std, generator, dtype):
    """Numbers around tensors: on the CPU of both, or of std alone, the values are read, for std is checked."""
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    size = shapes.broadcast_shapes(*(aval(x).shape for x in tensors))
    place = aval(tensors[0]).device
    dtype = aval(tensors[0]).dtype if dtype is None else dtype
    if modes.rare and mapping():
        return for_rows(lambda count, *each: _around(*each, generator, dtype), mean, std)
    if not isinstance(std, Tensor):
        return draw("normal", generator, size, dtype, place, 0.0, number(std)).add_(mean.detach())
    _check_std(std)
    if on_host(place):
        mean = _tensor.host(mean) if isinstance(mean, Tensor) else number(mean)
        drawn = samplers.normal_around(source(generator, place), size, dtype, mean, _tensor.host(std))
        return _tensor.from_host(drawn, dtype, place)
    mean = mean.detach() if isinstance(mean, Tensor) else mean
    return (draw("normal", generator, size, dtype, place, 0.0, 1.0) * std.detach() + mean).to(dtype)


def _check_std(std):
    a = aval(std)
    if a.dtype.is_complex:
        raise RuntimeError("normal expects standard deviation to be non-complex")
    if on_host(a.device) and not (_tensor.host(std) >= 0).all():
        raise RuntimeError("normal expects all elements of std >= 0.0")


@both
def bernoulli(input, p=None, *, generator=None, out=None):
    """Zeros and ones, one with the probability that stands in input (or p for all of them)."""
    a = aval(input)
    chance = input if p is None else number(p)
    made = draw("bernoulli", generator, a.shape, a.dtype if out is None else aval(out).dtype, a.device, chance)
    if out is not None:
        return write_out(out, made, "bernoulli")
    named = {"grad_name": "BernoulliBackward0"} if p is None else {"refused": "bernoulli"}
    return taped(made, input, **named)


@both
def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Indices drawn with the weights of each row. Shape: (..., n) -> (..., num_samples)."""
    a = aval(input)
    if out is not None and aval(out).dtype is not dtypes.int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {aval(out).dtype.label}")
    if modes.rare and mapping():
        return for_rows(
            lambda count, weights: multinomial(weights, num_samples, replacement, generator=generator), input
        )
    if on_host(a.device):
        weights = _tensor.host(input)
        weights = weights if order_of(input) is None else np.asfortranarray(weights)
        drawn = samplers.multinomial(source(generator, a.device), weights, hashable(num_samples), replacement)
        made = _tensor.from_host(drawn, dtypes.int64, a.device)
    else:
        samplers.check_weights(a.shape, a.dtype, num_samples, replacement)
        size = (*a.shape[:-1], num_samples)
        made = draw("choice" if replacement else "choice_once", generator, size, dtypes.int64, a.device, input)
    return made if out is None else write_out(out, made, "multinomial")


def _each(kind, *operands, generator):
    """One draw for each element of the operands, in their dtype."""
    a = aval(operands[0])
    return draw(kind, generator, a.shape, a.dtype, a.device, *(x.detach() for x in operands))


@function
def poisson(input, generator=None):
    """Poisson numbers of the rates in input. Shape: any -> the same. Raises RuntimeError for negative rates."""
    return taped(_each("poisson", input, generator=generator), input, grad_name="PoissonBackward0")


@function
def binomial(count, prob, generator=None):
    """How many of `count` trials of probability `prob` succeed. Shape: broadcast. Raises ValueError for integers."""
    samplers.check_binomial(aval(count).dtype, aval(prob).dtype)
    size = shapes.broadcast_shapes(aval(count).shape, aval(prob).shape)
    operands = [x.expand(size) for x in (count, prob)]
    return taped(_each("binomial", *operands, generator=generator), count, prob, refused="binomial")


@function
def _standard_gamma(input, generator=None):
    """Gamma numbers of rate 1 for each shape parameter in input; differentiable in it. Shape: any -> the same."""
    made = _each("standard_gamma", input, generator=generator)
    return apply(TABLE["standard_gamma_drawn"], (input, made), ()) if may_move(input) else made


@function
def _sample_dirichlet(input, generator=None):
    """Points of the simplex. Shape: (*, n) -> the same; the last dim sums to 1."""
    return taped(_each("dirichlet", input, generator=generator), input, refused="_sample_dirichlet")
