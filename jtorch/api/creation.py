"""Functions that make tensors: zeros, full, arange, rand, ... with torch's overloads and defaults."""

import math

import numpy as np

from jtorch import _tensor, devices, dtypes, shapes
from jtorch._tensor import Tensor, aval
from jtorch.api.formats import formatted
from jtorch.api.guard import Refused, raise_better
from jtorch.api.put import FUNCTIONS, function, method
from jtorch.autograd.apply import create, hashable
from jtorch.autograd.layout import lay_out, preserved
from jtorch.ops.op import TABLE


def sizes_of(name, size):
    """A tuple of ints from `f(2, 3)` or `f((2, 3))`. Raises TypeError and RuntimeError as torch does."""
    given = size
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = size[0]
    elif not size:
        _refuse(name, given)
    size, convert = hashable(tuple(size)), int
    for i, n in enumerate(size):
        if not isinstance(n, (int, np.integer)) or (isinstance(n, bool) and not i):
            if shapes.is_symbolic(n):
                convert = _size
                continue
            _refuse(name, given)
        if n < 0 and name == "zeros":
            raise RuntimeError("zeros: Dimension size must be non-negative.")
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {shapes.listed(size)}")
    return tuple(map(convert, size))


def _size(n):
    return n if shapes.is_symbolic(n) else int(n)


def named_size(kwargs):
    """The sizes of `f(size=(2, 3))`, taken out of kwargs. Raises Refused for an int: torch takes a tuple."""
    size = kwargs.pop("size")
    if isinstance(size, int):
        raise Refused
    return (size,)


def _refuse(name, size):
    """Raise torch's TypeError for sizes that are none."""
    raise_better(Refused(), "Tensor" if name.startswith("new_") else "torch", name, size, {})


def finish(made, requires_grad=False, out=None):
    """The common end of creation: into out, or as a leaf that requires grad."""
    if out is not None:
        if aval(out).shape != aval(made).shape:
            out.resize_(aval(made).shape)
        return out.copy_(made)
    if requires_grad is not None and type(requires_grad) is not bool:
        raise Refused
    if requires_grad:
        _tensor.require_grad(made)
    return made


def _full(name, size, value, dtype, device, requires_grad, out):
    if out is not None and dtype is None:
        dtype = aval(out).dtype
    size = sizes_of(name, size)
    place, dtype = devices.get(device), dtype or dtypes.Default.float
    dtypes.check_number(value, dtype)
    made = create(TABLE["full_kernel"], (size, dtype), place, (value,))
    return finish(made, requires_grad, out)


def _filled(name, value):
    def make(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
             names=None, memory_format=None, **kwargs):  # fmt: skip
        if "size" in kwargs:
            size = named_size(kwargs)
        if kwargs:
            raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(kwargs))}'")
        return _full(name, size, value, dtype, device, requires_grad, out)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"A tensor of the given sizes; see torch.{name}."
    return function(make)


zeros = _filled("zeros", 0)
ones = _filled("ones", 1)


def _laid_like(made, input, memory_format):
    """A fresh tensor in a memory format, or in the strides of another of its sizes."""
    if memory_format is None or memory_format.name == "preserve_format":
        return made if input._view is None else lay_out(made, preserved(aval(input).shape, input._view.strides))
    return formatted(made, memory_format)


def new_sizes(size, dtype, place):
    """A tensor of checked sizes whose values mean nothing (here zeros)."""
    return _unset("empty", (size,), dtype, place, False)


def _unset(name, size, dtype, device, requires_grad, out=None):
    """Zeros for what torch leaves unset. On the CPU no call is recorded: such tensors are mostly filled at once."""
    place = devices.get(device)
    if place is not devices.CPU or out is not None:
        return _full(name, size, 0, dtype, device, requires_grad, out)
    made = _tensor.from_host(np.zeros(sizes_of(name, size), dtype.numpy), dtype, place)
    return finish(made, requires_grad)


@function
def empty(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, names=None,
          memory_format=None, **kwargs):  # fmt: skip
    """A tensor of the given sizes whose values mean nothing (here zeros)."""
    if "size" in kwargs:
        size = named_size(kwargs)
    if kwargs:
        raise TypeError(f"empty() got an unexpected keyword argument '{next(iter(kwargs))}'")
    if memory_format is not None and memory_format.name == "preserve_format":
        raise RuntimeError("unsupported memory format Preserve")
    return formatted(_unset("empty", size, dtype or dtypes.Default.float, device, requires_grad, out), memory_format)


@function
def empty_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None,
               pin_memory=False):  # fmt: skip
    """A tensor with another's sizes, dtype and device whose values mean nothing (here zeros)."""
    a = aval(input)
    made = _unset("empty_like", (a.shape,), dtype or a.dtype, device or a.device, requires_grad)
    return _laid_like(made, input, memory_format)


@method
def new_empty(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **kwargs):
    """A tensor of the given sizes with this one's dtype and device whose values mean nothing (here zeros)."""
    size = named_size(kwargs) if "size" in kwargs else size
    a = aval(self)
    return _unset("new_empty", size, dtype or a.dtype, device or a.device, requires_grad)


@function
def full(size, fill_value, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
         names=None):  # fmt: skip
    """A tensor full of one number. The dtype is the number's unless given."""
    if not isinstance(size, (tuple, list)):
        raise Refused
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    return _full("full", (size,), fill_value, dtype or dtypes.default_for(type(fill_value)), device, requires_grad, out)


