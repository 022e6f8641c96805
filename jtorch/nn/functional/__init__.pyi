"""What jtorch.nn.functional holds. Written by `python -m tests.stubs`."""

import builtins
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from jtorch._tensor import Tensor
from jtorch.dtypes import dtype as _dtype
from jtorch.nn.functional.attention import _canonical_mask as _canonical_mask
from jtorch.nn.functional.attention import _none_or_dtype as _none_or_dtype

_int: TypeAlias = builtins.int
_bool: TypeAlias = builtins.bool
_float: TypeAlias = builtins.float
_str: TypeAlias = builtins.str
_complex: TypeAlias = builtins.complex
_Number: TypeAlias = _bool | _int | _float | _complex | Tensor

def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor: ...
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor: ...
def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor: ...
def adaptive_max_pool1d(input: Tensor, output_size: _int | Sequence[_int], return_indices: Any = ...) -> Tensor: ...
def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Sequence[_int], return_indices: _bool = ...
) -> tuple[Tensor, Tensor]: ...
def adaptive_max_pool2d(input: Tensor, output_size: _int | Sequence[_int], return_indices: Any = ...) -> Tensor: ...
def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: _bool = ...
) -> tuple[Tensor, Tensor]: ...
def adaptive_max_pool3d(input: Tensor, output_size: _int | Sequence[_int], return_indices: Any = ...) -> Tensor: ...
def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: _bool = ...
) -> tuple[Tensor, Tensor]: ...
def affine_grid(theta: Tensor, size: Sequence[_int], align_corners: Any | None = ...) -> Tensor: ...
def alpha_dropout(input: Tensor, p: _float = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor: ...
def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = ...,
    padding: Any = ...,
    ceil_mode: Any = ...,
    count_include_pad: Any = ...,
) -> Tensor: ...
def avg_pool2d(
    input: Tensor,
    kernel_size: _int | Sequence[_int],
    stride: _int | Sequence[_int] | None = ...,
    padding: _int | Sequence[_int] = ...,
    ceil_mode: _bool = ...,
    count_include_pad: _bool = ...,
    divisor_override: _int | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def avg_pool3d(
    input: Tensor,
    kernel_size: _int | Sequence[_int],
    stride: _int | Sequence[_int] | None = ...,
    padding: _int | Sequence[_int] = ...,
    ceil_mode: _bool = ...,
    count_include_pad: _bool = ...,
    divisor_override: _int | None = ...,
    *,
    out: Tensor | None = ...,
) -> Tensor: ...
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = ...,
    bias: Tensor | None = ...,
    training: _bool = ...,
    momentum: _float = ...,
    eps: _float = ...,
) -> Tensor: ...
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = ...) -> Tensor: ...
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = ...,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = ...,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
    pos_weight: Tensor | None = ...,
) -> Tensor: ...
def celu(input: Tensor, alpha: _float = ..., inplace: _bool = ...) -> Tensor: ...
def celu_(input: Tensor, alpha: Any = ...) -> Tensor: ...
def channel_shuffle(input: Tensor, groups: Any) -> Tensor: ...
def conv1d(
    input: Tensor,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    groups: Any = ...,
) -> Tensor: ...
def conv2d(
    input: Tensor,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    groups: Any = ...,
) -> Tensor: ...
def conv3d(
    input: Tensor,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    groups: Any = ...,
) -> Tensor: ...
def conv_transpose1d(
    input: Tensor,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    output_padding: Any = ...,
    groups: Any = ...,
    dilation: Any = ...,
) -> Tensor: ...
def conv_transpose2d(
    input: Tensor,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    output_padding: Any = ...,
    groups: Any = ...,
    dilation: Any = ...,
) -> Tensor: ...
def conv_transpose3d(
    input: Tensor,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    output_padding: Any = ...,
    groups: Any = ...,
    dilation: Any = ...,
) -> Tensor: ...
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: _float = ...,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def cosine_similarity(x1: Any, x2: Any, dim: Any = ..., eps: Any = ...) -> Tensor: ...
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = ...,
    size_average: _bool | None = ...,
    ignore_index: _int = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
    label_smoothing: _float = ...,
) -> Tensor: ...
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor,
    target_lengths: Tensor,
    blank: _int = ...,
    reduction: _str = ...,
    zero_infinity: _bool = ...,
) -> Tensor: ...
def dropout(input: Tensor, p: _float = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor: ...
def dropout1d(input: Tensor, p: _float = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor: ...
def dropout2d(input: Tensor, p: _float = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor: ...
def dropout3d(input: Tensor, p: _float = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor: ...
def elu(input: Tensor, alpha: _float = ..., inplace: _bool = ...) -> Tensor: ...
def elu_(input: Tensor, alpha: _Number = ..., scale: _Number = ..., input_scale: _Number = ...) -> Tensor: ...
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: _int | None = ...,
    max_norm: _float | None = ...,
    norm_type: _float = ...,
    scale_grad_by_freq: _bool = ...,
    sparse: _bool = ...,
) -> Tensor: ...
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = ...,
    max_norm: _float | None = ...,
    norm_type: _float = ...,
    scale_grad_by_freq: _bool = ...,
    mode: _str = ...,
    sparse: _bool = ...,
    per_sample_weights: Tensor | None = ...,
    include_last_offset: _bool = ...,
    padding_idx: _int | None = ...,
) -> Tensor: ...
def feature_alpha_dropout(input: Tensor, p: _float = ..., training: _bool = ..., inplace: _bool = ...) -> Tensor: ...
def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = ..., padding: Any = ..., stride: Any = ...
) -> Tensor: ...
def fractional_max_pool2d(
    input: Tensor,
    kernel_size: _int | Sequence[_int],
    output_size: _int | Sequence[_int] | None = ...,
    output_ratio: Any = ...,
    return_indices: Any = ...,
    _random_samples: Tensor | None = ...,
) -> Tensor: ...
def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Sequence[_int],
    output_size: Sequence[_int] | None = ...,
    output_ratio: Any = ...,
    return_indices: _bool = ...,
    _random_samples: Tensor | None = ...,
) -> tuple[Tensor, Tensor]: ...
def fractional_max_pool3d(
    input: Tensor,
    kernel_size: _int | Sequence[_int],
    output_size: _int | Sequence[_int] | None = ...,
    output_ratio: Any = ...,
    return_indices: Any = ...,
    _random_samples: Tensor | None = ...,
) -> Tensor: ...
def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Sequence[_int],
    output_size: Sequence[_int] | None = ...,
    output_ratio: Any = ...,
    return_indices: _bool = ...,
    _random_samples: Tensor | None = ...,
) -> tuple[Tensor, Tensor]: ...
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | _float,
    full: _bool | None = ...,
    eps: _float | None = ...,
    reduction: _str | None = ...,
) -> Tensor: ...
def gelu(input: Tensor, *, approximate: _str = ..., out: Tensor | None = ...) -> Tensor: ...
def glu(input: Tensor, dim: _int = ...) -> Tensor: ...
def grid_sample(
    input: Tensor, grid: Tensor, mode: _str = ..., padding_mode: _str = ..., align_corners: Any | None = ...
) -> Tensor: ...
def group_norm(
    input: Tensor, num_groups: _int, weight: Tensor | None = ..., bias: Tensor | None = ..., eps: _float = ...
) -> Tensor: ...
def gumbel_softmax(
    logits: Tensor, tau: _float = ..., hard: _bool = ..., eps: _float = ..., dim: _int = ...
) -> Tensor: ...
def hardshrink(input: Tensor, lambd: Any = ..., *, out: Tensor | None = ...) -> Tensor: ...
def hardsigmoid(input: Tensor, inplace: _bool = ...) -> Tensor: ...
def hardswish(input: Tensor, inplace: _bool = ...) -> Tensor: ...
def hardtanh(input: Tensor, min_val: _float = ..., max_val: _float = ..., inplace: _bool = ...) -> Tensor: ...
def hardtanh_(input: Tensor, min_val: _Number = ..., max_val: _Number = ...) -> Tensor: ...
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: _float = ...,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def huber_loss(
    input: Tensor, target: Tensor, reduction: _str = ..., delta: _float = ..., weight: Any = ...
) -> Tensor: ...
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = ...,
    running_var: Tensor | None = ...,
    weight: Tensor | None = ...,
    bias: Tensor | None = ...,
    use_input_stats: _bool = ...,
    momentum: _float = ...,
    eps: _float = ...,
) -> Tensor: ...
def interpolate(
    input: Tensor,
    size: _int | Sequence[_int] | None = ...,
    scale_factor: _float | Sequence[_float] | None = ...,
    mode: _str = ...,
    align_corners: _bool | None = ...,
    recompute_scale_factor: _bool | None = ...,
    antialias: _bool = ...,
) -> Tensor: ...
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
    log_target: _bool = ...,
) -> Tensor: ...
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
    weight: Any = ...,
) -> Tensor: ...
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[_int],
    weight: Tensor | None = ...,
    bias: Tensor | None = ...,
    eps: _float = ...,
) -> Tensor: ...
def leaky_relu(input: Tensor, negative_slope: _float = ..., inplace: _bool = ...) -> Tensor: ...
def leaky_relu_(input: Tensor, negative_slope: _Number = ...) -> Tensor: ...
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = ..., *, out: Tensor | None = ...) -> Tensor: ...
def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = ...,
    weight: Tensor | None = ...,
    reduction: _str = ...,
    ignore_index: _int | None = ...,
    label_smoothing: _float = ...,
    options: Any = ...,
) -> Tensor: ...
def local_response_norm(
    input: Tensor, size: _int, alpha: _float = ..., beta: _float = ..., k: _float = ...
) -> Tensor: ...
def log_softmax(
    input: Tensor, dim: _int | None = ..., _stacklevel: _int = ..., dtype: _dtype | None = ...
) -> Tensor: ...
def logsigmoid(input: Tensor, *, out: Tensor | None = ...) -> Tensor: ...
def lp_pool1d(
    input: Tensor,
    norm_type: _float,
    kernel_size: Any,
    stride: Sequence[_int] | None | _int = ...,
    ceil_mode: _bool = ...,
) -> Tensor: ...
def lp_pool2d(
    input: Tensor,
    norm_type: _float,
    kernel_size: Any,
    stride: Sequence[_int] | None | _int = ...,
    ceil_mode: _bool = ...,
) -> Tensor: ...
def lp_pool3d(
    input: Tensor,
    norm_type: _float,
    kernel_size: Any,
    stride: Sequence[_int] | None | _int = ...,
    ceil_mode: _bool = ...,
) -> Tensor: ...
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: _float = ...,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def max_pool1d(
    input: Tensor,
    kernel_size: _int | Sequence[_int],
    stride: _int | Sequence[_int] | None = ...,
    padding: _int | Sequence[_int] = ...,
    dilation: _int | Sequence[_int] = ...,
    ceil_mode: _bool = ...,
    return_indices: Any = ...,
) -> Tensor: ...
def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Sequence[_int],
    stride: Sequence[_int] | None = ...,
    padding: Sequence[_int] = ...,
    dilation: Sequence[_int] = ...,
    ceil_mode: _bool = ...,
    return_indices: _bool = ...,
) -> tuple[Tensor, Tensor]: ...
def max_pool2d(
    input: Tensor,
    kernel_size: _int | Sequence[_int],
    stride: _int | Sequence[_int] | None = ...,
    padding: _int | Sequence[_int] = ...,
    dilation: _int | Sequence[_int] = ...,
    ceil_mode: _bool = ...,
    return_indices: Any = ...,
) -> Tensor: ...
def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Sequence[_int],
    stride: Sequence[_int] | None = ...,
    padding: Sequence[_int] = ...,
    dilation: Sequence[_int] = ...,
    ceil_mode: _bool = ...,
    return_indices: _bool = ...,
) -> tuple[Tensor, Tensor]: ...
def max_pool3d(
    input: Tensor,
    kernel_size: _int | Sequence[_int],
    stride: _int | Sequence[_int] | None = ...,
    padding: _int | Sequence[_int] = ...,
    dilation: _int | Sequence[_int] = ...,
    ceil_mode: _bool = ...,
    return_indices: Any = ...,
) -> Tensor: ...
def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Sequence[_int],
    stride: Sequence[_int] | None = ...,
    padding: Sequence[_int] = ...,
    dilation: Sequence[_int] = ...,
    ceil_mode: _bool = ...,
    return_indices: _bool = ...,
) -> tuple[Tensor, Tensor]: ...
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sequence[_int],
    stride: Sequence[_int] | None = ...,
    padding: Sequence[_int] = ...,
    output_size: Sequence[_int] | None = ...,
) -> Tensor: ...
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sequence[_int],
    stride: Sequence[_int] | None = ...,
    padding: Sequence[_int] = ...,
    output_size: Sequence[_int] | None = ...,
) -> Tensor: ...
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sequence[_int],
    stride: Sequence[_int] | None = ...,
    padding: Sequence[_int] = ...,
    output_size: Sequence[_int] | None = ...,
) -> Tensor: ...
def mish(input: Tensor, inplace: _bool = ...) -> Tensor: ...
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
    weight: Any = ...,
) -> Tensor: ...
def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: _int,
    num_heads: _int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: _bool,
    dropout_p: _float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: _bool = ...,
    key_padding_mask: Tensor | None = ...,
    need_weights: _bool = ...,
    attn_mask: Tensor | None = ...,
    use_separate_proj_weight: _bool = ...,
    q_proj_weight: Tensor | None = ...,
    k_proj_weight: Tensor | None = ...,
    v_proj_weight: Tensor | None = ...,
    static_k: Tensor | None = ...,
    static_v: Tensor | None = ...,
    average_attn_weights: _bool = ...,
    is_causal: _bool = ...,
) -> tuple[Tensor, Tensor | None]: ...
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: _int = ...,
    margin: _float = ...,
    weight: Tensor | None = ...,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: _bool | None = ..., reduce: _bool | None = ..., reduction: _str = ...
) -> Tensor: ...
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = ...,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = ...,
    size_average: _bool | None = ...,
    ignore_index: _int = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def normalize(
    input: Tensor, p: _float = ..., dim: _int = ..., eps: _float = ..., out: Tensor | None = ...
) -> Tensor: ...
def one_hot(input: Tensor, num_classes: _int = ...) -> Tensor: ...
def pad(input: Tensor, pad: Sequence[_int], mode: _str = ..., value: _float | None = ...) -> Tensor: ...
def pairwise_distance(x1: Any, x2: Any, p: Any = ..., eps: Any = ..., keepdim: Any = ...) -> Tensor: ...
def pdist(input: Tensor, p: Any = ...) -> Tensor: ...
def pixel_shuffle(input: Tensor, upscale_factor: Any) -> Tensor: ...
def pixel_unshuffle(input: Tensor, downscale_factor: Any) -> Tensor: ...
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: _bool = ...,
    full: _bool = ...,
    size_average: _bool | None = ...,
    eps: _float = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def prelu(input: Tensor, weight: Any) -> Tensor: ...
