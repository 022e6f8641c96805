"""Parameters as one vector, and back."""

from jtorch._tensor import Tensor
from jtorch.api.settings import typename
from jtorch.autograd.apply import call

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters):
    """The elements of all parameters, one after the other. Shape: any -> (∑ numel,).

    Raises: TypeError when they lie on different devices.
    """
    parameters = list(parameters)
    _check_devices(parameters)
    return call("cat", [p.view(-1) for p in parameters])


def vector_to_parameters(vec, parameters) -> None:
    """Make the parameters views of the parts of a vector, in order. Shape: vec (∑ numel,).

    Raises: TypeError when `vec` is no tensor, or the parameters lie on different devices.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    parameters = list(parameters)
    _check_devices(parameters)
    start = 0
    for p in parameters:
        p.data = vec[start : start + p.numel()].view_as(p).data
        start += p.numel()


def _check_devices(parameters):
    if len({p.device for p in parameters}) > 1:
        raise TypeError("Found two parameters on different devices, this is currently not supported.")
