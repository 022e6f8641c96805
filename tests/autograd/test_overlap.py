"""Writes where elements share memory: what torch refuses, what it allows, and what then stands there."""

import pytest

from tests.oracle import same_warnings
from tests.snippets import compare


def test_partly_shared_memory():
    compare("""
        b[:2] = b[1:]; b
        b.view(-1)[1:] = b.view(-1)[:-1]; b
        b[1:].add_(b[:-1])
        b[0:2].copy_(b[1:3])
        q = torch.arange(9.0).reshape(3, 3); q.add_(q.t())
        q = torch.arange(9.0).reshape(3, 3); q.copy_(q.t())
        q = torch.arange(9.0).reshape(3, 3); q[0:1] += q; q
        q = torch.arange(9.0); q.mul_(q[0])
        q = torch.arange(9.0); q[:3].mul_(q[1])
        q = torch.arange(9.0); q[::2].add_(q[::2]); q
        q = torch.arange(9.0); q[:4].add_(q[4:8]); q
        q = torch.arange(8.0); torch.add(q[:4], 1, out=q[4:]); q
        q = torch.arange(8.0); torch.mul(q, 2, out=q); q
    """)


@pytest.mark.filterwarnings("ignore:Use of")
def test_repeated_elements():
    start = "v = torch.zeros(1, 4).expand(3, 4)"
    compare("\n".join(f"{start}; {rest}" for rest in """
        v[0] = 1; v
        v[0, 0] = 1; v
        v[:, 0] = 1; v
        v.add_(1)
        v.fill_(1)
        v.zero_()
        v.copy_(b)
        v.copy_(b[0])
        v[v == 0] = 1; v
        v[[0, 1]] = 1.0; v
        v.masked_fill_(b > 3, 1.0)
        v.index_fill_(0, torch.tensor([0]), 1.0)
        v.index_add_(0, torch.tensor([0]), torch.ones(1, 4))
        v.scatter_(1, torch.tensor([[0]]), 1.0)
        v.relu_()
        v.normal_()
        v.clamp_(0, 1)
        torch.add(b, 1, out=v)
    """.strip().splitlines()))  # fmt: skip
    compare("""
        v = torch.zeros(4).expand(1, 4); v.add_(1)
        v = b.as_strided((3, 4), (0, 1)); v.add_(1)
        r = torch.arange(5.0); r.unfold(0, 2, 1)[0, 1] = 9; r
        r = torch.arange(5.0); r.unfold(0, 2, 1)[1, 0] = 9; r
        r = torch.arange(5.0); u = r.as_strided((4, 2), (1, 1)); u[0, 1] = 9; u[2, 0] = 7; (u, r)
        r = torch.arange(3.0); u = r.expand(4, 3); u[2, 1] = 9; (u, r)
        r = torch.arange(3.0); u = r.expand(4, 3); u[2] = torch.tensor([7.0, 8.0, float("nan")]); (u, r)
    """)


def test_writes_by_index_into_repeated_elements_warn():
    def expanded(t):
        return t.zeros(1, 4).expand(3, 4)

    same_warnings(lambda t: expanded(t).masked_fill_(t.ones(3, 4) > 0, 1.0))
    same_warnings(lambda t: expanded(t).index_fill_(0, t.tensor([0]), 1.0))
    same_warnings(lambda t: expanded(t).__setitem__([0, 1], 1.0))
    same_warnings(lambda t: expanded(t).__setitem__(t.ones(3, 4) > 0, 1.0))
