"""Other parameters and another state for an optimizer, for a while."""

from collections import defaultdict
from contextlib import contextmanager

from jtorch._tensor import Tensor

_NAME = "swap_in_optimizer_params_and_state"


@contextmanager
def swap_in_optimizer_params_and_state(optimizer, swapin_parameters, swapin_optim_state):
    """Inside, the optimizer steps other parameters, with the state and options of a state_dict.

    https://pytorch.org/docs/stable/optim.html
    swapin_parameters: {name: Tensor}, in the order of the groups. What is written into tensors in place stays.
    Raises: RuntimeError where the optimizer has no state yet, and for what does not fit its groups.
    """
    groups, state = _checked(optimizer, list(swapin_parameters.values()), swapin_optim_state)
    kept_state, kept_groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        optimizer.state = defaultdict(dict)
        for group, (options, params) in zip(optimizer.param_groups, groups, strict=True):
            group.update(options, params=params)
            for number, param in zip(options["params"], params, strict=True):
                optimizer.state[param] = dict(state.get(number, {}))
        yield
    finally:
        for group, kept in zip(optimizer.param_groups, kept_groups, strict=True):
            group.clear()
            group.update(kept)
        optimizer.state = kept_state


def _checked(optimizer, params, state_dict):
    """([(options, parameters) of each group], the state by number), or torch's error."""
    if not optimizer.state:
        raise RuntimeError(f"{_NAME} requires initialized optimizer state.")
    if not isinstance(state_dict, dict):
        raise RuntimeError(f"{_NAME} requires a DCP-style optimizer state_dict.")
    state = _checked_state(state_dict.get("state"))
    saved = state_dict.get("param_groups")
    if not isinstance(saved, list):
        raise RuntimeError(
            f"{_NAME} requires swapin_optim_state['param_groups'] to be a list of param-group dicts, "
            f"got {type(saved).__name__}."
        )
    if len(saved) != len(optimizer.param_groups):
        raise RuntimeError("swapin_optim_state has a different number of parameter groups than the live optimizer.")
    groups, start = [], 0
    for index, (group, options) in enumerate(zip(optimizer.param_groups, saved, strict=True)):
        end = start + len(_checked_numbers(index, group, options))
        if end > len(params):
            raise RuntimeError(
                f"{_NAME} requires the explicit parameter state to match optimizer.param_groups ordering."
            )
        groups.append((options, params[start:end]))
        start = end
    known = {number for options, _ in groups for number in options["params"]}
    extra = [key for key in state if key not in known]
    if extra:
        raise RuntimeError(
            f"{_NAME} requires swapin_optim_state['state'] to be keyed only by packed parameter ids from "
            f"param_groups[*]['params']; got extra keys {extra!r}."
        )
    return groups, state


def _checked_state(state):
    if not isinstance(state, dict):
        raise RuntimeError(
            f"{_NAME} requires swapin_optim_state['state'] to be a dict mapping packed parameter ids to per-param "
            f"state dicts, got {type(state).__name__}."
        )
    if any(isinstance(key, Tensor) for key in state):
        raise RuntimeError(f"{_NAME} requires optimizer.state_dict()-style state keyed by packed parameter ids.")
    if any(isinstance(key, int) and not isinstance(value, dict) for key, value in state.items()):
        raise RuntimeError(f"{_NAME} requires per-parameter optimizer state entries to be dictionaries.")
    return state


def _checked_numbers(index, group, options):
    """The numbers of a saved group's parameters."""
    if not isinstance(options, dict):
        raise RuntimeError(f"{_NAME} requires each optimizer param group to be a dictionary.")
    numbers = options.get("params")
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise RuntimeError(
            f"{_NAME} requires optimizer.state_dict()-style param_groups[*]['params'] entries keyed by packed "
            "parameter ids."
        )
    if len(group["params"]) != len(numbers):
        raise RuntimeError(
            f"swapin_optim_state param group {index} has a different number of params than the live optimizer "
            "param group."
        )
    only_saved, only_live = ([key for key in a if key not in b] for a, b in ((options, group), (group, options)))
    if only_saved or only_live:
        raise RuntimeError(
            f"{_NAME} requires optimizer.state_dict()-style param group keys to exactly match the live optimizer "
            f"group keys for group {index}. Keys only in swap-in: {only_saved}. Keys only in live: {only_live}."
        )
    return numbers
