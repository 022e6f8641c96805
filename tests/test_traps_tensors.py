"""Traps of aliasing, views, in-place writes and autograd.

Each is a habit of real code that a naive facade gets wrong; the result is compared as text.
"""

import warnings

import numpy as np
import pytest

from tests.oracle import same


def err(f):
    try:
        f()
        return "none"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def writes_through_a_chain_of_indices(torch):
    a = torch.zeros(3, 1, 5)
    a[1][0][2] = 1
    c = torch.zeros(2, 2)
    li, gi = 0, 1
    c[li][gi] += 1
    c[li][gi] += 1
    z = torch.zeros(2, 2)
    b = z
    z[0][1] = 561
    return a, c, b


def writes_into_views_with_steps(torch):
    m = torch.ones(2, 4)
    m.view(-1)[::2] = 0
    pe = torch.zeros(3, 4)
    p = torch.arange(3.0).unsqueeze(1)
    pe[:, 0::2] = torch.sin(p * torch.ones(2))
    pe[:, 1::2] = torch.cos(p * torch.ones(2))
    x = torch.ones(2, 5)
    x[:, :2] *= 0.0
    z = torch.zeros(2, 2)
    z[:, 0] = 10
    z[:, 1] = 100
    return m, pe, x, z


def writes_under_masks_and_index_lists(torch):
    g = torch.tensor([1.0, -2.0, 3.0])
    g[g < 0] = 0
    l = torch.tensor([[1.0, 5.0, 3.0]])
    v = torch.topk(l, 2)[0]
    l[l < v[:, [-1]]] = -float("Inf")
    d = torch.tensor([1.0, float("inf")])
    d[d == float("inf")] = 0
    x = torch.zeros(3, 4)
    y = torch.tensor([1, 2, 0])
    x[range(3), y] = g.max()
    return g, l, d, x


def memory_shared_with_numpy(torch):
    a = torch.ones(3)
    b = a.numpy()
    a.add_(1)
    n = np.ones(3)
    m = torch.from_numpy(n)
    np.add(n, 1, out=n)
    return b, m


def identity_of_what_is_written_in_place(torch):
    w = torch.ones(2, requires_grad=True)
    (w * w).sum().backward()
    i = id(w)
    with torch.no_grad():
        w -= w.grad * 0.1
    o = torch.empty(2, 2)
    r = torch.matmul(torch.ones(2, 2), torch.ones(2, 2), out=o)
    s = torch.add(o, 1, out=o)
    u = torch.ones(3)
    u.unsqueeze_(0)
    return id(w) == i, w.is_leaf, w, r is o, s is o, o, u.shape


def data_shares_memory(torch):
    l = torch.nn.Linear(2, 2)
    torch.nn.init.ones_(l.weight.data)
    opt = torch.optim.SGD(l.parameters(), lr=0.1)
    l(torch.ones(1, 2)).sum().backward()
    seen = opt.param_groups[0]["params"][0]
    l.weight.data.add_(l.weight.grad, alpha=-0.5)
    q = l.bias.data
    q[:] = 3
    l.bias.data.copy_(torch.tensor([5.0, 6.0]))
    d = l.weight.data
    return seen, l.bias, q, d.requires_grad


def errors_that_lessons_quote(torch):
    w = torch.ones(2, requires_grad=True)
    y = (w * w).sum()
    y.backward()

    def saved():
        a = torch.ones(2, requires_grad=True) * 1
        b = a.exp()
        b.add_(1)
        b.sum().backward()

    return [
        err(lambda: w.add_(1)),
        err(lambda: w.numpy()),
        err(lambda: bool(torch.ones(2) > 0)),
        err(lambda: y.backward()),
        err(saved),
    ]


def view_needs_contiguity(torch):
    x = torch.ones(2, 3).transpose(0, 1)
    return err(lambda: x.view(6)), x.contiguous().view(6), x.stride(), x.is_contiguous(), x[1].storage_offset()


def gradients_accumulate(torch):
    w = torch.ones(2, requires_grad=True)
    (w * 2).sum().backward()
    (w * 2).sum().backward()
    a = w.grad.clone()
    w.grad.zero_()
    b = w.grad.clone()
    l = torch.nn.Linear(1, 1)
    l(torch.ones(1, 1)).sum().backward()
    l.zero_grad()
    c = l.weight.grad
    l(torch.ones(1, 1)).sum().backward()
    l.zero_grad(set_to_none=False)
    return a, b, c, l.weight.grad


def gradients_with_arguments(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    while y.data.norm() < 1000:
        y = y * 2
    y.backward(torch.tensor([0.1, 1.0]))
    g = x.grad.clone()
    z = (x**3).sum()
    (g1,) = torch.autograd.grad(z, x, create_graph=True)
    (g2,) = torch.autograd.grad(g1.sum(), x)
    j = torch.autograd.functional.jacobian(lambda v: v**2, torch.ones(2))
    h = torch.autograd.functional.vjp(lambda v: v * 2, torch.ones(2), torch.ones(2))
    return g, g1.detach(), g2, j, h


def graphs_are_walked(torch):
    l = torch.nn.Linear(2, 1)
    loss = torch.nn.functional.mse_loss(l(torch.ones(3, 2)), torch.zeros(3, 1))
    g = loss.grad_fn
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    p = x.pow(2)
    return (
        type(g).__name__,
        type(g.next_functions[0][0]).__name__,
        [type(f[0]).__name__ for f in g.next_functions[0][0].next_functions],
        p.grad_fn._saved_self is x,
        y.grad_fn._saved_result is y,
        repr(x[0] * -1),
    )


def leaves_and_retained_gradients(torch):
    a = torch.ones(2, requires_grad=True)
    b = a * 2
    b.retain_grad()
    b.sum().backward()
    a.requires_grad = False
    d = torch.ones(2)
    d.requires_grad = True
    (d * 3).sum().backward()
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        n = (d * 2).grad
    return b.grad, a.is_leaf, b.is_leaf, d.grad.data.sign(), n, len(w), str(w[0].message)[:60]


TRAPS = (
    writes_through_a_chain_of_indices,
    writes_into_views_with_steps,
    writes_under_masks_and_index_lists,
    memory_shared_with_numpy,
    identity_of_what_is_written_in_place,
    data_shares_memory,
    errors_that_lessons_quote,
    view_needs_contiguity,
    gradients_accumulate,
    gradients_with_arguments,
    graphs_are_walked,
    leaves_and_retained_gradients,
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.__name__)
def test_traps(trap):
    def run(torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return shown(trap(torch))

    same(run)


def shown(value):
    """The text of a result, item by item."""
    return [shown(item) for item in value] if type(value) in (tuple, list) else repr(value).replace("jtorch", "torch")
