"""The NumPy bridge: a tensor and an array that share memory see each other's writes."""

import numpy as np

import jtorch as torch
from jtorch.engine.storage import SharedStorage, Storage
from tests.oracle import same


def test_writes_go_both_ways():
    def run(torch):
        a = np.arange(6.0)
        t = torch.from_numpy(a)
        a[0] = 100
        seen = [t.tolist()]
        t.add_(1)
        seen.append(a.tolist())
        np.multiply(a, 2, out=a)
        return [*seen, t.tolist()]

    same(run)


def test_numpy_of_a_tensor_is_its_memory():
    def run(torch):
        t = torch.ones(2, 3)
        n = t.numpy()
        t.mul_(3)
        n[0, 1] = 7
        row = t[1].numpy()
        row[2] = -1
        return n.tolist(), t.tolist(), (t * 2).tolist()

    same(run)


def test_a_write_before_the_array_went_away_counts():
    def run(torch):
        a = np.ones(3)
        t = torch.from_numpy(a)
        a += 1
        del a
        return t.tolist()

    same(run)


def test_a_view_of_the_array_shares_the_whole():
    def run(torch):
        a = np.arange(6.0)
        t = torch.from_numpy(a.reshape(2, 3))
        a[5] = 50
        t[0, 0] = -1
        return a.tolist(), t.tolist()

    same(run)


def test_a_strided_view():
    def run(torch):
        a = np.arange(12.0).reshape(3, 4)
        t = torch.from_numpy(a[:, 1::2])
        a[0, 1] = 9
        t.add_(1)
        return a.tolist(), t.tolist()

    same(run)


def test_a_recorded_call_sees_the_value_of_its_time():
    def run(torch):
        a = np.ones(3, np.float32)
        t = torch.from_numpy(a)
        y = t * 2
        a[:] = 5
        return y.tolist(), (t * 2).tolist()

    same(run)


def test_sharing_ends_with_the_array():
    a = np.ones(3)
    t = torch.from_numpy(a)
    assert type(t._storage) is SharedStorage
    del a
    t.add_(1)
    t.tolist()
    assert type(t._storage) is Storage


def test_views_of_the_tensor_share_too():
    def run(torch):
        a = np.zeros((2, 3))
        t = torch.from_numpy(a)
        t[0].add_(1)
        t.view(-1)[4] = 8
        return a.tolist()

    same(run)


def test_a_write_to_one_element_of_a_large_array_is_seen():
    def run(torch):
        seen = []
        for make in (
            lambda: np.zeros((70, 90)),
            lambda: np.zeros((70, 180))[:, ::2],
            lambda: np.zeros(6301, np.float16),
        ):
            a = make()
            t = torch.from_numpy(a)
            for at in (0, a.size // 2, a.size - 1):
                a.flat[at] = at + 1.5
                seen.append((t.sum().item(), t.flatten()[at].item()))
            t.add_(1)
            seen.append(a.sum().item())
        return seen

    same(run)
