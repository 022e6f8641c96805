"""Storages, sizes and strides of one's own choice, and in-place changes of what a tensor shows, beside torch."""

import torch

import jtorch
from tests.snippets import compare


def test_resize():
    compare("""
        b.clone().resize_(2, 2)
        b.clone().resize_((2, 2))
        q = b.clone(); q.resize_(2, 2); q.resize_(3, 4); q
        q = b.clone(); v = q[1:]; q.resize_(2, 2); q.fill_(7); (v, q._version)
        q = b[1:].resize_(4); (q, q._base is b)
        b.clone().resize_(3, 4)._version
        b.clone().resize_(5, 4)[:3]
        torch.zeros(0).resize_(3).shape
        y.detach().requires_grad_().resize_(2)
        b.clone().resize_(-1)
        b.clone().resize_()
        b.t().resize_(4, 3)
        b.clone().resize_as_(torch.zeros(6))
        b.clone().resize_(1, 2, 2, 3, memory_format=torch.channels_last)
    """)


def test_set():
    compare("""
        b.clone().set_(b[1:])
        b.clone().set_(b.untyped_storage())
        b.clone().set_(b.untyped_storage(), 2, (2, 2), (1, 3))
        b.clone().set_(b.untyped_storage(), 2, (2, 2))
        b.clone().set_()
        b.clone().set_(b.int())
        x.set_(b)
        q = b.clone(); q.set_(b); q.add_(1); (q, b, q._version, b._version)
        q = b.clone(); v = q[0]; q.set_(b); q.add_(1); (q, b, v)
        q = torch.zeros(2); q.set_(b.untyped_storage(), 1, (2,), (4,)); q.mul_(10); (q, b)
        (b.is_set_to(b[:]), b.is_set_to(b[0]), b.is_set_to(b.clone()), b.is_set_to(b.t()))
    """)


def test_strides_of_choice():
    compare("""
        torch.empty_strided((2, 3), (1, 2)).zero_()
        torch.empty_strided((2, 3), (1, 2, 3))
        torch.empty_strided((2, 3), (1, -2))
        torch.empty_strided((2, 3), (7, 2)).zero_()
        torch.empty_strided((2, 3), (7, 2)).untyped_storage().nbytes()
        q = torch.empty_strided((2, 3), (1, 2)).copy_(b[:2, :3]); (q, q.t(), q.reshape(-1))
        q = torch.empty_strided((2, 3), (1, 2)).copy_(b[:2, :3]); (q + 1, q.clone(), q.contiguous())
        q = torch.empty_strided((2, 3), (1, 2)).copy_(b[:2, :3]); q.as_strided((6,), (1,))
        q = torch.empty_strided((2, 3), (1, 2)).copy_(b[:2, :3]); q.view(-1)
        q = torch.empty_strided((2, 3), (1, 2)).copy_(b[:2, :3]); q.t().view(-1)[1] = 50; (q, q.numpy())
        q = torch.empty_strided((2, 3), (1, 2)); q.numpy().strides
        q = torch.empty_strided((2, 3), (1, 2)).copy_(b[:2, :3]); n = q.numpy(); n[0, 1] = 77; q
        q = torch.empty_strided((2, 3), (1, 2)).copy_(b[:2, :3]); n = q.numpy(); q[0, 1] = 77; n
        q = torch.empty_strided((2, 3), (7, 2)).copy_(b[:2, :3]); (q, q * 2)
        torch.empty_permuted((2, 3, 4), (0, 2, 1)).zero_()
        torch.empty_permuted((2, 3, 4), (0, 2))
        torch.empty_permuted((2, 3, 4), (0, 2, 2))
        b.new_empty_strided((2, 3), (1, 2)).zero_()
        d = b[1:].detach(); d.as_strided((2,), (1,), 0)
        d = b[1:].detach(); d[0].as_strided((2,), (1,))
    """)


