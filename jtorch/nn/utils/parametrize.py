"""Parametrizations: a member of a module computed from other tensors whenever it is read."""

import contextlib
import copy
import copyreg
from collections.abc import Iterator, Sequence

from jtorch._tensor import Tensor
from jtorch.autograd.grad_mode import no_grad
from jtorch.nn.modules.container import ModuleDict, ModuleList
from jtorch.nn.modules.module import Module
from jtorch.nn.parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip


class _Cache:
    """What was computed inside of `cached`, by parametrization list and name."""

    depth = 0
    values: dict = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """A context in which each parametrized tensor is computed once, when it is first read."""
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.values = {}


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


_CHANGED = (
    "Registering a parametrization may not change the {fact} of the tensor, unless {the}`unsafe` flag is enabled.\n"
    "{before}: {one}\n{after}: {other}"
)
_CHANGED_BACK = (
    "The tensor returned by parametrization.right_inverse must have the same {fact} as {before}, unless the "
    "`unsafe` flag is enabled.\n{before}.{fact}: {one}\nreturned {fact}: {other}"
)


def _check_unchanged(text, expected, actual, **names):
    """Raise ValueError where dtype or shape differ; text and names may say `{fact}`. expected: (dtype, shape)."""
    for fact, one in zip(("dtype", "shape"), expected, strict=True):
        other = getattr(actual, fact)
        if one != other:
            named = {key: name.format(fact=fact) for key, name in names.items()}
            raise ValueError(text.format(fact=fact, one=one, other=other, **named))


def _check_tensor(result):
    if not isinstance(result, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}.")


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in order, and what they compute it from: `original`, or `original0`, ...

    Made by `register_parametrization`.
    Raises: ValueError for no modules, and, unless `unsafe`, where they change shape or dtype.
    """

    original: Tensor
    unsafe: bool

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        before = original.dtype, original.shape
        with no_grad():
            new = self._undone(original)
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            self._keep_one(original, new)
        else:
            self._keep_several(original, new)
        if not self.unsafe:
            result = self()
            _check_tensor(result)
            names = {"before": "unparametrized {fact}", "after": "parametrized {fact}"}
            _check_unchanged(_CHANGED, before, result, the="", **names)

    def _undone(self, value):
        """What the parametrizations make `value` of, as far as they say."""
        for module in reversed(self):
            if hasattr(module, "right_inverse"):
                with contextlib.suppress(NotImplementedError):
                    value = module.right_inverse(value)
        return value

    def _keep_one(self, original, new):
        for fact in ("dtype", "device"):
            one, other = getattr(original, fact), getattr(new, fact)
            if one != other:
                raise ValueError(
                    f"When `right_inverse` outputs one tensor, it may not change the {fact}.\n"
                    f"original.{fact}: {one}\nright_inverse(original).{fact}: {other}"
                )
        with no_grad():
            original.set_(new)  # the optimizer keeps its parameter
        _register(self, "original", original)

    def _keep_several(self, original, tensors):
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                    f"Got element {i} of the sequence with type {type(tensor).__name__}."
                )
            if isinstance(original, Parameter):
                tensor = Parameter(tensor, original.requires_grad)
            tensor.requires_grad_(original.requires_grad)
            _register(self, f"original{i}", tensor)

    def right_inverse(self, value: Tensor) -> None:
        """Let the parametrized tensor be `value`: what it is computed from is set to fit.

        Raises: RuntimeError for a parametrization without `right_inverse`, ValueError for what one returned.
        """
        with no_grad():
            for module in reversed(self):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)
            if self.is_tensor:
                self._set_one(value)
            else:
                self._set_several(value)

    def _set_one(self, value):
        if not isinstance(value, Tensor):
            raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
        if value.dtype != self.original.dtype:
            raise ValueError(
                f"The tensor returned by `right_inverse` has dtype {value.dtype} while `original` has dtype "
                f"{self.original.dtype}"
            )
        self.original.set_(value)

    def _set_several(self, values):
        if not isinstance(values, Sequence):
            raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(values).__name__}.")
        if len(values) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                f"length {len(values)}."
            )
        for i, (original, value) in enumerate(zip(self._originals(), values, strict=True)):
            if not isinstance(value, Tensor):
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors or reference-type opaques. Got element "
                    f"{i} of type {type(value).__name__}."
                )
            if original.dtype != value.dtype:
                raise ValueError(
                    f"Tensor {i} returned by `right_inverse` has dtype {value.dtype} while `original{i}` has dtype "
                    f"{original.dtype}"
                )
            original.set_(value)

    def _originals(self):
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        first, *others = self
        value = first(*self._originals())
        for module in others:
            value = module(value)
        return value


def _deepcopied(self, memo):
    found = memo.get(id(self))
    if found is None:
        found = memo[id(self)] = self.__new__(type(self))
        found.__dict__ = copy.deepcopy(self.__dict__, memo)
        for slot in copyreg._slotnames(type(self)):  # pyright: ignore[reportAttributeAccessIssue]
            if hasattr(self, slot):
                setattr(found, slot, copy.deepcopy(getattr(self, slot), memo))
    return found


def _not_pickled(self):
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See:\n"
        "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
        "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
    )


def _give_class_of_its_own(module):
    """Make the module's class one that only it has, so that properties can be put on it."""
    cls = type(module)
    members = {"__getstate__": _not_pickled}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = _deepcopied  # else deepcopy would ask for the state
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _put_property(module, name):
    if hasattr(module, name):
        raise AssertionError(f"Module already has an attribute named '{name}'")

    def read(self):
        parametrization = self.parametrizations[name]
        if not _Cache.depth:
            return parametrization()
        key = (id(parametrization), name)
        if key not in _Cache.values:
            _Cache.values[key] = parametrization()
        return _Cache.values[key]

    def write(self, value):
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, write))


