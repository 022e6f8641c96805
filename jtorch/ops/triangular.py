"""Linear systems of triangular matrices."""

from jtorch.matrices import broadcast_batches, need_kernel, need_matrix, need_same_dtype, need_solvable, need_square
from jtorch.matrices import solve_triangular as solve
from jtorch.ops.op import EXACT, Array, op


@op("linalg_solve_triangular", door="linalg", out="expected scalar type {Want} but found {Have}")
def linalg_solve_triangular(A: Array, B: Array, *, upper, left=True, unitriangular=False):
    """The X of A X = B, or X A = B, for triangular A. Shape: (*, n, n), (*, n, k) -> (*, n, k), `*` broadcast."""
    need_same_dtype(A, B, "linalg.solve_triangular")
    need_solvable(A, B, left, "linalg.solve_triangular")
    need_kernel(A, "triangular_solve_cpu")
    a, b = broadcast_batches(A, B)
    return solve(a, b, left=left, upper=upper, unit=unitriangular)


@op("triangular_solve", method=True, out=EXACT, returns=("solution", "cloned_coefficient"))
def triangular_solve(input: Array, A: Array, upper=True, transpose=False, unitriangular=False):
    """(X of A X = input, or of Aᵀ X = input; a copy of A). Shape: (*, n, k), (*, n, n) -> (*, n, k), (*, n, n)."""
    for x, name in ((input, "b"), (A, "A")):
        if x.ndim < 2:
            raise RuntimeError(f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has "
                               f"{x.ndim} dimensions instead")  # fmt: skip
    if input.shape[-2] != A.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for triangular_solve: each A matrix is {A.shape[-2]} by {A.shape[-1]} but each "
            f"b matrix is {input.shape[-2]} by {input.shape[-1]}"
        )
    need_square(A, "triangular_solve")
    need_matrix(input, "triangular_solve", "b")
    need_kernel(A, "triangular_solve_cpu")
    b, a = broadcast_batches(input, A)
    if transpose:
        return solve(a.swapaxes(-1, -2), b, upper=not upper, unit=unitriangular), a
    return solve(a, b, upper=upper, unit=unitriangular), a
