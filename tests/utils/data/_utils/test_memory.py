"""Shared memory: pieces are used again when nobody reads them, and only then."""

import os

import numpy as np

from jtorch.utils.data._utils import memory
from jtorch.utils.data._utils.memory import Arena, Mappings


def sent(arena, mappings, arrays):
    """What the main process has of a worker's arrays, and the numbers of their pieces."""
    places = arena.place([memoryview(array).cast("B") for array in arrays])
    mappings.add(*arena.sent({number for number, _, _ in places}))
    return mappings.arrays(places), [number for number, _, _ in places]


def test_pieces_are_used_again_when_the_last_array_has_died():
    arena, mappings = Arena(), Mappings(keep=4)
    first = arena.empty((100, 100), np.float32)
    first[:] = 1
    (seen,), (number,) = sent(arena, mappings, [first])
    row = seen.view(np.float32)[5:6]
    del seen, first
    arena.give_back(*mappings.returned())
    second = arena.empty((100, 100), np.float32)
    _, (other,) = sent(arena, mappings, [second])
    assert other != number
    assert row[0] == 1
    del row
    arena.give_back(*mappings.returned())
    assert sent(arena, mappings, [arena.empty((100, 100), np.float32)])[1] == [number]


def test_a_piece_that_the_worker_holds_is_not_used_again():
    arena, mappings = Arena(), Mappings(keep=4)
    held = arena.empty((20_000,), np.int64)
    held[:] = 7
    sent(arena, mappings, [held])
    arena.give_back(*mappings.returned())
    arena.empty((20_000,), np.int64)[:] = 8
    assert (held == 7).all()


def test_arrays_from_elsewhere_share_one_piece():
    arena, mappings = Arena(), Mappings(keep=4)
    own = arena.empty((10_000,), np.float64)
    own[:] = 1
    others = [np.arange(50_000), np.full(9000, 2.5)]
    seen, numbers = sent(arena, mappings, [others[0], own, others[1]])
    assert numbers[0] == numbers[2] != numbers[1]
    for array, got in zip((others[0], own, others[1]), seen, strict=True):
        np.testing.assert_array_equal(got.view(array.dtype), array)


def test_surplus_pieces_are_given_up():
    before = len(os.listdir("/proc/self/fd"))
    arena, mappings = Arena(), Mappings(keep=2)
    seen = [sent(arena, mappings, [np.zeros(10_000)])[0] for _ in range(5)]
    del seen
    free, gone = mappings.returned()
    assert (len(free), len(gone)) == (2, 3)
    arena.give_back(free, gone)
    del arena, mappings
    assert len(os.listdir("/proc/self/fd")) <= before + 5  # the arena's own descriptors of what it sent


def test_small_arrays_need_no_piece():
    assert memory.Allocator.current.empty((3,), np.int8).shape == (3,)
    arena = Arena()
    assert arena.empty((4, 5), np.float32).base is None
