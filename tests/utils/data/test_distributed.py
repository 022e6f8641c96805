"""DistributedSampler: the parts that torch gives each rank."""

import pytest

from tests.oracle import same, same_error


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("count, replicas", [(10, 2), (11, 3), (2, 5), (7, 1), (6, 4)])
def test_parts(count, replicas, shuffle, drop_last):
    def run(torch):
        parts = []
        for rank in range(replicas):
            sampler = torch.utils.data.DistributedSampler(range(count), replicas, rank, shuffle, 3, drop_last)
            parts += [list(sampler), len(sampler)]
            sampler.set_epoch(1)
            parts.append(list(sampler))
        return parts

    same(run)


@pytest.mark.parametrize("rank", [2, -1])
def test_error_of_a_rank_out_of_range(rank):
    same_error(lambda torch: torch.utils.data.DistributedSampler(range(3), 2, rank))
