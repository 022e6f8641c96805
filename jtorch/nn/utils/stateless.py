"""Calls of a module with other tensors in the place of its parameters and buffers."""

import contextlib
import warnings

from jtorch._tensor import Tensor
from jtorch.nn.modules.module import Module

__all__ = ["functional_call"]

_MISSING = object()  # stands for an attribute that is not there


def functional_call(module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """Deprecated: `torch.func.functional_call`."""
    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
        "version of PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def _functional_call(module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """module(*args, **kwargs) with the tensors of `parameters_and_buffers` in place of its own, by dotted name."""
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights, strict):
        return module(*args, **(kwargs or {}))


@contextlib.contextmanager
def _reparametrize_module(module, parameters_and_buffers, tie_weights=False, strict=False, stack_weights=False):
    """A context in which the module has these tensors. What it puts in their place meanwhile is in the dict afterwards.

    tie_weights: a tensor goes to all names of the one that it replaces. strict: all members must be given, no others.
    stack_weights: the members come back in reverse order.
    Raises: ValueError for tied names with different tensors, RuntimeError for wrong names if strict, TypeError for what
    is no tensor, AttributeError and KeyError for names that cannot be.
    """
    given = _untied(module, parameters_and_buffers) if tie_weights else parameters_and_buffers
    if strict:
        _check_names(module, given)
    members = _Members(module)
    own = {}
    try:
        members.swap_all(given, own)
        yield
    finally:
        back = dict(reversed(own.items())) if stack_weights else own
        after = {}
        members.swap_all(back, after)
        parameters_and_buffers.update({name: after[name] for name in parameters_and_buffers if name in after})


def _named(module):
    """All parameters and buffers by name, tied ones under each of theirs."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _untied(module, given):
    """`given`, with each tensor also under the names that are tied to the one it is given for."""
    groups = {}
    for name, tensor in _named(module):
        groups.setdefault(tensor, set()).add(name)
    spread = dict(given)
    for names in groups.values():
        meant = {name: given[name] for name in given if name in names}
        if len(names) == 1 or not meant:
            continue
        if len(set(meant.values())) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(names)}, which are tied. Consider using "
                "tie_weights=False"
            )
        spread.update(dict.fromkeys(sorted(names), next(iter(meant.values()))))
    return spread


def _check_names(module, given):
    names, keys = {name for name, _ in _named(module)}, set(given)
    wrong = [
        f"{kind} key(s): {', '.join(map(repr, sorted(found)))}."
        for kind, found in (("Unexpected", keys - names), ("Missing", names - keys))
        if found
    ]
    if wrong:
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(wrong))


class _Members:
    """The tensors of a module and of all below it, exchanged by dotted name."""

    def __init__(self, module):
        self.owners = {"": module}  # by their paths

    def owner(self, path):
        """The module at a dotted path."""
        found = self.owners.get(path)
        if found is None:
            before, _, name = path.rpartition(".")
            above = self.owner(before)
            try:
                found = getattr(above, name)
            except AttributeError:
                raise AttributeError(f"{above._get_name()} has no attribute `{name}`") from None
            if not isinstance(found, Module):
                raise TypeError(f"submodule `{path}`: {found} is not an instance of torch.nn.Module")
            self.owners[path] = found
        return found

    def swap_all(self, tensors, replaced):
        """Put tensors in place, and what stood there into `replaced`. After an error everything is as before."""
        try:
            for name, tensor in tensors.items():
                replaced[name] = self.swap(name, tensor)
        except Exception:
            for name, tensor in replaced.items():
                self.swap(name, tensor)
            replaced.clear()
            raise

    def swap(self, path, tensor):
        """Put one tensor in place and return what stood there."""
        prefix, _, name = path.rpartition(".")
        module = self.owner(prefix)
        if not _is_member(tensor):
            raise TypeError(f"{tensor} is not an instance of torch.Tensor")
        if name == "":
            raise KeyError('tensor name can\'t be empty string ""')
        for home in (module._parameters, module._buffers):
            if name in home:
                old = home[name]
                if tensor is _MISSING:
                    del home[name]
                else:
                    home[name] = tensor
                return old
        old = getattr(module, name, _MISSING)
        if not _is_member(old):
            raise TypeError(f"attribute `{name}`: {old} is not an instance of torch.Tensor")
        if tensor is not _MISSING:
            setattr(module, name, tensor)
        elif old is not _MISSING:
            delattr(module, name)
        return old


def _is_member(value):
    return value is None or value is _MISSING or isinstance(value, Tensor)
