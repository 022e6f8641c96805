"""What factorizations say of their success, read at the call, where torch raises; results named or put into out=."""

import numpy as np
from jax.core import Tracer

from jtorch import devices, modes
from jtorch._tensor import aval, read
from jtorch.api.returns import named
from jtorch.autograd.inplace import write_out
from jtorch.autograd.level import behind
from jtorch.engine import flush
from jtorch.errors import LinAlgError
from jtorch.ops.op import EXACT

# The results of what is written by hand: torch.return_types has them before the first call.
_FIELDS = {
    "linalg_cholesky_ex": ("L", "info"),
    "linalg_inv_ex": ("inverse", "info"),
    "linalg_solve_ex": ("result", "info"),
    "linalg_lu_factor_ex": ("LU", "pivots", "info"),
    "linalg_lu_factor": ("LU", "pivots"),
    "linalg_ldl_factor_ex": ("LD", "pivots", "info"),
    "linalg_ldl_factor": ("LD", "pivots"),
    "linalg_svd": ("U", "S", "Vh"),
    "svd": ("U", "S", "V"),
    "linalg_eig": ("eigenvalues", "eigenvectors"),
    "linalg_eigh": ("eigenvalues", "eigenvectors"),
    "qr": ("Q", "R"),
    "slogdet": ("sign", "logabsdet"),
}
_RESULTS = {name: named(name, fields) for name, fields in _FIELDS.items()}
_WRITTEN = {name: named(f"{name}_out", fields) for name, fields in _FIELDS.items()}


def known(tensor):
    """A tensor's values as a NumPy array; None on the meta device and inside a JAX transform, which have none.

    Inside vmap: those of all rows.
    """
    if aval(tensor).device is devices.META:
        return None
    value = flush.value(read(behind(tensor) if modes.rare else tensor))
    return None if isinstance(value, Tracer) else np.asarray(value)


def need_success(info, function, words, error=LinAlgError):
    """Raise for the first matrix whose info is not 0. words: a text with a place for the info."""
    values = known(info)
    if values is None or not values.any():
        return
    at = int(np.flatnonzero(values)[0])
    where = f"(Batch element {at}): " if values.ndim else ""
    raise error(f"{function}: {where}{words.format(int(values.reshape(-1)[at]))}")


def give(name, results, out=None):
    """Results as the named tuple torch.return_types.<name>, written into the tensors of out where there are some."""
    if out is None:
        return _RESULTS[name](results)
    return _WRITTEN[name](write_out(o, r, name, _words(name)) for o, r in zip(out, results, strict=True))


def single(name, result, out=None):
    """One result, written into out where there is one."""
    return result if out is None else write_out(out, result, name, _words(name))


_NORM = "{name} expected out tensor dtype {{Want}} but got: {{Have}}"
_PRODUCT = "multi_dot(): expected out tensor to have dtype {want} but got {have}"
_WORDS = {  # for an out= of another dtype, see the field `out` of ops
    "linalg_norm": _NORM.format(name="linalg.norm"), "linalg_matrix_norm": _NORM.format(name="linalg.matrix_norm"),
    "nuclear_norm": _NORM.format(name="linalg.matrix_norm"), "linalg_multi_dot": _PRODUCT, "chain_matmul": _PRODUCT,
    "linalg_eig": True, "linalg_eigvals": True, "cholesky": True, "orgqr": True, "linalg_pinv": True,
    "linalg_cond": True, "linalg_matrix_rank": True,
}  # fmt: skip


def _words(name):
    return _WORDS.get(name, EXACT)
