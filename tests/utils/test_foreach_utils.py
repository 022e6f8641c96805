"""Tensors in groups of a device and a dtype."""

import pytest

from tests.oracle import same, same_error


def grouped(torch, lists, **given):
    made = torch.utils._foreach_utils._group_tensors_by_device_and_dtype(lists, **given)
    return sorted((str(kind), parts, indices) for kind, (parts, indices) in made.items())


def tensors(torch):
    return [torch.ones(1), torch.ones(2).double(), torch.ones(3)]


def test_groups():
    def run(torch):
        ones, others = tensors(torch), [torch.zeros(1), None, torch.zeros(3)]
        counts = [torch.tensor(float(i)) for i in range(3)]
        halves = [one.bfloat16() for one in ones]
        supported = torch.utils._foreach_utils._has_foreach_support
        return [
            grouped(torch, [ones, others, []]), grouped(torch, [ones], with_indices=True),
            grouped(torch, [ones, counts, halves], with_indices=True),
            supported(ones, torch.device("cpu")), supported([torch.nn.Parameter(ones[0])], torch.device("cpu")),
        ]  # fmt: skip

    same(run)


@pytest.mark.parametrize("wrong", [lambda one: [[None, one]], lambda one: [[one], [one.long()]]], ids=["none", "long"])
def test_what_is_no_group(wrong):
    same_error(lambda torch: grouped(torch, wrong(torch.ones(1))))


@pytest.mark.parametrize("wrong", [lambda one: [[one], [one, one]], lambda one: [[], [one]]], ids=["more", "empty"])
def test_lists_of_other_lengths(wrong):
    same_error(lambda torch: grouped(torch, wrong(torch.ones(1))), text=False)
