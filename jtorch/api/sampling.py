"""Functions and methods that draw random numbers: torch's own numbers on the CPU, JAX's on accelerators."""

import numpy as np

from jtorch import _tensor, devices, dtypes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.attributes import is_contiguous
from jtorch.api.creation import finish, sizes_of
from jtorch.api.put import both, function, method
from jtorch.autograd.apply import create, hashable
from jtorch.autograd.inplace import assign, check_writable
from jtorch.ops.op import TABLE, Lift
from jtorch.rng import generator as generators
from jtorch.rng import samplers


def source(generator, place):
    """The generator to draw from. Raises RuntimeError when the given one is another device's."""
    if generator is None:
        return generators.default_for(place)
    if generator.device.type != place.type:
        raise RuntimeError(f"Expected a '{place.type}' device type for generator but found '{generator.device.type}'")
    return generator


def draw(kind, generator, size, dtype, place, *params):
    """A Tensor of one distribution on a place. kind: a sampler's name; params: its numbers."""
    generator = source(generator, place)
    if place is devices.CPU:
        return _tensor.from_host(getattr(samplers, kind)(generator, size, dtype, *params), dtype, place)
    if place is devices.META:
        return create(TABLE["full_kernel"], (size, dtype), place, (0,))
    if kind == "random":
        kind, params = "randint", params or _range(dtype)
    seeds = [Lift(x) for x in generator.advance()]
    return create(TABLE[f"draw_{kind}"], (size, dtype), place, (*seeds, *(Lift(float(p)) for p in params)))


def redraw(tensor, kind, generator, *params):
    """New values for a tensor. torch fills a strided one in the order of its memory, and normal numbers one by one."""
    a = aval(tensor)
    if a.device is not devices.CPU or is_contiguous(tensor):
        return draw(kind, generator, a.shape, a.dtype, a.device, *params)
    order = _memory_order(tensor)
    options = {"contiguous": False} if kind == "normal" else {}
    size = tuple(a.shape[dim] for dim in order)
    drawn = getattr(samplers, kind)(source(generator, a.device), size, a.dtype, *params, **options)
    return _tensor.from_host(np.asarray(drawn.transpose(np.argsort(order)), order="C"), a.dtype, a.device)


def _memory_order(tensor):
    """The dims from the one with the longest stride to the one with the shortest."""
    strides = _tensor.strides(tensor)
    return sorted(range(len(strides)), key=lambda dim: -strides[dim])


def _range(dtype):
    """[low, high) of torch's random_ without bounds: the whole numbers that the dtype holds exactly."""
    if dtype.category == dtypes.BOOL:
        return 0, 2
    if dtype.category == dtypes.INT:
        return 0, int(np.iinfo(dtype.numpy).max)
    return 0, 2 ** {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}[dtype.name] + 1


def _sized(name, kind):
    def make(*size, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False, names=None, **kwargs):  # fmt: skip
        if "size" in kwargs:
            size = (kwargs.pop("size"),)
        if kwargs:
            raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(kwargs))}'")
        size = sizes_of(name, size)
        place = aval(out).device if out is not None and device is None else devices.get(device)
        if device is None and out is None and generator is not None and devices.Default.device is None:
            place = generator.device
        return finish(draw(kind, generator, size, dtype or dtypes.Default.float, place, 0.0, 1.0), requires_grad, out)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"Random numbers of the given sizes; see torch.{name}."
    function(make)

    def like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
        a = aval(input)
        place = a.device if device is None else devices.get(device)
        return finish(draw(kind, generator, a.shape, dtype or a.dtype, place, 0.0, 1.0), requires_grad)

    like.__name__ = like.__qualname__ = f"{name}_like"
    like.__doc__ = f"Random numbers with another tensor's sizes, dtype and device; see torch.{name}_like."
    function(like)


_sized("rand", "uniform")
_sized("randn", "normal")


@function
def randint(low, high=None, size=None, *, generator=None, out=None, dtype=None, layout=None, device=None,
            requires_grad=False, pin_memory=False):  # fmt: skip
    """Random integers in [low, high), or [0, low) in the form randint(high, size)."""
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    size = sizes_of("randint", (size,))
    place = devices.get(device)
    made = draw("randint", generator, size, dtype or dtypes.int64, place, hashable(low), hashable(high))
    return finish(made, requires_grad, out)


