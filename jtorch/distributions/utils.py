"""What distributions are built with: broadcast parameters, probabilities and logits, lazy properties, triangles."""

from functools import update_wrapper
from typing import Final

from jtorch._tensor import Tensor
from jtorch.api.construct import get_default_dtype, tensor
from jtorch.api.drawing import draw
from jtorch.api.settings import finfo
from jtorch.api.viewing import broadcast_tensors
from jtorch.autograd.grad_mode import enable_grad
from jtorch.dtypes import int64
from jtorch.nn.functional import softmax
from jtorch.overrides import is_tensor_like

euler_constant: Final[float] = 0.5772156649015329
NUMBER = (int, float)

__all__ = [
    "broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]  # fmt: skip


def broadcast_all(*values):
    """Tensors of one shape. Numbers take the dtype and device of the first tensor among the values, or the default's.

    Raises: ValueError for what is neither number nor tensor.
    """
    if not all(is_tensor_like(v) or isinstance(v, NUMBER) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    kind = next(({"dtype": v.dtype, "device": v.device} for v in values if isinstance(v, Tensor)), None)
    kind = kind or {"dtype": get_default_dtype()}
    return broadcast_tensors(*(v if is_tensor_like(v) else tensor(v, **kind) for v in values))


def _standard_normal(shape, dtype, device):
    return draw("normal", None, tuple(shape), dtype, device, 0.0, 1.0)


def _uniform(shape, like, low=0.0, high=1.0):
    """Numbers in [low, high) of a tensor's dtype and device."""
    return draw("uniform", None, tuple(shape), like.dtype, like.device, low, high)


def _sum_rightmost(value, dim):
    """The sum over the last `dim` dims."""
    return value if dim == 0 else value.reshape(value.shape[:-dim] + (-1,)).sum(-1)


def logits_to_probs(logits, is_binary=False):
    """Probabilities of logits: of each alone, or along the last dim. Shape: any -> the same."""
    return logits.sigmoid() if is_binary else softmax(logits, dim=-1)


def clamp_probs(probs):
    """Probabilities kept off 0 and 1 by the dtype's eps. Shape: any -> the same."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs, is_binary=False):
    """Logits of probabilities: of each alone, or along the last dim. Shape: any -> the same."""
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


class lazy_property:
    """A property computed when it is first read, gradients included, and kept on the instance from then on."""

    def __init__(self, wrapped):
        self.wrapped = wrapped
        update_wrapper(self, wrapped)

    def __get__(self, instance, obj_type=None):
        if instance is None:
            return _lazy_property_and_property(self.wrapped)
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _lazy_property_and_property(lazy_property, property):
    """What the class itself shows: a property, for those who look for one."""

    def __init__(self, wrapped):
        property.__init__(self, wrapped)


def required(doc):
    """A property that a subclass must give, as a property or as a plain attribute."""

    def lacking(self):
        raise NotImplementedError

    return property(lacking, doc=doc)


def _triangle(n, diag, device):
    """The rows and columns of the elements on and below a diagonal, row by row."""
    places = [(i, j) for i in range(n) for j in range(min(i + diag + 1, n))]
    return [tensor([place[k] for place in places], dtype=int64, device=device) for k in (0, 1)]


def tril_matrix_to_vec(mat, diag=0):
    """The elements on and below a diagonal, row by row. Shape: (*, n, n) -> (*, m).

    Raises: ValueError for a diagonal outside of the matrix.
    """
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = _triangle(n, diag, mat.device)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec, diag=0):
    """A matrix with these elements on and below a diagonal, zeros elsewhere. Shape: (*, m) -> (*, n, n).

    Raises: ValueError where no square matrix has that many elements there.
    """
    count, edge = vec.shape[-1], 1 + 2 * diag
    n = (-edge + (edge**2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if round(n) - n > finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as "
            "the lower triangular part of a square D x D matrix."
        )
    n = round(n)
    mat = vec.new_zeros((*vec.shape[:-1], n, n))
    rows, columns = _triangle(n, diag, vec.device)
    mat[..., rows, columns] = vec
    return mat