def _like(name, value):
    def make(input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None, pin_memory=False):
        a = aval(input)
        place = a.device if device is None else devices.get(device)
        made = create(TABLE["full_kernel"], (a.shape, dtype or a.dtype), place, (value,))
        return finish(_laid_like(made, input, memory_format), requires_grad)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"A tensor with another's sizes, dtype and device; see torch.{name}."
    function(make)


_like("zeros_like", 0)
_like("ones_like", 1)


@function
def full_like(input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """A tensor full of one number, with another's sizes, dtype and device."""
    a = aval(input)
    place = a.device if device is None else devices.get(device)
    fill_value = hashable(fill_value)
    dtypes.check_number(fill_value, dtype or a.dtype)
    made = create(TABLE["full_kernel"], (a.shape, dtype or a.dtype), place, (fill_value,))
    return finish(_laid_like(made, input, memory_format), requires_grad)


def _new_method(name, value):
    def make(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **kwargs):
        if "size" in kwargs:
            size = named_size(kwargs)
        a = aval(self)
        place = a.device if device is None else device
        return _full(name, size, value, dtype or a.dtype, place, requires_grad, None)

    make.__name__ = name
    make.__qualname__ = f"Tensor.{name}"
    make.__doc__ = f"A tensor of the given sizes with this one's dtype and device; see torch.Tensor.{name}."
    method(make)


_new_method("new_zeros", 0)
_new_method("new_ones", 1)


@method
def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A tensor full of one number, with this one's dtype and device."""
    if not isinstance(size, (tuple, list)):
        raise Refused
    a = aval(self)
    return _full("new_full", (size,), fill_value, dtype or a.dtype, device or a.device, requires_grad, None)


@method
def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A tensor of the data, with this one's dtype and device."""
    from_data = _tensor.host(data) if isinstance(data, Tensor) else np.asarray(data)
    a = aval(self)
    return _tensor.from_host(np.array(from_data), dtype or a.dtype, device or a.device, requires_grad)


@function
def arange(start=None, end=None, step=1, *, out=None, dtype=None, layout=None, device=None, pin_memory=False,
           requires_grad=False):  # fmt: skip
    """Numbers from start up to, not including, end. int64 for integers, the default float otherwise."""
    if start is None:
        start, end = 0, end if end is not None else _refuse("arange", ())
    start, step = hashable(start), hashable(step)
    start, end = (0, start) if end is None else (start, hashable(end))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if shapes.is_symbolic(start) or shapes.is_symbolic(end):
        attrs = (start, step, (end - start + step - 1) // step, dtype or dtypes.int64)
        return finish(create(TABLE["arange_kernel"], attrs, devices.get(device)), requires_grad, out)
    if not all(math.isfinite(x) for x in (start, end)):
        raise RuntimeError(f"unsupported range: {float(start):g} -> {float(end):g}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(x, int) for x in (start, end, step))
    if dtype is None:
        dtype = aval(out).dtype if out is not None else dtypes.int64 if whole else dtypes.Default.float
    if dtype.category < dtypes.FLOAT and not whole and not int(step):
        raise ValueError("step must be nonzero")  # cut to an integer
    length = -(-(end - start) // step) if whole else math.ceil((end - start) / step)
    attrs = (start, step, int(length), dtype)
    return finish(create(TABLE["arange_kernel"], attrs, devices.get(device)), requires_grad, out)


def range_(start=0, end=None, step=1, *, dtype=None, device=None, requires_grad=False, out=None, layout=None):
    """Numbers from start up to and including end (deprecated in torch, use arange)."""
    length = math.floor((end - start) / step) + 1
    attrs = (float(start), float(step), length, dtype or dtypes.Default.float)
    return finish(create(TABLE["arange_kernel"], attrs, devices.get(device)), requires_grad, out)


FUNCTIONS["range"] = range_


def _ends(name, start, end):
    """Start and end as numbers. Raises RuntimeError for tensors with dims."""
    dims = [aval(x).ndim if isinstance(x, Tensor) else 0 for x in (start, end)]
    if any(dims):
        raise RuntimeError(
            f"{name} only supports 0-dimensional start and end tensors, but got start with {dims[0]} dimension(s) and "
            f"end with {dims[1]} dimension(s)."
        )
    return hashable(start), hashable(end)


def _steps(steps):
    steps = hashable(steps)
    if type(steps) in (bool, float, str):
        raise Refused
    return steps


@function
def linspace(
    start, end, steps, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """steps evenly spaced numbers from start to end, both included."""
    (start, end), steps = _ends("linspace", start, end), _steps(steps)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    attrs = (start, end, steps, dtype or dtypes.Default.float)
    return finish(create(TABLE["linspace_kernel"], attrs, devices.get(device)), requires_grad, out)


@function
def logspace(start, end, steps, base=10.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False):  # fmt: skip
    """steps numbers from base**start to base**end, evenly spaced on the logarithm."""
    steps = _steps(steps)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    attrs = (*_ends("logspace", start, end), steps, base, dtype or dtypes.Default.float)
    return finish(create(TABLE["logspace_kernel"], attrs, devices.get(device)), requires_grad, out)


@function
def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """The identity matrix, n × m."""
    m = n if m is None else m
    for value, name in ((n, "n"), (m, "m")):
        if value < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    attrs = (int(n), int(m), dtype or dtypes.Default.float)
    return finish(create(TABLE["eye_kernel"], attrs, devices.get(device)), requires_grad, out)


@function
def scalar_tensor(s, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A 0-d tensor of a number."""
    return _full("scalar_tensor", ((),), s, dtype, device, requires_grad, None)
