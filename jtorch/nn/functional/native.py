"""Functions of this folder as the torch namespace has them: same work, the signatures of torch's kernels."""

from jtorch.autograd.apply import call
from jtorch.autograd.casting import whole
from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.inplace import write_out
from jtorch.nn.functional import activation, conv, distance, loss, norm, pooling
from jtorch.nn.functional import sparse as rows

# torch: the number stands for "none" where none is given, whatever the functions of nn.functional do.
_REDUCTIONS = {0: "none", 1: "mean", 2: "sum"}
FUNCTIONS = {}


def _given(fn):
    FUNCTIONS[fn.__name__] = whole(fn.__name__, fn)
    return fn


for _module, _names in (
    (conv, ("conv1d", "conv2d", "conv3d")),
    (pooling, ("avg_pool1d", "adaptive_avg_pool1d")),
    (activation, ("celu_", "selu_", "threshold_")),
    (distance, ("cosine_similarity", "pairwise_distance", "pdist")),
):
    for _name in _names:
        _given(getattr(_module, _name))


def _transposed(name):
    run = getattr(conv, name)

    def function(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        return run(input, weight, bias, stride, padding, output_padding, groups, dilation)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = run.__doc__
    _given(function)


def _max_pool(rank):
    run = getattr(pooling, f"max_pool{rank}d")

    def function(input, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
        return run(input, kernel_size, stride or None, padding, dilation, ceil_mode)

    function.__name__ = function.__qualname__ = f"max_pool{rank}d"
    function.__doc__ = run.__doc__
    _given(function)


for _rank in (1, 2, 3):
    _transposed(f"conv_transpose{_rank}d")
    _max_pool(_rank)


@_given
def max_pool1d_with_indices(input, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
    """max_pool1d and where each maximum was found."""
    return pooling.max_pool1d(input, kernel_size, stride or None, padding, dilation, ceil_mode, True)


@_given
def adaptive_max_pool1d(input, output_size):
    """adaptive_max_pool1d and where each maximum was found."""
    return pooling.adaptive_max_pool1d(input, output_size, True)


@_given
def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    """Each channel to mean 0 and variance 1; see nn.functional.batch_norm."""
    return norm.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


@_given
def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, *, out=None):
    """batch_norm, and the mean and 1 / deviation that it took of the batch: empty ones where it is not training."""
    if not training:
        saved = (input if weight is None else weight).new_empty(0)
        made = (
            norm.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps),
            saved,
            saved.clone(),
        )
    else:
        operands = (input, running_mean, running_var, weight, bias, momentum)
        made = (norm.with_running("batch_norm_train", operands, eps, (running_mean, running_var)),
                *call("batch_stats", input, weight, eps))  # fmt: skip
    return made if out is None else tuple(map(write_out, out, made))


@_given
def instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled):
    """Each channel of each sample to mean 0 and variance 1; see nn.functional.instance_norm."""
    return norm.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


@_given
def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """Rows of weight, by index. Shape: (n, d), (*) of ints -> (*, d)."""
    padding = None if padding_idx < 0 else padding_idx
    return rows.embedding(indices, weight, padding, None, 2.0, scale_grad_by_freq, sparse)


@_given
def embedding_renorm_(input, indices, max_norm, norm_type):
    """The rows of a table that are indexed, shortened to max_norm in place."""
    with no_grad():
        rows.embedding(indices, input, None, max_norm, norm_type)
    return input


@_given
def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=0):
    """See nn.functional.binary_cross_entropy_with_logits; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return loss.binary_cross_entropy_with_logits(
        input, target, weight, reduction=_REDUCTIONS[reduction], pos_weight=pos_weight
    )


@_given
def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=0):
    """See nn.functional.cosine_embedding_loss; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return loss.cosine_embedding_loss(input1, input2, target, margin, reduction=_REDUCTIONS[reduction])


@_given
def hinge_embedding_loss(input, target, margin=1.0, reduction=0):
    """See nn.functional.hinge_embedding_loss; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return loss.hinge_embedding_loss(input, target, margin, reduction=_REDUCTIONS[reduction])


@_given
def kl_div(input, target, reduction=0, *, log_target=False):
    """See nn.functional.kl_div; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return loss.kl_div(input, target, reduction=_REDUCTIONS[reduction], log_target=log_target)


@_given
def margin_ranking_loss(input1, input2, target, margin=0.0, reduction=0):
    """See nn.functional.margin_ranking_loss; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return loss.margin_ranking_loss(input1, input2, target, margin, reduction=_REDUCTIONS[reduction])


@_given
def poisson_nll_loss(input, target, log_input, full, eps, reduction):
    """See nn.functional.poisson_nll_loss; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return loss.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_REDUCTIONS[reduction])


@_given
def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-06, swap=False, reduction=0):
    """See nn.functional.triplet_margin_loss; reduction is 0 (none), 1 (mean) or 2 (sum)."""
    return loss.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_REDUCTIONS[reduction])
