"""Settings of all the pipes of a graph: shards, shuffling, seeds."""

import inspect
import warnings

from jtorch.utils.data.datapipes.iter.sharding import SHARDING_PRIORITIES, _ShardingIterDataPipe
from jtorch.utils.data.graph import traverse_dps
from jtorch.utils.data.sampler import draw_seed


def get_all_graph_pipes(graph):
    """The pipes of a graph, each once, from its end to its sources."""
    found = {}

    def collect(graph):
        for key, (pipe, sources) in graph.items():
            if key not in found:
                found[key] = pipe
                collect(sources)

    collect(graph)
    return list(found.values())


def apply_sharding(datapipe, num_of_instances, instance_id, sharding_group=SHARDING_PRIORITIES.DEFAULT):
    """Give each pipe that shards its part: the instance_id-th of num_of_instances.

    Raises: RuntimeError when one of them takes its samples from another.
    """

    def shard(graph, before):
        for pipe, sources in graph.values():
            applied = before
            if isinstance(pipe, _ShardingIterDataPipe) or _has(pipe, "apply_sharding"):
                if before is not None:
                    raise RuntimeError(
                        "Sharding twice on a single pipeline is likely unintended and will cause data loss. "
                        f"Sharding already applied to {before} while trying to apply to {pipe}"
                    )
                group = {}
                if len(inspect.signature(pipe.apply_sharding).parameters) >= 3:
                    group["sharding_group"] = sharding_group
                pipe.apply_sharding(num_of_instances, instance_id, **group)
                applied = pipe
            shard(sources, applied)

    shard(traverse_dps(datapipe), None)
    return datapipe


def apply_shuffle_settings(datapipe, shuffle=None):
    """Turn shuffling on or off in all pipes that shuffle; None leaves them alone. Where none does, warn and add one."""
    if shuffle is None:
        return datapipe
    shufflers = [
        p for p in get_all_graph_pipes(traverse_dps(datapipe)) if _has(p, "set_shuffle") and _has(p, "set_seed")
    ]
    if not shufflers and shuffle:
        warnings.warn(
            "`shuffle=True` was set, but the datapipe does not contain a `Shuffler`. Adding one at the end. "
            "Be aware that the default buffer size might not be sufficient for your task.",
            stacklevel=2,
        )
        datapipe = datapipe.shuffle()
        shufflers = [datapipe]
    for shuffler in shufflers:
        shuffler.set_shuffle(shuffle)
    return datapipe


def apply_shuffle_seed(datapipe, rng):
    """The old name of apply_random_seed."""
    warnings.warn(
        "`apply_shuffle_seed` is deprecated since 1.12 and will be removed in the future releases. "
        "Please use `apply_random_seed` instead.",
        FutureWarning,
        stacklevel=2,
    )
    return apply_random_seed(datapipe, rng)


def apply_random_seed(datapipe, rng):
    """Give each pipe that takes a seed one from a generator."""
    for pipe in get_all_graph_pipes(traverse_dps(datapipe)):
        if _has(pipe, "set_seed"):
            pipe.set_seed(draw_seed(rng))
    return datapipe


def _has(pipe, method):
    return inspect.ismethod(getattr(pipe, method, None))


__all__ = [
    "apply_random_seed",
    "apply_sharding",
    "apply_shuffle_seed",
    "apply_shuffle_settings",
    "get_all_graph_pipes",
]
