"""Tensor methods of autograd: requires_grad, grad, data, detach, backward, hooks."""

from collections import OrderedDict

from jax.core import Tracer

from jtorch import _tensor, dtypes, modes
from jtorch._tensor import Tensor, alias, aval
from jtorch.api.put import FUNCTIONS, attribute, both, method
from jtorch.autograd import anomaly_mode, tensor_hooks
from jtorch.autograd.apply import view
from jtorch.autograd.backward import backward as backward_from
from jtorch.autograd.levels import detached
from jtorch.engine.storage import InferenceStorage
from jtorch.errors import bad_argument, warn
from jtorch.ops.op import TABLE

_LEAVES_ONLY = "you can only change requires_grad flags of leaf variables."


def _get_requires_grad(self):
    if self._rg or self._view is None:
        return self._rg
    base = self._view.base
    return base is not None and base._rg


def _set_requires_grad(self, value):
    if not isinstance(value, bool):
        raise RuntimeError("requires_grad must be a bool")
    if self._grad_fn is not None:
        raise RuntimeError(_LEAVES_ONLY + ("" if value else _DETACH_INSTEAD))
    if value and aval(self).dtype.category < dtypes.FLOAT:
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
    _require(self, value)


_DETACH_INSTEAD = (
    " If you want to use a computed variable in a subgraph that doesn't require differentiation use "
    "var_no_grad = var.detach()."
)


def _require(tensor, value):
    if value:
        _tensor.require_grad(tensor)
    else:
        tensor._rg = False


Tensor.requires_grad = property(_get_requires_grad, _set_requires_grad)


@method
def requires_grad_(self, requires_grad=True):
    """Set whether gradients are wanted for this leaf; returns it. Raises RuntimeError where they can't be."""
    if not isinstance(requires_grad, bool):
        raise bad_argument("requires_grad_", 1, "requires_grad", "bool", requires_grad)
    if modes.local.level:
        raise RuntimeError(
            "You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs) "
            "inside of a function being transformed by a functorch transform. This is unsupported, please attempt to "
            "use the functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside "
            "of a function being transformed instead."
        )
    if self._grad_fn is not None:
        if not requires_grad:
            raise RuntimeError(_LEAVES_ONLY + _DETACH_INSTEAD)
        return self
    if requires_grad and aval(self).dtype.category < dtypes.FLOAT:
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    _require(self, requires_grad)
    return self


def _get_grad(self):
    if self._grad is None and self._grad_fn is not None and not self._retains:
        warn(
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
            "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
            "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make "
            "sure you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information."
        )
    return self._grad


def _set_grad(self, value):
    if value is not None:
        _check_grad(self, value)
    self._grad = value


def _del_grad(self):
    self._grad = None


Tensor.grad = property(_get_grad, _set_grad, _del_grad)


def _check_grad(tensor, value):
    """Raise as torch does when .grad is set to something that can't be this tensor's gradient."""
    if not isinstance(value, Tensor):
        kind = type(value)
        name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {name}")
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    have, want = aval(value), aval(tensor)
    if have.dtype is not want.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{dtypes.cpp_name(have.dtype)}' to a "
            f"tensor with grad_dtype '{want.dtype.label}'. The gradient must match the tensor's grad_dtype (defaults "
            "to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None to "
            "allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break "
            "downstream systems that assume they match."
        )
    if have.device.type != want.device.type:
        raise RuntimeError(
            f"attempting to assign a gradient with device type '{have.device.type}' to a tensor with device type "
            f"'{want.device.type}'. Please ensure that the gradient and the tensor are on the same device"
        )
    if have.shape != want.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(have.shape)}' to a tensor of size '{list(want.shape)}'. "
            "Please ensure that the gradient and the tensor are the same size"
        )


@attribute
def grad_dtype(self):
    """The dtype that `.grad` must have."""
    return aval(self).dtype


def _get_data(self):
    out = detached(self) if modes.rare else alias(self)
    if not isinstance(self._storage, InferenceStorage):
        out._apart = 0
    return out


def _set_data(self, value):
    if not isinstance(value, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    self._storage = value._storage
    self._view = alias(value)._view


Tensor.data = property(_get_data, _set_data)


@both
def detach(input):
    """The same memory, outside the graph."""
    self = input
    if isinstance(self._storage.ref.value, Tracer):
        return view(TABLE["detach"], self, ())
    if modes.rare:
        return detached(self)
    return alias(self)


@both
def detach_(input):
    """Take this tensor out of the graph. Raises RuntimeError for views."""
    self = input
    if self._view is not None and self._view.base is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
            "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
            "detach_() cannot be called on these gradients. To fix this error, please refer to the "
            "Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
        )
    self._grad_fn, self._rg, self._out_nr = None, False, 0
    return self


@method
def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Add this tensor's gradients to `.grad` of the leaves, or of `inputs`. As torch.Tensor.backward."""
    if modes.local.level:
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use functorch.grad or "
            "functorch.vjp instead or call backward() outside of functorch transforms."
        )
    backward_from(self, gradient, retain_graph, create_graph, inputs=inputs)


@method
def retain_grad(self):
    """Keep the gradient of a tensor that is no leaf, too. Raises RuntimeError when it does not require grad."""
    tensor_hooks.retain(self)


@attribute
def retains_grad(self):
    """Whether a tensor that is no leaf keeps its gradient."""
    return self._retains


@attribute
def output_nr(self):
    """Which output of its grad_fn it is."""
    return self._out_nr


@method
def register_hook(self, hook):
    """Call hook(grad) when this tensor's gradient is there; what it returns, if not None, takes its place."""
    return tensor_hooks.add_hook(self, hook)


@method
def register_post_accumulate_grad_hook(self, hook):
    """Call hook(tensor) after a gradient was added to this leaf."""
    return tensor_hooks.add_post_hook(self, hook)


@attribute
def _backward_hooks(self):
    node = self if self._grad_fn is None else self._grad_fn
    hooks = self._hooks if node is self else node.hooks
    if hooks is None:
        return None
    return OrderedDict((id, hook) for id, (number, hook) in hooks.tensor.items() if number == self._out_nr) or None


FUNCTIONS["is_anomaly_enabled"] = anomaly_mode.is_enabled
FUNCTIONS["is_anomaly_check_nan_enabled"] = anomaly_mode.checks_nan


@both
def is_inference(input):
    """Whether it was made in inference mode."""
    return isinstance(input._storage, InferenceStorage)


@method
def _is_view(self):
    return self._view is not None and self._view.base is not None
