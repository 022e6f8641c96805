"""Ready-made parametrizations: orthogonal matrices, weight normalization, spectral normalization."""

import enum

import numpy as np

from jtorch._tensor import Tensor, aval
from jtorch.api.creation import eye
from jtorch.api.elementwise import allclose, where
from jtorch.api.factoring import linalg_solve
from jtorch.autograd.apply import call
from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.inplace import update
from jtorch.nn import functional as F
from jtorch.nn.modules.module import Module
from jtorch.nn.utils import parametrize
from jtorch.nn.utils.spectral_norm import as_matrix, check_times, drawn_vectors, output_dim

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _eye_like(Q, n):
    return eye(n, dtype=Q.dtype, device=Q.device)


def _is_orthogonal(Q):
    return allclose(Q.mH @ Q, _eye_like(Q, Q.size(-1)), atol=10.0 * Q.size(-2) * float(np.finfo(Q.dtype.numpy).eps))


def _make_orthogonal(A):
    """The Q of A = QR with R's diagonal at least 0. Shape: (*, n, k), n >= k -> the same."""
    X, tau = call("geqrf", A)
    return call("linalg_householder_product", X, tau) * X.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _OrthMaps(enum.Enum):
    matrix_exp = enum.auto()
    cayley = enum.auto()
    householder = enum.auto()


def _tall(X):
    """(X with no more columns than rows, whether it was transposed for that)."""
    return (X.mT, True) if X.size(-2) < X.size(-1) else (X, False)


class _Orthogonal(Module):
    """An orthogonal matrix times `base`, which is the value that was last assigned (Lezcano-Casado 2019)."""

    base: Tensor

    def __init__(self, weight, orthogonal_map: _OrthMaps, *, use_trivialization=True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map is _OrthMaps.householder:
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X):
        X, transposed = _tall(X)
        Q = self._reflected(X) if self.orthogonal_map is _OrthMaps.householder else self._turned(X)
        if hasattr(self, "base"):
            Q = self.base @ Q
        return Q.mT if transposed else Q

    def _turned(self, X):
        """The orthogonal matrix of the skew one made of X below its diagonal."""
        n, k = X.size(-2), X.size(-1)
        X = F.pad(X.tril(), (0, n - k))
        A = X - X.mH
        if self.orthogonal_map is _OrthMaps.matrix_exp:
            Q = call("linalg_matrix_exp", A)
        else:
            Q = linalg_solve(_eye_like(A, n) - 0.5 * A, _eye_like(A, n) + 0.5 * A)
        return Q[..., :k]

    def _reflected(self, X):
        """The product of the reflections that the columns of X below its diagonal are; the diagonal has signs."""
        A = X.tril(diagonal=-1)
        tau = 2.0 / (1.0 + (A * A).sum(dim=-2))
        Q = call("linalg_householder_product", A, tau)
        return Q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)  # int: no gradient for the signs

    @no_grad()
    def right_inverse(self, Q):
        """What `forward` makes Q of. Raises ValueError for another shape, NotImplementedError where there is no way."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        if hasattr(self, "base"):
            self.base = self._whole(_tall(Q)[0])
            result = Q.new_zeros(Q.shape)
            result.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # householder: no reflections, all signs turned
            return result
        if self.orthogonal_map is not _OrthMaps.householder:
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        Q, transposed = _tall(Q)
        A, tau = call("geqrf", Q)
        signs = A.diagonal(dim1=-2, dim2=-1)
        # torch: LAPACK's factor is exactly 0 for a column that it leaves as it is.
        signs.copy_(where(tau == 0.0, -signs.sign(), signs.sign()))
        return A.mT if transposed else A

    @staticmethod
    def _whole(Q):
        """Q, made orthogonal if it is not, and with the columns that it lacks. Shape: (*, n, k) -> (*, n, n)."""
        n, k = Q.size(-2), Q.size(-1)
        if n == k and _is_orthogonal(Q):
            return Q.clone()
        if n != k:
            Q = call("cat", [Q, Q.new_empty((*Q.shape[:-1], n - k)).normal_()], -1)
        return _make_orthogonal(Q)


def _named(module, name):
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Let a matrix, or a batch of them, of the module be orthogonal (unitary); returns the module.

    orthogonal_map: "matrix_exp", "cayley" or "householder"; None: the first for square or complex ones, else the last.
    use_trivialization: keep the value that was last assigned as a base, so that any may be assigned.
    Raises: ValueError for vectors, other maps and names that are no parameter or buffer.
    """
    weight = _named(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    chosen = getattr(_OrthMaps, orthogonal_map, None)
    if chosen is None:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, chosen, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    """A weight of lengths and a direction."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return call("_weight_norm", weight_v, weight_g, self.dim)

    def right_inverse(self, weight):
        """(lengths, direction) of a weight."""
        return call("norm_except_dim", weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int = 0) -> Module:
    """Let a weight be its lengths (over all dims but `dim`; None: over all) times its direction; returns the module.

    State dicts of the hook `nn.utils.weight_norm` can be loaded.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        old = [f"{prefix}{name}_{part}" for part in "gv"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """A weight over its largest singular value, which comes nearer by the power method with each call in training."""

    def __init__(self, weight, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        check_times(n_power_iterations)
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight, self.dim)
            u, v = drawn_vectors(matrix.detach(), eps)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)
            self._power_method(matrix, 15)

    @no_grad()
    def _power_method(self, weight_mat, n_power_iterations):
        update("power_method", [self._u, self._v], weight_mat, self._u, self._v, n_power_iterations, self.eps)

    def forward(self, weight):
        if aval(weight).ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # what the tape keeps must outlive the next iteration
        return weight / call("vdot", u, matrix.mv(v))

    def right_inverse(self, value):
        """The value as it is."""
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight of the module by its largest singular value; returns the module.

    dim: which counts the outputs; None: 1 for transposed convolutions, else 0.
    Raises: ValueError for no iterations and names that are no parameter or buffer, IndexError for no such dim.
    """
    weight = _named(module, name)
    made = _SpectralNorm(weight, n_power_iterations, output_dim(module) if dim is None else dim, eps)
    return parametrize.register_parametrization(module, name, made)
