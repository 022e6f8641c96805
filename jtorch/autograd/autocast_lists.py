"""Which calls autocast computes in another dtype than that of their operands, on each kind of device, as torch has it.

The names are those of ops in the table, and, under WHOLE, of functions written by hand that torch casts as one.
"""

from jtorch.ops.contract import sums_pairs
from jtorch.shapes import numel

LOWER = "lower"  # in the region's dtype
FLOAT32 = "float32"
RESULT32 = "result32"  # with dtype=float32, unless the caller asks for one
WIDEST = "widest"  # in the widest dtype among the operands
STATE = "state"  # as LOWER, but what is carried from step to step, the second operand, stays as it is
BANNED = "banned"


def _table(policies):
    return {name: policy for policy, names in policies.items() for name in names.split()}


_PRODUCTS = (
    "addbmm addmm baddbmm bmm convolution linear matmul mm prelu attention attention_dropout rnn_layer lstm_layer "
    "rnn_step lstm_sums linalg_vecdot linalg_multi_dot chain_matmul"
)

_LOSSES = (
    "binary_cross_entropy_with_logits cosine_embedding_loss hinge_embedding_loss huber_loss kl_div l1_loss "
    "margin_ranking_loss mse_loss multi_margin_loss multilabel_margin_loss nll_loss poisson_nll_loss smooth_l1_loss "
    "soft_margin_loss triplet_margin_loss cdist"
)

CPU = _table({
    LOWER: _PRODUCTS + " corrcoef cov einsum_kernel inner tensordot_kernel",
    STATE: "gru_layer gru_step",
    FLOAT32: _LOSSES + " adaptive_avg_pool adaptive_max_pool avg_pool binary_cross_entropy cholesky "
    "cholesky_inverse cholesky_solve cross_entropy_loss ctc_loss fft_fft fft_fft2 fft_fftn fft_hfft fft_ifft fft_ifft2 "
    "fft_ifftn fft_ihfft fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 fft_rfftn fractional_max_pool "
    "geqrf grid_sampler grid_sampler_2d grid_sampler_3d inverse linalg_cholesky "
    "linalg_cholesky_ex linalg_cond linalg_eig linalg_eigh linalg_eigvals linalg_eigvalsh linalg_householder_product "
    "linalg_inv linalg_inv_ex linalg_lstsq linalg_matrix_rank linalg_qr linalg_solve linalg_svd linalg_svdvals "
    "linalg_tensorinv linalg_tensorsolve lu_solve max_pool max_unpool nanquantile orgqr ormqr pad_mode "
    "pinverse polar prod qr quantile stft svd trace triangular_solve view_as_complex",
    WIDEST: "cat index_copy stack",
})  # fmt: skip

CUDA = _table({
    LOWER: _PRODUCTS + " addmv addr einsum gru_layer gru_step lstm_next_cell mv",
    FLOAT32: _LOSSES + " acos asin cosh cosine_similarity dist erfinv exp expm1 frobenius_norm group_norm layer_norm "
    "linalg_matrix_norm log log10 log1p log2 logsumexp native_layer_norm norm nuclear_norm pdist pow reciprocal renorm "
    "resize rms_norm rsqrt sinh softplus tan square local_response_norm pairwise_distance trapezoid "
    "cumulative_trapezoid",
    RESULT32: "cumprod cumsum linalg_vector_norm log_softmax prod softmax sum",
    WIDEST: "addcdiv addcmul atan2 bilinear cross dot grid_sampler index_put scatter_add tensordot vdot",
    BANNED: "binary_cross_entropy",
})  # fmt: skip

LISTS = {"cpu": CPU, "cuda": CUDA}

# Functions of several ops, and views, by torch's names for their kernels: inside them nothing else is cast.
WHOLE = frozenset(
    "chain_matmul cholesky cosine_embedding_loss cosine_similarity "
    "cross cross_entropy_loss ctc_loss einsum frobenius_norm "
    "hinge_embedding_loss inverse kl_div l1_loss linalg_cholesky linalg_cond linalg_eig linalg_eigh linalg_eigvals "
    "linalg_eigvalsh linalg_inv linalg_matrix_norm linalg_matrix_rank linalg_multi_dot linalg_solve linalg_svd "
    "linalg_svdvals linalg_tensorinv linalg_tensorsolve linalg_vecdot lu_solve margin_ranking_loss "
    "norm nuclear_norm orgqr pinverse poisson_nll_loss qr stft svd tensordot "
    "triplet_margin_loss view_as_complex".split()
)

# Ops of which torch casts only some calls: {name: function(shapes of the operands, attributes)}.


def _is_product(shapes, attrs):
    """Whether there is more than one sum of products, which torch would take by dot."""
    summed = attrs or ((-1,), (-1,))
    if not all(shapes):
        return False
    free = [
        shape[i]
        for shape, dims in zip(shapes, summed, strict=True)
        for i in set(range(len(shape))) - {d % len(shape) for d in dims}
    ]
    return numel(free) != 1


def _is_padding(shapes, attrs):
    pad, mode = attrs
    return mode == "replicate" or (mode == "reflect" and len(pad) < 6)


CONDITIONS = {
    "einsum_kernel": lambda shapes, attrs: sums_pairs(attrs[1], shapes),
    "inner": _is_product,
    "tensordot_kernel": _is_product,
    "pad_mode": _is_padding,
    "adaptive_avg_pool": lambda shapes, attrs: attrs[0] == 3,
    "adaptive_max_pool": lambda shapes, attrs: attrs[0] == 3,
    "avg_pool": lambda shapes, attrs: attrs[0] == 3,
    "max_pool": lambda shapes, attrs: attrs[0] == 3 and not attrs[-1],
}
