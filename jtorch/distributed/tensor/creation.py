"""DTensors made anew: every rank makes its part of what one device would make."""

from jtorch.api import everything  # noqa: F401
from jtorch.api.put import FUNCTIONS
from jtorch.shards.dtensor import distribute_tensor


def _made(fn, size, device_mesh, placements, requires_grad, dtype):
    whole = fn(*size, dtype=dtype, device=device_mesh.device_type)
    made = distribute_tensor(whole, device_mesh, placements, src_data_rank=None)
    return made.requires_grad_() if requires_grad else made


def _maker(name, words):
    fn = FUNCTIONS[name]

    def make(*size, requires_grad=False, dtype=None, layout=None, device_mesh=None, placements=None):
        return _made(fn, size, device_mesh, placements, requires_grad, dtype)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"A DTensor {words}."
    return make


zeros = _maker("zeros", "of zeros")
ones = _maker("ones", "of ones")
empty = _maker("empty", "whose values mean nothing")
rand = _maker("rand", "drawn from U(0, 1)")
randn = _maker("randn", "drawn from N(0, 1)")


def full(size, fill_value, *, dtype=None, layout=None, requires_grad=False, device_mesh=None, placements=None):
    """A DTensor of one number."""
    return _made(FUNCTIONS["full"], (size, fill_value), device_mesh, placements, requires_grad, dtype)


__all__ = ["empty", "full", "ones", "rand", "randn", "zeros"]