def test_views_in_place():
    compare("""
        q = b.clone(); q.unsqueeze_(0); (q, q._base, q._is_view(), q._version)
        y.unsqueeze_(0); (y, y._base, graph(y.grad_fn))
        [graph(y.clone().squeeze_(*dims).grad_fn) for dims in ((), (0,), ((0, 1),))]
        [graph(q.grad_fn) for q in (y.clone().t_(), y.clone().transpose_(0, 1), y.clone().swapaxes_(0, 1))]
        y.as_strided_((2, 2), (1, 2)); (y, graph(y.grad_fn))
        torch.as_strided_(b, (2, 2), (1, 2))
        y.t_(); y.mul_(w.t()); y[0] = 5; (y * y).sum().backward(); (y, x.grad, w.grad)
        q = b[1:]; q.unsqueeze_(0); q.mul_(2); (q, b, q._base is b)
        d = b[1:].detach(); d.unsqueeze_(0); d.mul_(2); (d, b, d._base)
        q = b.clone(); v = q[0]; q.t_(); v.mul_(2); (q, v)
        q = b.clone(); q.t_(); v = q[0]; v.mul_(2); (q, v)
        q = b.clone(); q.t_(); q[0] = w[:, 0]; (q, graph(q.grad_fn))
        q = b.clone(); q.t_(); v = q[0]; v.mul_(w[:, 0]); (q, v, graph(q.grad_fn), graph(v.grad_fn))
        y.detach_(); (y, y.grad_fn)
        torch.detach(y)
        torch.detach_(y[0])
    """)


def test_scattered_forms():
    compare("""
        b.clone().fill_diagonal_(7)
        torch.zeros(7, 3).fill_diagonal_(7, wrap=True)
        torch.zeros(7, 3).fill_diagonal_(7)
        torch.zeros(3).fill_diagonal_(1)
        torch.zeros(2, 3, 3).fill_diagonal_(1)
        torch.zeros(3, 3, 3).fill_diagonal_(1)
        y.fill_diagonal_(3); (y * w).sum().backward(); (x.grad, graph(y.grad_fn))
        (b.sum_to_size(1, 4), b.sum_to_size(4), b.sum_to_size(3, 1), b.sum_to_size((1, 1)), c.sum_to_size(3, 1))
        b.sum_to_size(5)
        b.sum_to_size(1, 1, 1)
        b.sum_to_size(3, 4) is b
        y.sum_to_size(1, 4)
        (b.is_same_size(b.t()), torch.is_same_size(b, c[0]))
        q = torch.diagonal_scatter(x, w.diagonal(1), 1); (q * w).sum().backward(); (q, x.grad, w.grad)
        torch.diagonal_scatter(b, torch.ones(2))
        q = torch.as_strided_scatter(x, w[:2, :2], (2, 2), (1, 2)); (q * w).sum().backward(); (q, x.grad, w.grad)
        torch.as_strided_scatter(b, torch.ones(3), (2, 2), (1, 2))
        (torch.fill(y, 3), torch.fill(b, torch.tensor(3.0)))
        (torch.fill_(b, torch.tensor(3.0)), torch.zero_(c))
    """)


def test_storages():
    compare("""
        s = b.untyped_storage(); (s.nbytes(), s.size(), len(s), s.data_ptr() == b.data_ptr())
        s = b.untyped_storage(); s is b[1:].untyped_storage()
        s = b.untyped_storage(); (s == b.clone().untyped_storage(), s == b.t().untyped_storage(), str(s.device))
        s = b.untyped_storage(); (s[4], s[2:6].tolist(), s.tolist(), s.element_size(), s.is_shared(), s.is_cuda)
        (torch.is_storage(b.untyped_storage()), torch.is_storage(b), repr(b[0].clone().untyped_storage()))
        (b.t().untyped_storage().tolist(), b.t().contiguous().untyped_storage().tolist())
        (b.expand(2, 3, 4).untyped_storage().nbytes(), i.untyped_storage().nbytes(), z.untyped_storage().nbytes())
        s = b._typed_storage(); (s.nbytes(), s.size(), len(s), s.data_ptr() == b.data_ptr(), str(s.dtype))
        s = b._typed_storage(); (s.tolist(), s[3], s.element_size(), repr(s), list(s), s.untyped().nbytes())
    """)


def test_writes_through_one_alias_are_seen_in_the_storage():
    for module in (torch, jtorch):
        x = module.zeros(2, dtype=module.uint8)
        memory = x.untyped_storage()
        x[1] = 7
        assert memory.tolist() == [0, 7]
