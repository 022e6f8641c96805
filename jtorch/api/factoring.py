"""Factorizations and linear systems of torch and torch.linalg whose success is read at the call, as torch does."""

from jtorch._tensor import aval
from jtorch.api.infos import give, known, need_success, single
from jtorch.api.put import behind, both, function, method
from jtorch.api.returns import named
from jtorch.autograd.apply import apply
from jtorch.autograd.level import may_move
from jtorch.errors import warn
from jtorch.ops.op import TABLE

_INDEFINITE = (
    "The factorization could not be completed because the input is not positive-definite (the leading minor of order "
    "{} is not positive-definite)."
)
_SINGULAR = (
    "The diagonal element {} is zero, the inversion could not be completed because the input matrix is singular."
)
_UNSOLVABLE = "The solver failed because the input matrix is singular."
_ZERO_PIVOT = (
    "U[{0},{0}] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the "
    "factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
)


# Cholesky.


@behind("linalg")
def linalg_cholesky_ex(A, *, upper=False, check_errors=False, out=None):
    """The triangular factor of positive-definite matrices, and per matrix where the factorization failed.

    Shape: (*, n, n) -> (*, n, n), (*).
    """
    results = apply(TABLE["linalg_cholesky_ex"], (A,), (upper,))
    if check_errors:
        need_success(results[1], "linalg.cholesky_ex", _INDEFINITE)
    return give("linalg_cholesky_ex", results, out)


@behind("linalg")
def linalg_cholesky(A, *, upper=False, out=None):
    """The triangular factor of positive-definite matrices. Shape: (*, n, n) -> the same.

    Raises LinAlgError where one is not positive-definite.
    """
    factor, info = apply(TABLE["linalg_cholesky_ex"], (A,), (upper,))
    need_success(info, "linalg.cholesky", _INDEFINITE)
    return single("linalg_cholesky", factor, out)


@both
def cholesky(input, upper=False, *, out=None):
    """The triangular factor of positive-definite matrices: what torch.linalg.cholesky replaces."""
    factor, info = apply(TABLE["cholesky_kernel"], (input,), (upper,))
    need_success(info, "cholesky", _INDEFINITE)
    return single("cholesky", factor, out)


# Inverses and linear systems.


@behind("linalg")
def linalg_inv_ex(A, *, check_errors=False, out=None):
    """The inverses of matrices, and per matrix which pivot is 0. Shape: (*, n, n) -> the same, (*)."""
    results = apply(TABLE["linalg_inv_ex"], (A,), ("linalg.inv",))
    if check_errors:
        need_success(results[1], "linalg.inv_ex", _SINGULAR)
    return give("linalg_inv_ex", results, out)


@behind("linalg")
def linalg_inv(A, *, out=None):
    """The inverses of matrices. Shape: (*, n, n) -> the same. Raises LinAlgError where one is singular."""
    inverse, info = apply(TABLE["linalg_inv_ex"], (A,), ("linalg.inv",))
    need_success(info, "linalg.inv", _SINGULAR)
    return single("linalg_inv", inverse, out)


@both
def inverse(input, *, out=None):
    """The inverses of matrices: torch.linalg.inv."""
    return linalg_inv(input, out=out)


@behind("linalg")
def linalg_solve_ex(A, B, *, left=True, check_errors=False, out=None):
    """The X of A X = B, or X A = B, and per matrix which pivot of A is 0. Shape: as linalg.solve."""
    results = apply(TABLE["linalg_solve_ex"], (A, B), (left,))
    if check_errors:
        need_success(results[1], "torch.linalg.solve_ex", _UNSOLVABLE)
    return give("linalg_solve_ex", results, out)


@behind("linalg")
def linalg_solve(A, B, *, left=True, out=None):
    """The X of A X = B, or X A = B. Shape: (*, n, n), (*, n, k) or (*, n) -> as B. Raises LinAlgError if singular."""
    result, info = apply(TABLE["linalg_solve_ex"], (A, B), (left,))
    need_success(info, "torch.linalg.solve", _UNSOLVABLE)
    return single("linalg_solve", result, out)


# LU.


def _lu(A, pivot):
    return apply(TABLE["linalg_lu_factor_ex"], (A,), (pivot,))


