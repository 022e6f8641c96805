"""What the functions of autograd.functional demand of their arguments and results, in torch's words."""

from jtorch._tensor import Tensor, alias, aval
from jtorch.autograd.apply import filled
from jtorch.autograd.backward import grad

NO_V = {
    "vjp": "The vector v can only be None if the user-provided function returns a single Tensor with a single element.",
    "jvp": "The vector v can only be None if the input to the user-provided function is a single Tensor with a single "
    "element.",
}
NO_V["vhp"] = NO_V["hvp"] = NO_V["jvp"]


def as_tuple(values, what, function):
    """(whether it was a tuple, the Tensors as a tuple). Raises TypeError for anything else."""
    several = isinstance(values, tuple)
    tensors = values if several else (values,)
    for i, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            which = f"value at index {i}" if several else f"given {what}"
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the {which} has "
                f"type {type(x)}."
            )
    return several, tensors


def fresh(tensors, create_graph, needs_grad):
    """New tensors of the same values: behind the given ones in the graph if that is wanted, leaves otherwise."""
    return tuple(
        x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(needs_grad) for x in tensors
    )


def finished(tensors, create_graph):
    """Results without a history nobody asked for."""
    return tuple(tensors) if create_graph else tuple(alias(x) for x in tensors)


def shaped_like(tensor):
    """A leaf of zeros of a tensor's shape: what it is does not matter, as long as it is finite."""
    return filled(aval(tensor), 0).requires_grad_()


def same_sizes(v, like, several):
    """Raise RuntimeError unless v has the number and the sizes of these tensors."""
    if len(v) != len(like):
        if several:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (one, other) in enumerate(zip(v, like, strict=True)):
        if aval(one).shape != aval(other).shape:
            which = f"Entry {i} in " if several else ""
            raise RuntimeError(f"{which}v has invalid size: should be {other.shape} but got {one.shape}.")


_STRICT = "This is not allowed in strict mode."
_INDEPENDENT = {
    "outputs": "Output {i} of the user-provided function does not require gradients. The outputs must be computed in a "
    "differentiable manner from the input when running in strict mode.",
    "grad_inputs": "The gradient with respect to input {i} is independent of the inputs of the user-provided function. "
    + _STRICT,
    "jacobian": "While computing the hessian, found that the jacobian of the user-provided function with respect to "
    f"input {{i}} is independent of the input. {_STRICT} You should ensure that your function is twice differentiable "
    "and that the jacobian depends on the inputs (this would be violated by a linear function for example).",
    "hessian": "The hessian of the user-provided function with respect to input {i} is independent of the input. "
    f"{_STRICT} You should ensure that your function is thrice differentiable and that the hessian depends on the "
    "inputs.",
    "none": f"The output of the user-provided function is independent of input {{i}}. {_STRICT}",
}


def require_grad(tensors, kind, strict):
    """In strict mode, raise RuntimeError for a tensor that is missing or does not require grad."""
    for i, x in enumerate(tensors if strict else ()):
        if x is None or not x.requires_grad:
            raise RuntimeError(_INDEPENDENT["none" if x is None else kind].format(i=i))


_MISSING = {
    "back": _INDEPENDENT["none"],
    "back_trick": "The gradient with respect to the input is independent of entry {i} in the grad_outputs when using "
    f"the double backward trick to compute forward mode gradients. {_STRICT}",
    "double_back": f"The jacobian of the user-provided function is independent of input {{i}}. {_STRICT}",
    "double_back_trick": "The hessian of the user-provided function is independent of entry {i} in the grad_jacobian. "
    "This is not allowed in strict mode as it prevents from using the double backward trick to replace forward mode "
    "AD.",
}


def zeros_for_none(found, like, strict, create_graph, stage):
    """Gradients with zeros for those that are missing. Raises RuntimeError for these in strict mode."""
    for i, g in enumerate(found if strict else ()):
        if g is None:
            raise RuntimeError(_MISSING[stage].format(i=i))
        if create_graph and not g.requires_grad:
            what = "hessian" if "double" in stage else "jacobian"
            raise RuntimeError(
                f"The {what} of the user-provided function is independent of input {i}. This is not allowed in strict "
                "mode when create_graph=True."
            )
    return tuple(filled(aval(x), 0) if g is None else g for g, x in zip(found, like, strict=True))


def gradients(outputs, inputs, weights=None, **options):
    """autograd.grad of those outputs that require grad; None for every input when there are none."""
    weights = (None,) * len(outputs) if weights is None else weights
    kept = [(out, w) for out, w in zip(outputs, weights, strict=True) if out is not None and out.requires_grad]
    if not kept:
        return (None,) * len(inputs)
    outputs, weights = zip(*kept, strict=True)
    return grad(outputs, inputs, weights, allow_unused=True, **options)


def forward_mode(create_graph, strict, vectorize):
    """Raise what jacobian() raises for forward mode with options that torch has not implemented for it."""
    if create_graph:
        raise NotImplementedError(
            'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported '
            'together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if strict:
        raise RuntimeError(
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported '
            'together (yet). Please either set `strict=False` or `strategy="reverse-mode"`.'
        )
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for "
            "`vectorize=True`."
        )