@function
def randint_like(
    input, low, high=None, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None
):
    """Random integers with another tensor's sizes, dtype and device."""
    low, high = (0, low) if high is None else (low, high)
    a = aval(input)
    place = a.device if device is None else devices.get(device)
    return finish(draw("randint", None, a.shape, dtype or a.dtype, place, low, high), requires_grad)


@function
def randperm(n, *, generator=None, out=None, dtype=dtypes.int64, layout=None, device=None, requires_grad=False,
             pin_memory=False):  # fmt: skip
    """A random permutation of 0 … n-1. Shape: (n,)."""
    place = devices.get(device)
    order = samplers.randperm(source(generator, place), hashable(n), dtype)
    return finish(_tensor.from_host(order, dtype, place), requires_grad, out)


@function
def normal(mean=0.0, std=1.0, size=None, *, generator=None, out=None, dtype=None, layout=None, device=None,
           requires_grad=False, pin_memory=False):  # fmt: skip
    """Normal numbers; mean and std are numbers (with a size) or tensors."""
    like = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not like:
        made = draw("normal", generator, sizes_of("normal", (size,)), dtype or dtypes.Default.float,
                    devices.get(device), mean, std)  # fmt: skip
        return finish(made, requires_grad, out)
    size = shapes.broadcast_shapes(*(aval(x).shape for x in like))
    base = aval(like[0])
    made = draw("normal", generator, size, base.dtype, base.device, 0.0, 1.0)
    return finish(made * std + mean, requires_grad, out)


@both
def bernoulli(input, p=None, *, generator=None, out=None):
    """Zeros and ones, one with the probability that stands in input (or p for all of them)."""
    a = aval(input)
    chances = _tensor.host(input) if p is None else p
    drawn = samplers.bernoulli(source(generator, devices.CPU), chances, a.shape, a.dtype)
    return finish(_tensor.from_host(drawn, a.dtype, a.device), False, out)


@both
def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Indices drawn with the weights of each row. Shape: (..., n) -> (..., num_samples)."""
    a = aval(input)
    drawn = samplers.multinomial(source(generator, devices.CPU), _tensor.host(input), num_samples, replacement)
    return finish(_tensor.from_host(drawn, dtypes.int64, a.device), False, out)


def _in_place(name, kind, defaults):
    keys = tuple(defaults)

    def fill(self, *args, generator=None, **kwargs):
        given = dict(zip(keys, args, strict=False)) | kwargs
        params = [hashable(given.get(key, defaults[key])) for key in keys]
        check_writable(self)
        return assign(self, redraw(self, kind, generator, *params))

    fill.__name__ = name
    fill.__qualname__ = f"Tensor.{name}"
    fill.__doc__ = f"Fill with random numbers, in place; see torch.Tensor.{name}."
    method(fill)


_in_place("normal_", "normal", {"mean": 0.0, "std": 1.0})
_in_place("exponential_", "exponential", {"lambd": 1.0})
_in_place("geometric_", "geometric", {"p": None})
_in_place("log_normal_", "log_normal", {"mean": 1.0, "std": 2.0})
_in_place("cauchy_", "cauchy", {"median": 0.0, "sigma": 1.0})


@method
def uniform_(self, from_=0.0, to=1.0, *, generator=None, **kwargs):
    """Fill with uniform numbers in [from, to), in place."""
    low = kwargs.pop("from", from_)
    check_writable(self)
    return assign(self, redraw(self, "uniform", generator, hashable(low), hashable(to)))


@method
def random_(self, *bounds, generator=None, **kwargs):
    """Fill with random integers in [from, to), in place; without bounds, over the range of the dtype."""
    low, high = kwargs.pop("from", None), kwargs.pop("to", None)
    if bounds:
        low, high = (0, bounds[0]) if len(bounds) == 1 else bounds
    check_writable(self)
    params = () if high is None and low is None else (low or 0, high)
    return assign(self, redraw(self, "random", generator, *params))


@method
def bernoulli_(self, p=0.5, *, generator=None):
    """Fill with zeros and ones, in place; p is a number or a tensor."""
    check_writable(self)
    a = aval(self)
    order = _memory_order(self)
    if isinstance(p, Tensor):
        p = np.broadcast_to(_tensor.host(p), a.shape).transpose(order)
    size = tuple(a.shape[dim] for dim in order)
    drawn = samplers.bernoulli(source(generator, devices.CPU), p, size, a.dtype).transpose(np.argsort(order))
    return assign(self, _tensor.from_host(np.asarray(drawn, order="C"), a.dtype, a.device))