@behind("linalg")
def linalg_lu_factor_ex(A, *, pivot=True, check_errors=False, out=None):
    """L and U in one matrix, the pivots, and per matrix the first zero of U's diagonal. Shape: as linalg.lu_factor."""
    results = _lu(A, pivot)
    if check_errors:
        need_success(results[2], "torch.linalg.lu_factor_ex", _ZERO_PIVOT, RuntimeError)
    return give("linalg_lu_factor_ex", results, out)


@behind("linalg")
def linalg_lu_factor(A, *, pivot=True, out=None):
    """L and U in one matrix, and the pivots. Shape: (*, m, n) -> the same, (*, min(m, n)).

    Raises RuntimeError where a pivot is 0.
    """
    factors, pivots, info = _lu(A, pivot)
    need_success(info, "torch.linalg.lu_factor", _ZERO_PIVOT, RuntimeError)
    return give("linalg_lu_factor", (factors, pivots), out)


_LU_WARNING = """\
torch.lu is deprecated in favor of torch.linalg.lu_factor / torch.linalg.lu_factor_ex and will be removed in a future \
PyTorch release.
LU, pivots = torch.lu(A, compute_pivots)
should be replaced with
LU, pivots = torch.linalg.lu_factor(A, compute_pivots)
and
LU, pivots, info = torch.lu(A, compute_pivots, get_infos=True)
should be replaced with
LU, pivots, info = torch.linalg.lu_factor_ex(A, compute_pivots)"""


_LuWithInfo = named("_lu_with_info", ("LU", "pivots", "info"))


@function
def lu(A, pivot=True, get_infos=False, out=None):
    """L and U in one matrix, the pivots, and infos if wanted: what torch.linalg.lu_factor replaces."""
    warn(_LU_WARNING)
    factors, pivots, info = _lu(A, pivot)
    if not get_infos:
        need_success(info, "lu", "U[{0},{0}] is zero and using it on lu_solve would result in a division by zero.",
                     RuntimeError)  # fmt: skip
    results = _LuWithInfo((factors, pivots, info)) if get_infos else (factors, pivots)
    if out is None:
        return results
    return tuple(single("lu", r, o) for r, o in zip(results, out, strict=True))


def _lu_method(self, pivot=True, get_infos=False):
    """L and U in one matrix, the pivots, and infos if wanted, in a plain tuple: torch.lu."""
    return tuple(lu(self, pivot, get_infos))


_lu_method.__name__ = _lu_method.__qualname__ = "lu"
method(_lu_method)


@both
def lu_solve(b, LU_data, LU_pivots, *, out=None):
    """The X of A X = b from what lu gives: torch.linalg.lu_solve."""
    return single("lu_solve", apply(TABLE["linalg_lu_solve"], (LU_data, LU_pivots, b), (True, False)), out)


# LDLᵀ.


@behind("linalg")
def linalg_ldl_factor_ex(A, *, hermitian=False, check_errors=False, out=None):
    """L and D of symmetric matrices in one, pivots, and per matrix the first zero of D. Shape: as linalg.ldl_factor."""
    results = apply(TABLE["linalg_ldl_factor_ex_kernel"], (A,), (hermitian,))
    if check_errors:
        need_success(results[2], "torch.linalg.ldl_factor_ex", _UNSOLVABLE, RuntimeError)
    return give("linalg_ldl_factor_ex", results, out)


@behind("linalg")
def linalg_ldl_factor(A, *, hermitian=False, out=None):
    """L and D of symmetric matrices in one, and pivots. Shape: (*, n, n) -> the same, (*, n)."""
    factors, pivots, info = apply(TABLE["linalg_ldl_factor_ex_kernel"], (A,), (hermitian,))
    need_success(info, "torch.linalg.ldl_factor", _UNSOLVABLE, RuntimeError)
    return give("linalg_ldl_factor", (factors, pivots), out)


@behind("linalg")
def linalg_ldl_solve(LD, pivots, B, *, hermitian=False, out=None):
    """The X of A X = B from what ldl_factor gives. Shape: (*, n, n), (*, n), (*, n, k) -> (*, n, k)."""
    return single("linalg_ldl_solve", apply(TABLE["linalg_ldl_solve_kernel"], (LD, pivots, B), (hermitian,)), out)


# Singular values and eigenvalues.


