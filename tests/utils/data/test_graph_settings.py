"""Graphs of datapipes, their shards and seeds, and DataLoaders over them, as torch's."""

from tests.oracle import same, same_warnings
from tests.utils.data.datapipes.pipes import maps, outcome, plus, shape, streams


def test_graph():
    def run(torch):
        wrapper, data = streams(torch).IterableWrapper, torch.utils.data
        source = wrapper(range(3))
        graphs = [
            source.map(plus).shuffle(),
            source.zip(source.map(plus)),
            source.fork(2)[0].zip(wrapper([1]).batch(2)),
            maps(torch).SequenceWrapper([1]).shuffle(),
        ]
        found = data.graph_settings.get_all_graph_pipes(data.graph.traverse_dps(graphs[2]))
        no_pipe = outcome(lambda: data.graph.traverse_dps([1]))
        return [shape(data.graph.traverse_dps(g)) for g in graphs], [type(p).__name__ for p in found], no_pipe

    same(run)
    same_warnings(lambda torch: torch.utils.data.graph.traverse(streams(torch).IterableWrapper([1])))


def test_settings():
    def run(torch):
        settings, wrapper = torch.utils.data.graph_settings, streams(torch).IterableWrapper
        sharded = wrapper(range(10)).shuffle().sharding_filter()
        settings.apply_random_seed(sharded, torch.Generator().manual_seed(2))
        settings.apply_sharding(sharded, 3, 1)
        parts = list(sharded), len(sharded)
        twice = outcome(lambda: settings.apply_sharding(sharded.sharding_filter(), 2, 0))
        outside = outcome(lambda: sharded.apply_sharding(2, 2))
        mixed = outcome(lambda: sharded.apply_sharding(2, 1, streams(torch).sharding.SHARDING_PRIORITIES.DISTRIBUTED))
        within = wrapper(range(24)).sharding_filter()
        for group, (count, number) in {2: (3, 1), 3: (2, 1)}.items():
            settings.apply_sharding(within, count, number, streams(torch).sharding.SHARDING_PRIORITIES(group))
        added = (
            settings.apply_shuffle_settings(wrapper(range(4)), False),
            settings.apply_shuffle_settings(sharded, False),
        )
        return parts, twice, outside, mixed, list(within), [list(pipe) for pipe in added]

    same(run)
    same_warnings(lambda torch: torch.utils.data.graph_settings.apply_shuffle_settings(
        streams(torch).IterableWrapper([1]), True))  # fmt: skip


def test_loader():
    def run(torch):
        load = torch.utils.data.DataLoader
        pipe = streams(torch).IterableWrapper(range(12)).shuffle().sharding_filter().map(plus)
        torch.manual_seed(1)
        passes = [[b.tolist() for b in load(pipe, batch_size=5, shuffle=how)] for how in (True, False, None)]
        loader = load(pipe, batch_size=5)
        by_key = [b.tolist() for b in load(maps(torch).SequenceWrapper(range(5)).map(plus), 2, shuffle=True)]
        return passes, by_key, torch.rand(1), len(loader), type(loader.dataset).__name__

    same(run)


def test_loader_with_workers():
    """Each worker has its part, in an order that all share; a new pass has a new one."""

    def run(torch):
        pipe = streams(torch).IterableWrapper(range(12)).shuffle().sharding_filter()
        torch.manual_seed(7)
        loader = torch.utils.data.DataLoader(pipe, 2, shuffle=True, num_workers=2, persistent_workers=True)
        return [[batch.tolist() for batch in loader] for _ in range(2)], torch.rand(1)

    same(run)
