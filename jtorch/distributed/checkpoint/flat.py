"""State dicts as a row of leaves, each under a name that its path gives."""

from collections.abc import Mapping

from jtorch._tensor import Tensor


def _is_leaf(value):
    """Whether a value is saved in one piece: a list is, unless there are tensors or dicts in it."""
    if isinstance(value, Mapping):
        return False
    if not isinstance(value, list):
        return True
    return not any(isinstance(x, Tensor) or (isinstance(x, (Mapping, list)) and not _is_leaf(x)) for x in value)


def flattened(state_dict):
    """({name: leaf}, {name: path}) of a nested state dict."""
    leaves, paths = {}, {}

    def walk(path, value):
        if _is_leaf(value):
            name = ".".join(map(str, path))
            if name in leaves:
                raise ValueError(f"duplicated flatten key {name}")
            leaves[name], paths[name] = value, path
            return
        for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            walk((*path, str(key) if isinstance(value, Mapping) else key), item)

    for key, value in state_dict.items():
        walk((str(key),), value)
    return leaves, paths


def put(state_dict, path, value):
    """Write a leaf into a nested state dict."""
    home = state_dict
    for step in path[:-1]:
        home = home[_key(home, step)]
    home[_key(home, path[-1])] = value


def _key(home, step):
    if isinstance(home, Mapping) and step not in home:
        return next(key for key in home if str(key) == step)
    return step