DIVERGED = "The algorithm failed to converge because the input matrix contained non-finite values."


def svd(A, full_matrices):
    """(U, S, Vh), after a look at whether A is finite."""
    *results, info = apply(TABLE["linalg_svd_kernel"], (A,), (full_matrices,))
    need_success(info, "linalg.svd", DIVERGED)
    return results


def svdvals(A):
    """Singular values; with U and Vh worked out beside them where a gradient will ask for these."""
    if may_move(A):
        return svd(A, False)[1]
    values, info = apply(TABLE["linalg_svdvals_kernel"], (A,), ())
    need_success(info, "linalg.svd", DIVERGED)
    return values


@behind("linalg")
def linalg_svd(A, full_matrices=True, *, driver=None, out=None):
    """A = U diag(S) Vh, S falling. Shape: (*, m, n) -> (*, m, m), (*, k), (*, n, n), or k = min(m, n) for m and n."""
    _check_driver(driver, A)
    return give("linalg_svd", svd(A, full_matrices), out)


@behind("linalg")
def linalg_svdvals(A, *, driver=None, out=None):
    """The singular values of matrices, falling. Shape: (*, m, n) -> (*, min(m, n))."""
    _check_driver(driver, A)
    return single("linalg_svdvals", svdvals(A), out)


def _check_driver(driver, A):
    if driver is not None and aval(A).device.type == "cpu":
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


def _svd(input, some=True, compute_uv=True, *, out=None):
    """input = U diag(S) Vᴴ: what torch.linalg.svd replaces; it gives V, and zeros for U and V if not compute_uv."""
    if compute_uv:
        u, s, vh = svd(input, not some)
        results = (u, s, vh.mH)
    else:
        *batch, m, n = aval(input).shape
        s = svdvals(input)
        results = (input.new_zeros((*batch, m, m)), s, input.new_zeros((*batch, n, n)))
    return give("svd", results, out)


_svd.__name__ = _svd.__qualname__ = "svd"
both(_svd)


def _need_finite(info, function):
    values = known(info)
    if values is not None and values.any():
        raise RuntimeError(f"torch.linalg.{function}: input tensor should not contain infs or NaNs.")


@behind("linalg")
def linalg_eig(A, *, out=None):
    """Eigenvalues and eigenvectors of square matrices, complex. Shape: (*, n, n) -> (*, n), (*, n, n)."""
    values, vectors, info = apply(TABLE["linalg_eig_kernel"], (A,), ("linalg.eig", True))
    _need_finite(info, "eig")
    return give("linalg_eig", (values, vectors), out)


@behind("linalg")
def linalg_eigvals(A, *, out=None):
    """The eigenvalues of square matrices, complex. Shape: (*, n, n) -> (*, n)."""
    name = "eig" if may_move(A) else "eigvals"  # torch: eigvals is eig where a gradient is wanted
    values, _, info = apply(TABLE["linalg_eig_kernel"], (A,), (f"linalg.{name}", may_move(A)))
    _need_finite(info, name)
    return single("linalg_eigvals", values, out)


@behind("linalg")
def linalg_eigh(A, UPLO="L", *, out=None):
    """Eigenvalues, rising, and eigenvectors of Hermitian matrices. Shape: (*, n, n) -> (*, n), (*, n, n)."""
    results = apply(TABLE["linalg_eigh_kernel"], (A,), (UPLO,))
    return give("linalg_eigh", results, out)


@behind("linalg")
def linalg_eigvalsh(A, UPLO="L", *, out=None):
    """The eigenvalues of Hermitian matrices, rising. Shape: (*, n, n) -> (*, n)."""
    return single("linalg_eigvalsh", apply(TABLE["linalg_eigh_kernel"], (A,), (UPLO,))[0], out)


@both
def qr(input, some=True, *, out=None):
    """input = Q R: what torch.linalg.qr replaces. Shape: (*, m, n) -> (*, m, k), (*, k, n)."""
    return give("qr", apply(TABLE["linalg_qr"], (input,), ("reduced" if some else "complete",)), out)


@both
def orgqr(input, tau, *, out=None):
    """The product of Householder reflectors: torch.linalg.householder_product."""
    return single("orgqr", apply(TABLE["linalg_householder_product"], (input, tau), ()), out)
