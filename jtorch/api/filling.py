"""Tensor methods that fill in place with random numbers."""

from jtorch._tensor import Tensor, aval
from jtorch.api.drawing import number, redraw, taped
from jtorch.api.put import method
from jtorch.autograd.apply import hashable
from jtorch.autograd.inplace import assign, check_writable


def _fill(self, kind, generator, params, grad_name):
    check_writable(self)
    drawn = taped(redraw(self, kind, generator, *params), self, grad_name=grad_name)
    return assign(self, drawn, name=kind)


def _in_place(name, kind, defaults):
    grad_name = "".join(part.capitalize() for part in kind.split("_")) + "Backward0"

    def fill(self, *args, generator=None, **kwargs):
        given = dict(zip(defaults, args, strict=False)) | kwargs
        if len(args) > len(defaults) or not set(kwargs) <= set(list(defaults)[len(args) :]):
            raise TypeError(f"{name}() takes {', '.join(defaults)}")
        params = [number(given.get(key, default)) for key, default in defaults.items()]
        return _fill(self, kind, generator, params, grad_name)

    fill.__name__ = name
    fill.__qualname__ = f"Tensor.{name}"
    fill.__doc__ = f"Fill with random numbers, in place; see torch.Tensor.{name}."
    method(fill)


_in_place("uniform_", "uniform", {"from": 0.0, "to": 1.0})
_in_place("normal_", "normal", {"mean": 0.0, "std": 1.0})
_in_place("exponential_", "exponential", {"lambd": 1.0})
_in_place("log_normal_", "log_normal", {"mean": 1.0, "std": 2.0})
_in_place("cauchy_", "cauchy", {"median": 0.0, "sigma": 1.0})


@method
def geometric_(self, p, *, generator=None):
    """Fill with the numbers of trials until the first success of probability p, in place."""
    return _fill(self, "geometric", generator, (number(p),), "GeometricBackward0")


@method
def random_(self, *args, generator=None, **kwargs):
    """Fill with random integers in [from, to), in place; without bounds, over the range of the dtype."""
    names = ("to",) if len(args) + len(kwargs) == 1 else ("from", "to")[: len(args) + len(kwargs)]
    if len(args) > 2 or not set(kwargs) <= set(names[len(args) :]):
        raise TypeError("random_() takes from and to")
    bounds = [hashable(x) for x in (dict(zip(names, args, strict=False)) | kwargs).values()]
    for place, bound in enumerate(bounds):
        if type(bound) is not int and not (bound is None and place):
            raise TypeError(f"random_(): expected an int, not {type(bound).__name__}")
    overload = 2 - len(bounds)
    bounds = [0, *bounds] if len(bounds) == 1 else bounds
    return _fill(self, "random", generator, bounds, f"RandomBackward{overload}")


@method
def bernoulli_(self, p=0.5, *, generator=None):
    """Fill with zeros and ones, in place; p is a number or a tensor."""
    if not isinstance(p, Tensor):
        return _fill(self, "bernoulli", generator, (number(p),), "BernoulliBackward2")
    return _fill(self, "bernoulli", generator, (p.detach().expand(aval(self).shape),), "BernoulliBackward1")
