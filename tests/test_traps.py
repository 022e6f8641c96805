"""Traps of modules, hooks, numbers and the Python side.

Each is a habit of real code that a naive facade gets wrong; the result is compared as text.
"""

import inspect
import math
import warnings
from collections import OrderedDict

import numpy as np
import pytest

from tests.oracle import same


def err(f):
    try:
        f()
        return "none"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def freezing(torch):
    m = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    for p in m.parameters():
        p.requires_grad = False
    m[1] = torch.nn.Linear(2, 1)
    torch.nn.init.ones_(m[1].weight)
    o = torch.optim.SGD(m.parameters(), lr=0.1)
    m(torch.ones(1, 2)).sum().backward()
    b = m[0].weight.clone()
    o.step()
    return bool((m[0].weight == b).all()), m[0].weight.grad, m[1].bias.grad


def two_backwards_with_detach(torch):
    torch.manual_seed(0)
    D, G = torch.nn.Linear(2, 1), torch.nn.Linear(2, 2)
    z = torch.ones(1, 2)
    f = G(z)
    D(torch.ones(1, 2)).sum().backward()
    D(f.detach()).sum().backward()
    a = G.weight.grad
    D.zero_grad()
    D(f).sum().backward()
    return a, G.weight.grad is not None, D.weight.grad


def functions_of_numpy(torch):
    class R(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.k = 2
            return torch.from_numpy(np.maximum(x.detach().numpy(), 0))

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            g = g.clone()
            g[x < 0] = 0
            return g * ctx.k / 2

    f = R.apply
    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    y = f(x)
    y.sum().backward()
    return y, x.grad, type(y.grad_fn).__name__


def hooks(torch):
    seen = []
    l = torch.nn.Linear(2, 1)
    h = l.register_forward_hook(lambda m, i, o: seen.append(tuple(o.shape)))
    x = torch.ones(2, requires_grad=True)
    x.register_hook(lambda g: g * 2)
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.clone()))
    (x * 3).sum().backward()
    l(torch.ones(1, 2))
    h.remove()
    l(torch.ones(1, 2))
    return seen, x.grad, len(l._forward_pre_hooks)


def grad_mode(torch):
    @torch.no_grad()
    def f(x):
        return x * 2

    x = torch.ones(1, requires_grad=True)
    out = [f(x).requires_grad]
    with torch.set_grad_enabled("train" == "val"):
        out.append((x * 2).requires_grad)
        with torch.enable_grad():
            out.append((x * 2).requires_grad)
    with torch.no_grad():
        with torch.no_grad():
            pass
        out.append((x * 2).requires_grad)
    return out, (x * 2).requires_grad


def reads_in_mid_step(torch):
    w = torch.ones(1, requires_grad=True)
    out = []
    for _ in range(5):
        loss = ((w - 3) ** 2).sum()
        loss.backward()
        out.append(round(loss.item(), 4))
        out.append(f"{w.item():.3f} {w.grad.item():.3f}")
        with torch.no_grad():
            w -= 0.1 * w.grad
            w.grad = None
        if loss < 1.5:
            break
    _, p = torch.max(torch.tensor([[1.0, 3.0]]), 1)
    return out, p


def exact_powers(torch):
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    b = torch.tensor([6.0, 4.0], requires_grad=True)
    Q = 3 * a**3 - b**2
    Q.backward(gradient=torch.ones(2))
    return repr(9 * a**2 == a.grad), repr(-2 * b == b.grad)


def python_sums(torch):
    loss = 0
    for _ in range(3):
        loss += torch.tensor(1.5)
    rc = 0
    rc += torch.sum(torch.tensor([1, 0, 1]) == torch.tensor([1, 1, 1]))
    return loss, sum([torch.ones(1), torch.ones(1)]), loss / 3, rc, rc.double() / 7


def dtypes(torch):
    return (
        torch.tensor([1, 2, 3]).dtype,
        repr(torch.from_numpy(np.ones(2))),
        torch.ones(2) + torch.tensor(1.0, dtype=torch.float64),
        torch.tensor(3) / torch.tensor(2),
        torch.ones(2) ** torch.tensor(2),
        torch.tensor([1], dtype=torch.int16) + 1.5,
        torch.ones(2) * np.float64(2),
        torch.tensor(np.array([1, 2], np.uint16).astype(np.int64)),
    )


def sums_of_bools_and_old_constructors(torch):
    return (
        (torch.ones(3) > 0).sum(),
        ((torch.ones(3) == 1).float().mean()),
        err(lambda: torch.tensor([1, 2]).mean()),
        torch.where(torch.tensor([0.2, 0.7]) > 0.5, 1, 0),
        torch.FloatTensor(np.array([1, 2], np.int32)),
        torch.Tensor(2, 3).shape,
        torch.LongTensor(2, 1).shape,
        torch.tensor([1, 2], dtype=torch.uint8)[0],
    )


def seeds(torch):
    torch.manual_seed(3)
    a = torch.rand(2)
    torch.manual_seed(3)
    b = torch.rand(2)
    g = torch.Generator().manual_seed(1337)
    p = torch.randperm(5, generator=g)
    torch.manual_seed(0)
    l = torch.nn.Linear(2, 2)
    return bool((a == b).all()), a, p, l.weight, l.bias


def init_and_multinomial(torch):
    torch.manual_seed(1)
    w = torch.empty(2, 2)
    r = torch.nn.init.xavier_uniform_(w)
    return r is w, w, torch.multinomial(torch.tensor([0.1, 0.9]), 3, replacement=True)


