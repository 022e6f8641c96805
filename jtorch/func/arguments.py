"""Checks of what transforms and the functions they transform are given and return, in torch's words."""

from jtorch._tensor import Tensor, aval
from jtorch.utils._pytree import tree_leaves


def _argnum(argnum, count):
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnum must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def chosen(argnums, count):
    """The places of arguments that derivatives are taken for, as a tuple. Raises RuntimeError for what is none."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    places = tuple(_argnum(n, count) for n in (argnums if isinstance(argnums, tuple) else (argnums,)))
    if not places:
        raise RuntimeError("argnums must be non-empty")
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {places}")
    return places


def picked(args, argnums):
    """The arguments that derivatives are taken for: one, or a tuple. argnums: None for all."""
    if argnums is None:
        return args
    places = chosen(argnums, len(args))
    return tuple(args[i] for i in places) if isinstance(argnums, tuple) else args[places[0]]


def split_aux(output, has_aux, name, words):
    """(output, aux) of a function; aux is None without has_aux. Raises RuntimeError where there is no such pair."""
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) {words}")
    return output


def need_tensors(output, name):
    """Raise RuntimeError unless a function's flat output consists of Tensors, and is not empty."""
    if not output or (len(output) == 1 and output[0] is None):
        raise RuntimeError(
            f"{name}: Expected f to be a function that has non-empty output (got output = {list(output)})"
        )
    for x in output:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{name}: expected f(*primals) to return only tensors, got unsupported type {type(x)}")


def need_list_of_tensors(given, name, what):
    """Raise RuntimeError unless these are Tensors, and at least one."""
    if not given:
        raise RuntimeError(f"{name}: Expected {what} to contain at least one Tensor.")
    for x in given:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{name}: Expected {what} to only contain Tensors, got {type(x)}")


def need_real(tree, name, what):
    """Raise RuntimeError where a tensor is complex."""
    for i, x in enumerate(tree_leaves(tree)):
        if isinstance(x, Tensor) and aval(x).dtype.is_complex:
            raise RuntimeError(
                f"{name}: Expected all {what} to be real but received complex tensor at flattened input idx: {i}"
            )