def relu(input: Tensor, inplace: _bool = ...) -> Tensor: ...
def relu6(input: Tensor, inplace: _bool = ...) -> Tensor: ...
def relu_(input: Tensor) -> Tensor: ...
def rms_norm(
    input: Tensor, normalized_shape: Sequence[_int], weight: Tensor | None = ..., eps: _float | None = ...
) -> Tensor: ...
def rrelu(
    input: Tensor, lower: _float = ..., upper: _float = ..., training: _bool = ..., inplace: _bool = ...
) -> Tensor: ...
def rrelu_(input: Tensor, lower: Any = ..., upper: Any = ..., training: Any = ...) -> Tensor: ...
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = ...,
    dropout_p: _float = ...,
    is_causal: _bool = ...,
    *,
    scale: _float | None = ...,
    enable_gqa: _bool = ...,
) -> Tensor: ...
def selu(input: Tensor, inplace: _bool = ...) -> Tensor: ...
def selu_(input: Tensor) -> Tensor: ...
def sigmoid(input: Tensor) -> Tensor: ...
def silu(input: Tensor, inplace: _bool = ...) -> Tensor: ...
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
    beta: _float = ...,
) -> Tensor: ...
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: _bool | None = ..., reduce: _bool | None = ..., reduction: _str = ...
) -> Tensor: ...
def softmax(input: Tensor, dim: _int | None = ..., _stacklevel: _int = ..., dtype: _dtype | None = ...) -> Tensor: ...
def softmin(input: Tensor, dim: _int | None = ..., _stacklevel: _int = ..., dtype: _dtype | None = ...) -> Tensor: ...
def softplus(input: Tensor, beta: _Number = ..., threshold: _Number = ..., *, out: Tensor | None = ...) -> Tensor: ...
def softshrink(input: Tensor, lambd: _Number = ..., *, out: Tensor | None = ...) -> Tensor: ...
def softsign(input: Any) -> Tensor: ...
def tanh(input: Any) -> Tensor: ...
def tanhshrink(input: Any) -> Tensor: ...
def threshold(input: Tensor, threshold: _float, value: _float, inplace: _bool = ...) -> Tensor: ...
def threshold_(input: Tensor, threshold: Any, value: Any) -> Tensor: ...
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: _float = ...,
    p: _float = ...,
    eps: _float = ...,
    swap: _bool = ...,
    size_average: _bool | None = ...,
    reduce: _bool | None = ...,
    reduction: _str = ...,
) -> Tensor: ...
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = ...,
    margin: _float = ...,
    swap: _bool = ...,
    reduction: _str = ...,
) -> Tensor: ...
def unfold(input: Tensor, kernel_size: Any, dilation: Any = ..., padding: Any = ..., stride: Any = ...) -> Tensor: ...
def upsample(
    input: Any,
    size: Any | None = ...,
    scale_factor: Any | None = ...,
    mode: _str = ...,
    align_corners: Any | None = ...,
) -> Tensor: ...
def upsample_bilinear(input: Any, size: Any | None = ..., scale_factor: Any | None = ...) -> Tensor: ...
def upsample_nearest(input: Any, size: Any | None = ..., scale_factor: Any | None = ...) -> Tensor: ...