def halves(torch):
    return torch.ones(2, dtype=torch.bfloat16) + 1, torch.ones(2).half().sum()


def modules_register(torch):
    class M(torch.nn.Module):
        def __init__(s):
            super().__init__()
            s.b = torch.nn.Linear(1, 1)
            s.a = torch.nn.Linear(1, 1)
            s.l = [torch.nn.Linear(1, 1)]

    m = M()
    m.b = torch.nn.Linear(1, 2)
    s = torch.nn.Sequential(*list(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(1, 1)).children())[:-1])
    return list(m.state_dict()), list(m._modules), len(s)


def train_of_another_signature(torch):
    class N(torch.nn.Module):
        def __init__(s):
            super().__init__()
            s.l = torch.nn.Linear(2, 1)

        def forward(s, x):
            return s.l(x)

        def train(s, a, b):
            return a + b

    n = N()
    return n.train(1, 2), n(torch.ones(1, 2)).shape, len(n.state_dict())


def truth_and_hash_of_modules(torch):
    l = torch.nn.ReLU()
    d = {l: 1}
    return (
        any(l.children()) is False,
        d[l],
        l.__class__.__name__.find("ReLU"),
        "fused" in inspect.signature(torch.optim.AdamW).parameters,
        hasattr(torch.nn.functional, "scaled_dot_product_attention"),
    )


def tied_weights(torch):
    class M(torch.nn.Module):
        def __init__(s):
            super().__init__()
            s.e = torch.nn.Linear(3, 2, bias=False)
            s.h = torch.nn.Linear(3, 2, bias=False)
            s.h.weight = s.e.weight

    m = M()
    return (
        len(list(m.parameters())),
        list(m.state_dict()),
        [n for n, _ in m.named_parameters()],
        m.h.weight is m.e.weight,
    )


def buffers(torch):
    b = torch.nn.BatchNorm1d(2)
    torch.manual_seed(0)
    x = torch.randn(4, 2)
    b(x)
    b.eval()
    y = b(x)
    m = torch.nn.Module()
    m.register_buffer("pe", torch.tril(torch.ones(2, 2)))
    return list(b.state_dict()), b.running_var, b.num_batches_tracked, y, list(m.state_dict())


def tensors_as_indices(torch):
    c = ["a", "b", "c"]
    l = torch.tensor([2, 0])
    x = torch.arange(6.0).view(2, 3)
    pr = torch.tensor(1)
    k = np.int64(1)
    return (
        c[l[0]],
        [c[v] for v in l],
        (c[0], c[1])[l[1]],
        ("ok" if l[0] == 2 else "no"),
        torch.nn.functional.softmax(x[0], 0)[k],
        x[range(2), l],
        x[torch.randperm(2, generator=torch.Generator().manual_seed(0))][:1].shape,
        c[pr],
    )


def numpy_protocol(torch):
    x = torch.arange(6.0).view(1, 2, 3)
    return (
        np.transpose(x, (1, 2, 0)),
        err(lambda: x.transpose((1, 2, 0)))[:9],
        np.array(x, dtype=None, copy=None),
        np.squeeze(x.numpy()),
        type(np.transpose(x, (1, 2, 0))).__name__,
    )


def formats_and_sizes(torch):
    w = torch.tensor(1.2345, requires_grad=True)
    s = torch.zeros(6, 1, 5, 5)
    return (
        f"{w:+.2f}",
        f"{w:.3f}",
        format(torch.tensor(3).item(), "d"),
        float(w),
        int(s.nelement() / s.shape[0]),
        math.sqrt(torch.tensor(4.0)),
        list(s.size()[1:]),
        repr(s.shape),
        (lambda a, b, c, d: a)(*s.shape),
    )


def printed_text(torch):
    return (
        repr(type(torch.ones(1))),
        repr(torch.nn.Linear(2, 3)),
        str(torch.device("cpu")),
        repr(torch.nn.Parameter(torch.ones(1))),
        repr(torch.arange(2000.0)),
        repr(torch.ones(2, requires_grad=True) * 2),
        repr(torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)),
        repr(OrderedDict(a=torch.ones(1))),
        repr(torch.tensor([1e-5, 1e5])),
        repr(torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(inplace=True))),
    )


def named_tuples(torch):
    x = torch.tensor([[1.0, 3.0], [4.0, 2.0]])
    v, i = torch.max(x, 1)
    t = x.topk(1)
    s = x.sort(descending=True)
    return v, i, x.max(1).indices, t.values, s.indices, repr(x.max(1))


def devices_and_settings(torch):
    d = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.deterministic = True
    a = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    torch.set_default_device("cpu")
    g = torch.Generator(device=torch.get_default_device())
    torch.set_default_device(None)
    r = (d.type, a, g.device.type, torch.backends.cuda.matmul.allow_tf32, torch.ones(1).to(d, non_blocking=True).device)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = False
    return r


TRAPS = (
    freezing,
    two_backwards_with_detach,
    functions_of_numpy,
    hooks,
    grad_mode,
    reads_in_mid_step,
    exact_powers,
    python_sums,
    dtypes,
    sums_of_bools_and_old_constructors,
    seeds,
    init_and_multinomial,
    halves,
    modules_register,
    train_of_another_signature,
    truth_and_hash_of_modules,
    tied_weights,
    buffers,
    tensors_as_indices,
    numpy_protocol,
    formats_and_sizes,
    printed_text,
    named_tuples,
    devices_and_settings,
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