def _check_next(module, name, parametrization):
    """Check a parametrization that is put upon others: from shape and dtype of the tensor to the same, and back."""
    value = getattr(module, name)
    expected = value.dtype, value.shape
    result = parametrization(value)
    _check_tensor(result)
    member = f"module.{name}"
    names = {"before": f"{member}.{{fact}}", "after": f"parametrization({member}).{{fact}}"}
    _check_unchanged(_CHANGED, expected, result, the="the ", **names)
    if hasattr(parametrization, "right_inverse"):
        try:
            back = parametrization.right_inverse(result)
        except NotImplementedError:
            return
        if not isinstance(back, Tensor):
            raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
        _check_unchanged(_CHANGED_BACK, expected, back, before=member)


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False):
    """Let a parameter or buffer be computed by `parametrization` from what it was, whenever it is read.

    `right_inverse` of the parametrization, if it has one, gives the tensor, or several, to begin from, and lets values
    be assigned. More may be registered on top. unsafe: shape and dtype may change, unchecked. Returns the module.
    Raises: ValueError for a name that is no parameter or buffer, and for a parametrization that does not fit.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_next(module, tensor_name, parametrization)
        chain = module.parametrizations[tensor_name]
        chain.append(parametrization)
        chain.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        chain = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_class_of_its_own(module)
            module.parametrizations = ModuleDict()
        _put_property(module, tensor_name)
        module.parametrizations[tensor_name] = chain
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether this member of the module is parametrized, or any, where no name is given."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a member a plain parameter or buffer again: of its value now, or (else) of what it was computed from.

    Raises: ValueError where it is not parametrized, or computed from several tensors and to be left as these.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    chain = module.parametrizations[tensor_name]
    if chain.is_tensor:
        original = chain.original
        if leave_parametrized:
            with no_grad():
                original.set_(getattr(module, tensor_name))  # the optimizer keeps its parameter
    elif leave_parametrized:
        # torch: with grad mode on, the value tells whether it is to be a parameter.
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before its first parametrization."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Module, to_module: Module, tensor_name: str | None = None):
    """Put the parametrizations of one module, and what they compute from, on another; of one name or of all."""
    if is_parametrized(from_module):
        for name in from_module.parametrizations if tensor_name is None else [tensor_name]:
            source = from_module.parametrizations[name]
            if not hasattr(to_module, name):
                setattr(to_module, name, Parameter(getattr(from_module, name)))
            for parametrization in source:
                register_parametrization(to_module, name, parametrization)
            target = to_module.parametrizations[name]
            for key in ["original"] if source.is_tensor else [f"original{i}" for i in range(source.ntensors)]:
                setattr(target, key, getattr(source, key))
    return to_module
