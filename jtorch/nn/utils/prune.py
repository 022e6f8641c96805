"""Pruning: a member of a module times a mask of ones and zeros, made anew by a hook before each call."""

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable

from jtorch.api.creation import empty
from jtorch.autograd.apply import call
from jtorch.nn.utils.convert_parameters import parameters_to_vector


class BasePruningMethod(ABC):
    """A way to choose what is pruned, and the hook that does it.

    A subclass defines `compute_mask` and PRUNING_TYPE: "unstructured", "structured" (with `dim`) or "global".
    """

    _tensor_name: str
    PRUNING_TYPE: str

    def __call__(self, module, inputs):
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t, default_mask):
        """The new mask for a tensor, given the one that it has. Shape: t, t -> t."""

    def apply_mask(self, module):
        """The masked tensor, of `<name>_orig` and `<name>_mask`."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        original = getattr(module, f"{self._tensor_name}_orig")
        return getattr(module, f"{self._tensor_name}_mask").to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module, name, *args, importance_scores=None, **kwargs):
        """Prune a member by this method, on top of those before, looking at its values, or at scores in their place.

        Returns the hook: the method, or the container of all. Raises: AssertionError for scores of another shape.
        """
        method = _joined(cls, module, name, args, kwargs)
        values = getattr(module, name)
        if importance_scores is None:
            importance_scores = values
        elif importance_scores.shape != values.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {values.shape}"
            )
        first = not isinstance(method, PruningContainer)
        if first:
            module.register_parameter(f"{name}_orig", values)
            del module._parameters[name]
            mask = _ones(values)
        else:
            mask = getattr(module, f"{name}_mask").detach().clone()
        try:
            mask = method.compute_mask(importance_scores, default_mask=mask)
            module.register_buffer(f"{name}_mask", mask)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if first:
                module.register_parameter(name, getattr(module, f"{name}_orig"))
                del module._parameters[f"{name}_orig"]
            raise
        return method

    def prune(self, t, default_mask=None, importance_scores=None):
        """A tensor with this method's mask on it. Shape: t -> t. Raises: AssertionError for scores of another shape."""
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {importance_scores.shape} vs {t.shape}"
            )
        default_mask = _ones(t) if default_mask is None else default_mask
        return t * self.compute_mask(importance_scores, default_mask=default_mask)

    def remove(self, module):
        """Make the member a parameter again, with what is pruned left at 0."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        original.data = weight.data
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def _ones(t):
    return t.new_ones(t.shape)


def _joined(cls, module, name, args, kwargs):
    """A new method for a member, or the container of it and of those before, whose hook is taken off."""
    hooks = module._forward_pre_hooks
    keys = [k for k, hook in hooks.items() if isinstance(hook, BasePruningMethod) and hook._tensor_name == name]
    if len(keys) > 1:
        raise AssertionError(
            f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. Use a PruningContainer."
        )
    before = [hooks.pop(key) for key in keys]
    method = cls(*args, **kwargs)
    method._tensor_name = name
    if not before:
        return method
    container = before[0] if isinstance(before[0], PruningContainer) else PruningContainer(before[0])
    container.add_pruning_method(method)
    return container


class PruningContainer(BasePruningMethod):
    """Several methods for one member, one after the other; each chooses among what the ones before left."""

    def __init__(self, *args):
        self._pruning_methods = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method):
        """Add one at the end. Raises: TypeError for what is none, ValueError for one of another member."""
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer "
                f"{self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self):
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, idx):
        return self._pruning_methods[idx]

    def compute_mask(self, t, default_mask):
        """The mask with what the last method prunes of the rest. Shape: t, t -> t. Raises: ValueError for its type."""
        method = self._pruning_methods[-1]
        left = _left(method, t, default_mask)
        mask = default_mask.to(dtype=t.dtype)
        chosen = method.compute_mask(t[left], default_mask=default_mask[left])
        mask[left] = chosen.to(dtype=mask.dtype)
        return mask


def _left(method, t, mask):
    """The index of what a method may choose from: elements, or channels, that are not all pruned."""
    if method.PRUNING_TYPE == "unstructured":
        return mask == 1
    if method.PRUNING_TYPE == "global":
        return (slice(None),) * t.dim()
    if method.PRUNING_TYPE != "structured":
        raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
    if not hasattr(method, "dim"):
        raise AttributeError('Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.')
    dim = method.dim + t.dim() if method.dim < 0 else method.dim
    if dim < 0:
        raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
    return _along(t, dim, mask.sum(dim=[d for d in range(t.dim()) if d != dim]) != 0)


def _along(t, dim, index):
    """The index that has `index` along one dim and takes all along the others."""
    where = [slice(None)] * t.dim()
    where[dim] = index
    return tuple(where)


class Identity(BasePruningMethod):
    """Prunes nothing, but puts the mask in place."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        """The mask as it is."""
        return default_mask

    @classmethod
    def apply(cls, module, name):
        """See `identity`."""
        return super().apply(module, name)


class _Unstructured(BasePruningMethod):
    """Prunes the elements that a rule picks."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount):
        _check_amount(amount)
        self.amount = amount

    def _picked(self, t, count):
        raise NotImplementedError

    def compute_mask(self, t, default_mask):
        """The mask without the elements picked. Shape: t, t -> t. Raises: ValueError for more than there are."""
        count = _count(self.amount, t.nelement())
        mask = default_mask.clone()
        if count != 0:
            mask.view(-1)[self._picked(t, count)] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prunes elements at random. amount: how many, or (a float) which part."""

    def _picked(self, t, count):
        return call("topk", t.new_empty(t.shape).uniform_().view(-1), count)[1]

    @classmethod
    def apply(cls, module, name, amount):
        """See `random_unstructured`."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Unstructured):
    """Prunes the elements next to 0. amount: how many, or (a float) which part."""

    def _picked(self, t, count):
        return call("topk", t.abs().view(-1), count, largest=False)[1]

    @classmethod
    def apply(cls, module, name, amount, importance_scores=None):
        """See `l1_unstructured`."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Structured(BasePruningMethod):
    """Keeps the channels along a dim that a rule picks."""

    PRUNING_TYPE = "structured"
    amount: float
    dim: int

    def _kept(self, t, size, count):
        raise NotImplementedError

    def compute_mask(self, t, default_mask):
        """The mask without the channels not kept. Shape: t, t -> t.

        Raises: ValueError for a vector or more channels than there are, IndexError for no such dim.
        """
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        count = _count(self.amount, size)
        kept = self._kept(t, size, count)
        if count == 0:
            return default_mask
        mask = t.new_zeros(t.shape)
        mask[_along(t, self.dim, kept)] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Structured):
    """Prunes channels along a dim at random. amount: how many, or (a float) which part."""

    def __init__(self, amount, dim=-1):
        _check_amount(amount)
        self.amount = amount
        self.dim = dim

    def _kept(self, t, size, count):
        if count == 0:
            return None
        draws = empty(size).uniform_()
        return draws > call("kthvalue", draws, count)[0]

    @classmethod
    def apply(cls, module, name, amount, dim=-1):
        """See `random_structured`."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prunes the channels along a dim whose n-norms are smallest. amount: how many, or (a float) which part."""

    def __init__(self, amount, n, dim=-1):
        _check_amount(amount)
        self.amount = amount
        self.n = n
        self.dim = dim

    def _kept(self, t, size, count):
        dims = list(range(t.dim()))
        del dims[self.dim]
        return call("topk", t.norm(self.n, dims), size - count)[1]

    @classmethod
    def apply(cls, module, name, amount, n, dim, importance_scores=None):
        """See `ln_structured`."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes by a mask that is given."""

    PRUNING_TYPE = "global"

    def __init__(self, mask):
        self.mask = mask

    def compute_mask(self, t, default_mask):
        """Both masks together. Shape: t, t -> t. Raises: AssertionError for another shape."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module, name, mask):
        """See `custom_from_mask`."""
        return super().apply(module, name, mask=mask)


def identity(module, name):
    """Put a mask of ones on a member; returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module, name, amount):
    """Prune elements of a member at random; returns the module. amount: how many, or (a float) which part."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module, name, amount, importance_scores=None):
    """Prune the elements of a member next to 0, or with the least scores; returns the module. amount: as above."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module, name, amount, dim):
    """Prune channels of a member, along a dim, at random; returns the module. amount: how many, or which part."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module, name, amount, n, dim, importance_scores=None):
    """Prune the channels of a member, along a dim, with the least n-norm; returns the module. amount: as above."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(parameters, pruning_method, importance_scores=None, **kwargs):
    """Prune members of several modules as if they were one vector. parameters: pairs of module and name.

    Raises: TypeError for what is no iterable, scores that are no dict, or a method that is not unstructured.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    members = [(module, name, getattr(module, name)) for module, name in parameters]
    values = parameters_to_vector(scores.get((module, name), member) for module, name, member in members)
    masks = parameters_to_vector(
        getattr(module, f"{name}_mask") if hasattr(module, f"{name}_mask") else _ones(member)
        for module, name, member in members
    )
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    container = PruningContainer()
    container._tensor_name = method._tensor_name = "temp"
    container.add_pruning_method(method)
    mask, start = container.compute_mask(values, masks), 0
    for module, name, member in members:
        custom_from_mask(module, name, mask=mask[start : start + member.numel()].view_as(member))
        start += member.numel()


def custom_from_mask(module, name, mask):
    """Prune a member by a mask of its shape; returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module, name):
    """Make a pruned member a parameter again; returns the module. Raises ValueError where it is not pruned."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module):
    """Whether a member of the module, or of one below it, is pruned."""
    return any(isinstance(hook, BasePruningMethod) for m in module.modules() for hook in m._forward_pre_hooks.values())


def _check_amount(amount):
    """Raise TypeError for what is no number, ValueError for an int below 0 or a float outside of [0, 1]."""
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if amount < 0 or (not isinstance(amount, numbers.Integral) and amount > 1):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _count(amount, size):
    """How many of `size` an amount is. Raises ValueError for more than there are."""
    if not isinstance(amount, numbers.Integral):
        return round(amount * size)
    if amount > size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return amount
