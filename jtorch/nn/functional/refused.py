"""What torch's functions of nn say of arguments that they refuse: the words of the native calls inside them."""

from jtorch.api.guard import guarded, planned
from jtorch.autograd.casting import whole

# Native ones, by torch's namespace.
NATIVE = {
    "nn": "linear avg_pool2d avg_pool3d one_hot scaled_dot_product_attention",
    "torch": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d avg_pool1d bilinear "
    "cosine_similarity pairwise_distance pixel_shuffle pixel_unshuffle channel_shuffle",
}  # fmt: skip

# Those in Python: what is called in them, see `planned`.
PLANS = {
    "relu": "torch.relu(input)",
    "relu6": "nn.relu6(input)",
    "selu": "torch.selu(input)",
    "celu": "torch.celu(input, alpha)",
    "elu": "nn.elu(input, alpha)",
    "silu": "nn.silu(input)",
    "mish": "nn.mish(input)",
    "hardswish": "nn.hardswish(input)",
    "hardsigmoid": "nn.hardsigmoid(input)",
    "hardtanh": "min_val > max_val; nn.hardtanh(input, min_val, max_val)",
    "leaky_relu": "nn.leaky_relu(input, negative_slope)",
    "threshold": "torch.threshold(input, threshold, value)",
    "rrelu": "torch.rrelu(input, lower, upper, training)",
    "softmin": "input.dim",
    "glu": "input.dim; nn.glu(input, dim)",
    "softsign": "input.abs",
    "tanhshrink": "input.tanh",
    "tanh": "input.tanh",
    "sigmoid": "input.sigmoid",
    "softmax": "input.softmax; Tensor.softmax(dim)",
    "log_softmax": "input.log_softmax; Tensor.log_softmax(dim)",
    "gumbel_softmax": "torch.empty_like(logits)",
    "dropout": "p < 1.0; torch.dropout(input, p, training)",
    "alpha_dropout": "p < 1.0; torch.alpha_dropout(input, p, training)",
    "feature_alpha_dropout": "p < 1.0; torch.feature_alpha_dropout(input, p, training)",
    "layer_norm": "torch.layer_norm(input, normalized_shape, weight, bias, eps)",
    "rms_norm": "torch.rms_norm(input, normalized_shape, weight, eps)",
    "batch_norm": "torch.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, training)",
    "group_norm": "input.dim",
    "local_response_norm": "input.dim",
    "instance_norm": "input.size",
    "normalize": "input.norm",
    "embedding": "torch.embedding(weight, input)",
    "cross_entropy": "nn.cross_entropy_loss(input, target, weight)",
    "nll_loss": "nn.nll_loss_nd(input, target, weight)",
    "kl_div": "torch.kl_div(input, target)",
    "hinge_embedding_loss": "torch.hinge_embedding_loss(input, target, margin)",
    "cosine_embedding_loss": "torch.cosine_embedding_loss(input1, input2, target, margin)",
    "triplet_margin_loss": "torch.triplet_margin_loss(anchor, positive, negative)",
    "mse_loss": "target.size; input.size",
    "l1_loss": "target.size; input.size",
    "smooth_l1_loss": "target.size; input.size",
    "huber_loss": "target.size; input.size",
    "binary_cross_entropy": "target.size; input.size",
    "binary_cross_entropy_with_logits": "target.size; input.size",
    "max_pool1d": "torch.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode)",
    "max_pool2d": "torch.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)",
    "max_pool3d": "torch.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode)",
    "pad": "nn.pad(input, pad, mode, value)",
}


_KERNELS = {"cross_entropy": "cross_entropy_loss"}


def with_words(found):
    """{name: function} of those among the functions found that raise torch's errors for arguments it refuses.

    Those that torch autocasts as one are so here.
    """
    found = {name: whole(_KERNELS.get(name, name), fn) if callable(fn) else fn for name, fn in found.items()}
    made = {name: fn for name, fn in found.items() if hasattr(fn, "__wrapped__")}
    for section, names in NATIVE.items():
        made |= {name: guarded(section, found[name], name) for name in names.split() if name in found}
    made |= {name: planned(found[name], plan) for name, plan in PLANS.items() if name in found}
    return made
