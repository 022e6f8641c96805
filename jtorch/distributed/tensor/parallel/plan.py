"""parallelize_module: styles for the modules of a tree, by their names."""

import fnmatch
import warnings

from jtorch.distributed.tensor.parallel.style import ParallelStyle


def parallelize_module(module, device_mesh=None, parallelize_plan=None, *, src_data_rank=0):
    """Apply a style to a module, or styles to those of its modules that the plan's names match.

    parallelize_plan: a ParallelStyle, or {name, of which a part may be a pattern as in fnmatch: style}.
    Raises: ValueError for a mesh of several dims, TypeError for another plan.
    """
    if device_mesh is None or device_mesh.ndim != 1:
        raise ValueError(f"parallelize_module works on a mesh of one dim, not on {device_mesh}: take one by its name")
    if parallelize_plan is None:
        warnings.warn(
            "No parallelize_plan is provided and auto-parallel is not supported at the moment, so this "
            "parallelize_module call will do nothing.",
            stacklevel=2,
        )
        return module
    if isinstance(parallelize_plan, ParallelStyle):
        parallelize_plan.src_data_rank = src_data_rank
        return parallelize_plan._apply(module, device_mesh)
    if not isinstance(parallelize_plan, dict):
        raise TypeError(
            f"Expect Union[ParallelStyle, Dict[str, ParallelStyle]] for parallelize_plan, {type(parallelize_plan)} "
            "found!"
        )
    for path, style in parallelize_plan.items():
        _apply(module, path.split("."), style, device_mesh, src_data_rank, path)
    return module


def _apply(module, parts, style, mesh, src_data_rank, path):
    """Apply a style to the modules that a name's parts lead to."""
    if not parts[0]:
        raise ValueError("Expect module path to be non-empty when plan is a dict")
    found = [name for name, child in module._modules.items() if child is not None and fnmatch.fnmatch(name, parts[0])]
    if not found:
        warnings.warn(
            f"Parallelize plan key '{path}' could not be resolved: no submodule matching token '{parts[0]}' in module "
            f"{module}, skipping this plan entry.",
            stacklevel=4,
        )
    for name in found:
        if len(parts) > 1:
            _apply(module._modules[name], parts[1:], style, mesh, src_data_rank, path)
        else:
            setattr(module, name, parallelize_module(module._modules[name], mesh, style, src_data_rank=src_data_rank))
