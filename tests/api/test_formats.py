"""Memory formats beside torch: which strides a copy gets, what counts as contiguous."""

import itertools

import torch

import jtorch
from tests.snippets import compare, run

LAYOUTS = [
    "c.reshape(1, 2, 3, 4)", "c.reshape(1, 2, 3, 4).permute(0, 3, 1, 2)", "torch.zeros(2, 3, 4, 5)[:, :, ::2]",
    "torch.zeros(2, 1, 4, 5)", "torch.zeros(2, 3, 1, 1)", "torch.zeros(0, 3, 4, 4)", "b", "torch.zeros(2, 3, 4, 5, 6)",
    "torch.zeros(4)", "torch.tensor(1.0)",
]  # fmt: skip
FORMATS = ["channels_last", "contiguous_format", "preserve_format", "channels_last_3d"]


CALLS = [
    "q.is_contiguous", "q.contiguous", "q.clone", "q.to", "q.float", "q.double", "q.cpu", "torch.zeros_like",
    "torch.empty_like", "torch.clone", "torch.empty",
]  # fmt: skip


def facts(module):
    """What every call makes of every layout and format: strides, or the error. Nothing has to run for that."""
    found = {}
    for layout, name, call in itertools.product(LAYOUTS, FORMATS, CALLS):
        q = run(layout, module)
        args = () if call.startswith("q.") else (q.shape if call == "torch.empty" else q,)
        try:
            r = eval(call, {"torch": module, "q": q})(*args, memory_format=getattr(module, name))
            found[layout, name, call] = r if isinstance(r, bool) else (r.stride(), r is q, r.is_contiguous())
        except RuntimeError as error:
            found[layout, name, call] = str(error)
    return found


def test_formats():
    expected, actual = facts(torch), facts(jtorch)
    assert {key: (value, actual[key]) for key, value in expected.items() if value != actual[key]} == {}


def test_what_channels_last_memory_does():
    start = "q = c.reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)"
    compare(f"""
        r = y.reshape(1, 3, 2, 2).to(memory_format=torch.channels_last); (r, graph(r.grad_fn))
        r = y.reshape(1, 3, 2, 2).contiguous(memory_format=torch.channels_last); (r * r).sum().backward(); (r, x.grad)
        r = y.reshape(1, 3, 2, 2).to(memory_format=torch.channels_last); r[0, 1].mul_(2); r.sum().backward(); x.grad
        {start}; v = q[:, 0]; v.mul_(2); (q, v)
        {start}; q.view(-1)
        {start}; v = q.permute(0, 2, 3, 1).reshape(-1); v[0] = 99; (q, v)
        {start}; q.as_strided((4,), (1,))
        {start}; import copy; d = copy.deepcopy(q); d.mul_(2); (d, q)
        {start}; (q.untyped_storage().tolist(), q.numpy())
        {start}; q.add_(1); q.data.mul_(2); q.detach().sub_(1); torch.add(q, 1, out=q); (q, q._version)
        {start}; (q.unbind(1)[1], q.split(1, 1)[1], q.chunk(2, 2)[0], q.flatten(), q.flatten(2))
        {start}; (q.unsqueeze(0), q.squeeze(0), q.permute(3, 2, 1, 0))
        {start}; (q.expand(2, 2, 3, 4), q[..., 1:], q[0, 1], q.movedim(1, -1), q.diagonal(0, 2, 3), q.unfold(2, 2, 1))
        (b.dim_order(), b.t().dim_order(), c.permute(2, 0, 1).dim_order())
    """)
