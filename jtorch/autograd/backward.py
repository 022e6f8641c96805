"""autograd.backward and autograd.grad: what is asked for, checked in torch's words, and the walk that answers it."""

import warnings
from collections.abc import Mapping

from jtorch import _tensor, modes
from jtorch._tensor import Tensor
from jtorch.autograd.apply import call, filled, refresh
from jtorch.autograd.carry import FAST, mode_for
from jtorch.autograd.full_walk import FullWalk, Targets
from jtorch.autograd.node import GradientEdge
from jtorch.autograd.tape_walk import walk_to_leaves
from jtorch.autograd.tensor_hooks import retain
from jtorch.errors import warn
from jtorch.shapes import numel

_CYCLE = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient "
    "which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you "
    "have to use this function, make sure to reset the .grad fields of your parameters to None after use to break the "
    "cycle and avoid the leak."
)


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Add the gradients of tensors (or GradientEdges) to `.grad` of the leaves, or of `inputs`.

    grad_tensors: a cotangent per tensor, of its shape; None for scalars. Raises RuntimeError as torch's.
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        grad_tensors = grad_variables
    wanted = None if inputs is None else _several(inputs, "backward")
    if wanted is not None and not wanted:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    tensors = (tensors,) if isinstance(tensors, (Tensor, GradientEdge)) else tuple(tensors)
    roots = _roots(tensors, _per_output(grad_tensors, len(tensors)), None)
    if create_graph:
        warn(_CYCLE)
    keep = create_graph if retain_graph is None else retain_graph
    targets = None if wanted is None else Targets(executed=[_edge_to_fill(x)[0] for x in wanted])
    with_graph, modes.local.grad = modes.local.grad, bool(create_graph)
    try:
        mode = mode_for(create_graph)
        sent = [(edge, mode.unwrap(g)) for edge, g in roots]
        if targets is None and mode is FAST:
            walk_to_leaves(sent, keep)
        else:
            FullWalk(mode, keep, targets).start(sent).run()
    finally:
        modes.local.grad = with_graph


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True, allow_unused=None,
         is_grads_batched=False, materialize_grads=False):  # fmt: skip
    """Gradients of the outputs' weighted sum with respect to the inputs, as a tuple (or as a dict, as they come).

    grad_outputs: a weight per output, of its shape; None for scalars. is_grads_batched: weights and gradients have one
    more dim in front. `.grad` is untouched. Raises RuntimeError as torch.autograd.grad for unused inputs.
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    outputs = (outputs,) if isinstance(outputs, (Tensor, GradientEdge)) else tuple(outputs)
    wanted = _several(inputs, "grad")
    if not wanted:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
            "other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    given = _per_output(grad_outputs, len(outputs))
    batch = _batch_of(given) if is_grads_batched else None
    roots = _roots(outputs, given, batch)
    edges = [_edge_to_read(x) for x in wanted]
    keep = create_graph if retain_graph is None else retain_graph
    targets = Targets(captured=edges)
    with_graph, modes.local.grad = modes.local.grad, bool(create_graph)
    try:
        mode = mode_for(create_graph, batch)
        FullWalk(mode, keep, targets).start([(edge, mode.unwrap(g)) for edge, g in roots]).run()
    finally:
        modes.local.grad = with_graph
    found = [targets.captured[id(target), number] for target, number in edges]
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    results = tuple(_result(g, x, i, mode, allow_unused, materialize_grads)
                    for i, (g, x) in enumerate(zip(found, wanted, strict=True)))  # fmt: skip
    return dict(zip(inputs, results, strict=True)) if type(inputs) is dict else results


def pull_back(mode, outputs, cotangents, inputs):
    """The gradients, as mode carries them, of weighted outputs for leaves; None where unused. Grad mode is left alone.

    The graph is kept. Raises RuntimeError as torch.autograd.grad for cotangents that do not fit.
    """
    roots = _roots(outputs, cotangents, None)
    edges = [_edge(x) for x in inputs]
    targets = Targets(captured=edges)
    FullWalk(mode, True, targets).start([(edge, mode.unwrap(g)) for edge, g in roots]).run()
    return [targets.captured[id(target), number] for target, number in edges]


def _result(gradient, x, i, mode, allow_unused, materialize):
    if gradient is not None:
        return mode.wrap(gradient)
    if not allow_unused:
        raise RuntimeError(
            f"The differentiated Tensor at index {i} appears to not have been used in the graph. "
            "Set allow_unused=True if this is the desired behavior."
        )
    return filled(_aval(x), 0) if materialize else None


def _several(inputs, function):
    if isinstance(inputs, (Tensor, GradientEdge)):
        return (inputs,)
    if type(inputs) is dict:
        return tuple(inputs.values())
    if isinstance(inputs, Mapping):
        raise TypeError(
            f"`inputs` argument to `{function}()` must be a dict, not {type(inputs).__name__}. "
            "Other Mapping types are not supported."
        )
    return tuple(inputs)


def _per_output(gradients, count):
    if gradients is None:
        return (None,) * count
    return (gradients,) if isinstance(gradients, Tensor) else tuple(gradients)


def _batch_of(given):
    """The size of the batch dim that all given weights share."""
    sizes = [_tensor.aval(g).shape[0] for g in given if isinstance(g, Tensor) and _tensor.aval(g).shape]
    if any(n != sizes[0] for n in sizes):
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension"
        )
    return sizes[0] if sizes else None


def _aval(x):
    return x.node.outs[x.output_nr] if isinstance(x, GradientEdge) else _tensor.aval(x)


def _edge(x):
    """(node or leaf, output number) of a Tensor or GradientEdge."""
    if isinstance(x, GradientEdge):
        leaf = getattr(x.node, "variable", None)
        return (x.node if leaf is None else leaf), x.output_nr
    refresh(x, ask=True)
    return (x, 0) if x._grad_fn is None else (x._grad_fn, x._out_nr)


def _edge_to_fill(x):
    """The edge of one of backward()'s inputs, which is to keep its gradient."""
    if isinstance(x, GradientEdge):
        return _edge(x)
    if not isinstance(x, Tensor):
        raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(x).__name__}")
    retain(x)
    return _edge(x)


def _edge_to_read(x):
    """The edge of one of grad()'s inputs."""
    if not isinstance(x, (Tensor, GradientEdge)):
        raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(x).__name__}")
    if isinstance(x, Tensor) and not x.requires_grad:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return _edge(x)


def _roots(outputs, gradients, batch):
    """[(edge, gradient), ...] to start from, checked. Raises RuntimeError as torch does."""
    checked = [_first(i, x, g, batch) for i, (x, g) in enumerate(zip(outputs, gradients, strict=False))]
    if len(outputs) != len(checked):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(checked)} gradients")
    for i, x in enumerate(outputs):
        if isinstance(x, Tensor) and not x.requires_grad:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
    return [(_edge(x), g) for x, g in zip(outputs, checked, strict=True)]


def _first(i, output, given, batch):
    """The gradient of one root."""
    if not isinstance(output, (Tensor, GradientEdge)):
        raise AssertionError("Expected output to be a torch.Tensor")
    a = _aval(output)
    if given is None:
        if isinstance(output, Tensor) and not output.requires_grad:
            return None
        if numel(a.shape) != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if a.dtype.is_complex:
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {a.dtype!r}")
        one = filled(a, 1)
        return one if batch is None else call("expand", one, (batch, *a.shape))
    if not isinstance(given, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
    have = _tensor.aval(given)
    shape = have.shape if batch is None else have.shape[1:]
    if shape != a.shape:
        raise RuntimeError(_mismatch(i, shape, a.shape, batch))
    if have.dtype.is_complex != a.dtype.is_complex:
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
            f"grad_output[{i}] has a dtype of {have.dtype!r} and output[{i}] has a dtype of {a.dtype!r}."
        )
    return given if have.dtype is a.dtype else call("to_dtype", given, a.dtype)


def _mismatch(i, have, want, batch):
    if batch is None:
        return (
            f"Mismatch in shape: grad_output[{i}] has a shape of torch.Size({list(have)}) and output[{i}] has a shape "
            f"of torch.Size({list(want)})."
        )
    return (
        "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The "
        "sizes of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was "
        f"detected: grad_output[{i}] has a shape of torch.Size({list(have[1:])}) and output[{i}] has a shape of "
        f"torch.Size({list(want)}). If you only want some tensors in `grad_output` to be considered batched, consider "
        "using vmap."
    )
