"""In-place ops and views under autograd: whose gradient goes where, and what torch forbids."""

import pytest

import jtorch
from tests.oracle import both, same, same_error
from tests.snippets import compare


def leaf(module, *values):
    return module.tensor(values or (1.0, 2.0, 3.0, 4.0), requires_grad=True)


def named(node):
    return None if node is None else [type(node).__name__, [named(n) for n, _ in node.next_functions]]


PROGRAMS = {
    "a chain on a result": lambda torch, x, w: x.mul(1).add_(w).mul_(x).exp_(),
    "a view written to": lambda torch, x, w: (y := x * 1, y[1:].mul_(2))[0],
    "a view of a view written to": lambda torch, x, w: (y := x * 1, y.view(2, 2)[0].mul_(w[:2]))[0],
    "the view that was written to": lambda torch, x, w: (y := x * 1)[1:].mul_(w[1:]) * y[:3],
    "a view seen after its base was written to": lambda torch, x, w: (y := x * 1, v := y[:2], y.mul_(w), v * 3)[3],
    "a view seen after another view was written to": lambda torch, x, w: (
        y := x * 1, v := y[:2], y[1:].mul_(w[1:]), v * 3)[3],
    "a constant base takes history": lambda torch, x, w: (b := torch.zeros(4), b[1:3].copy_(x[:2]), b * w)[2],
    "a constant base seen through another view": lambda torch, x, w: (
        b := torch.zeros(4), v := b[:2], b[1:3].copy_(x[:2]), v * 1)[3],
    "a view of a detached tensor": lambda torch, x, w: (
        y := x * 1, d := y.detach(), d[:2].mul_(w[:2]), d * 1)[3],
    "a detached view": lambda torch, x, w: (y := x * 1, d := y[1:].detach(), d[:2].mul_(w[:2]), d * 1)[3],
    "setitem with a number": lambda torch, x, w: (y := x * 1, y.__setitem__(0, 3.0), y * w)[2],
    "setitem with a tensor": lambda torch, x, w: (y := x * 1, y.__setitem__(slice(0, 2), w[2:]), y * w)[2],
    "zero_": lambda torch, x, w: (y := x * 1, y.zero_(), y + w)[2],
    "fill_": lambda torch, x, w: (y := x * 1, y.fill_(2), y * w)[2],
    "fill_ with a tensor": lambda torch, x, w: (y := x * 1, y.fill_(w[1]), y * w)[2],
    "fill_ a constant with a tensor": lambda torch, x, w: (y := torch.ones(4), y.fill_(w[1]), y * x)[2],
    "copy_": lambda torch, x, w: (y := x * 1, y.copy_(w), y * x)[2],
    "copy_ broadcasts": lambda torch, x, w: (y := torch.ones(2, 4), y.copy_(w), y * x)[2],
    "copy_ casts": lambda torch, x, w: (y := torch.ones(4).double(), y.copy_(w), y * x)[2],
    "copy_ of a constant": lambda torch, x, w: (y := x * w, y.copy_(torch.ones(4)), y)[2],
    "copy_ into a view": lambda torch, x, w: (y := x * 1, y[1:].copy_(w[:3]), y)[2],
    "zero_ of a view": lambda torch, x, w: (y := x * 1, y[1:].zero_(), y)[2],
    "transposed": lambda torch, x, w: (y := (x * 1).view(2, 2), y.t()[0].mul_(w[:2]), y)[2],
    "every other": lambda torch, x, w: (y := x * 1, y[::2].mul_(w[::2]), y)[2],
    "in place under no_grad": lambda torch, x, w: (y := x * 1, under_no_grad(torch, y), y * 2)[2],
    "comparison results": lambda torch, x, w: (y := x * 1, y.sign_(), y * w)[2],
    "unsqueeze_": lambda torch, x, w: (y := x * 1, y.unsqueeze_(0), y * w)[2],
}  # fmt: skip


def under_no_grad(torch, y):
    with torch.no_grad():
        y.mul_(5)


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients(name):
    def fn(torch):
        x, w = leaf(torch), leaf(torch, 0.5, 1.5, 2.5, 3.5)
        y = PROGRAMS[name](torch, x, w)
        weights = torch.arange(1.0, y.numel() + 1).view(y.shape).to(y.dtype)
        found = torch.autograd.grad((y * weights).sum(), [x, w], allow_unused=True)
        return y.detach(), found, y.requires_grad, y._version

    same(fn)


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n not in ("comparison results", "unsqueeze_")])
def test_graphs(name):
    def fn(torch):
        x, w = leaf(torch), leaf(torch, 0.5, 1.5, 2.5, 3.5)
        return named(PROGRAMS[name](torch, x, w).grad_fn)

    expected, actual = both(fn)
    assert actual == expected


def test_nodes_after_writing_to_a_view():
    def fn(torch):
        y = leaf(torch) * 1
        v = y[1:]
        w = v[:2]
        before = [named(t.grad_fn) for t in (y, v, w)]
        v.mul_(2)
        return (
            before,
            [named(t.grad_fn) for t in (y, v, w)],
            [t._version for t in (y, v, w)],
            v._base is y,
            w._base is y,
        )

    expected, actual = both(fn)
    assert actual == expected


def no_grad_view(torch, y):
    with torch.no_grad():
        return y[:2]


def inference_view(torch, y):
    with torch.inference_mode():
        return y[:2]


FORBIDDEN = {
    "a leaf": lambda torch, x: x.mul_(2),
    "a view of a leaf": lambda torch, x: x[:2].mul_(2),
    "setitem of a leaf": lambda torch, x: x.__setitem__(0, 1.0),
    "zero_ of a leaf": lambda torch, x: x.zero_(),
    "copy_ into a leaf": lambda torch, x: x.copy_(torch.ones(4)),
    "copy_ into a view of a leaf": lambda torch, x: x[1:].copy_(torch.ones(3)),
    "split": lambda torch, x: (x * 1).split(2)[0].mul_(2),
    "chunk": lambda torch, x: (x * 1).chunk(2)[1].add_(2),
    "unbind": lambda torch, x: (x * 1).unbind()[1].add_(2),
    "a view of what split gave": lambda torch, x: (x * 1).split(2)[0][:1].mul_(2),
    "what split gave, after the base was written to": lambda torch, x: (
        y := x * 1, v := y.split(2)[0], y.mul_(2), v * 2),
    "a view made under no_grad": lambda torch, x: no_grad_view(torch, x * 1).mul_(2),
    "a view of a leaf made under no_grad": lambda torch, x: no_grad_view(torch, x).mul_(2),
    "a view made under no_grad gets a history": lambda torch, x: no_grad_view(torch, torch.ones(4)).mul_(x[:2]),
    "a view made under no_grad, after the base was written to": lambda torch, x: (
        y := x * 1, v := no_grad_view(torch, y), y.mul_(2), v * 2),
    "its grad_fn": lambda torch, x: (y := x * 1, v := no_grad_view(torch, y), y.mul_(2), v.grad_fn),
    "whether it is a leaf": lambda torch, x: (y := x * 1, v := no_grad_view(torch, y), y.mul_(2), v.is_leaf),
    "a view made in inference mode": lambda torch, x: inference_view(torch, x * 1).mul_(2),
    "out=": lambda torch, x: torch.add(x, 1, out=torch.ones(4)),
    "out= a leaf": lambda torch, x: torch.add(torch.ones(4), 1, out=x),
    "a shape": lambda torch, x: (x * 1)[:1].add_(x),
    "a dtype": lambda torch, x: torch.ones(4, dtype=torch.int64).add_(x),
    "numpy": lambda torch, x: (x * 1).numpy(),
}  # fmt: skip


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_forbidden(name):
    same_error(lambda torch: FORBIDDEN[name](torch, leaf(torch)))


def test_what_no_grad_allows():
    def fn(torch):
        x = leaf(torch)
        with torch.no_grad():
            x.mul_(2)
            x[1:].add_(1)
            x.split(2)[0].mul_(3)
            x[0] = 7
            numbers = x[:2].numpy().tolist()
        no_grad_view(torch, torch.ones(4)).mul_(2)
        return x, x._version, numbers, no_grad_view(torch, x), no_grad_view(torch, x * 1).requires_grad

    same(fn)


def test_a_view_made_under_no_grad_gives_no_gradient():
    def fn(torch):
        x = leaf(torch)
        v = no_grad_view(torch, x)
        y = (v * 2).sum()
        y.backward()
        return y.requires_grad, v.grad, x.grad

    same(fn)


def test_a_view_of_a_tensor_that_starts_to_require_grad():
    def fn(torch):
        b = torch.zeros(4)
        v = b[1:3]
        b.requires_grad_()
        y = (v * 2).sum()
        y.backward()
        return v.requires_grad, v.is_leaf, y.requires_grad, v.grad, b.grad

    same(fn)


def test_a_view_that_is_made_a_leaf():
    def fn(torch):
        v = torch.zeros(4)[1:3].requires_grad_()
        (v * 2).sum().backward()
        return v.grad, v.is_leaf

    same(fn)


SAVED = {
    "an operand": lambda torch, x, w: (y := x * 2, z := y * y, y.add_(1), z)[3],
    "a result": lambda torch, x, w: (z := (x * 2).exp(), z.add_(1), z)[2],
    "a result, by a view of it": lambda torch, x, w: (z := (x * 2).exp(), z[0].zero_(), z)[2],
    "through detach": lambda torch, x, w: (y := x * 2, z := y * y, y.detach().add_(1), z)[3],
    "an operand that is a view": lambda torch, x, w: (y := x * 2, z := y[1:] * y[:3], y.add_(1), z)[3],
    "a constant": lambda torch, x, w: (c := torch.ones(4), z := x * c, c.add_(1), z)[3],
    "a leaf": lambda torch, x, w: (z := w * w, under_no_grad(torch, w), z)[2],
    "twice in place": lambda torch, x, w: (y := x * 2, y.exp_(), y.mul_(2), y)[3],
    "a divisor": lambda torch, x, w: (y := x * 2, z := w / y, y.zero_(), z)[3],
    "a number": lambda torch, x, w: (y := x * 2, z := y * y, y.fill_(0), z)[3],
    "a copy": lambda torch, x, w: (y := torch.zeros(4), y.copy_(x), z := y * y, y.add_(1), z)[4],
    "what a view was written to": lambda torch, x, w: (y := x * 1, y.__setitem__(0, 3.0), z := y * y, y.add_(1), z)[4],
    "double": lambda torch, x, w: (y := x.double() * 2, z := y * y, y.add_(1), z)[3],
    "sigmoid": lambda torch, x, w: (y := x * 2, y.sigmoid_(), y.add_(2), y)[3],
    "tanh": lambda torch, x, w: (z := x.tanh(), z.mul_(2), z)[2],
    "sqrt": lambda torch, x, w: (z := x.sqrt(), z.mul_(2), z)[2],
    "reciprocal": lambda torch, x, w: (z := x.reciprocal(), z.mul_(2), z)[2],
    "pow": lambda torch, x, w: (y := x * 2, z := y**3, y.mul_(2), z)[3],
    "sin": lambda torch, x, w: (y := x * 2, z := y.sin(), y.mul_(2), z)[3],
    "log": lambda torch, x, w: (y := x * 2, z := y.log(), y.mul_(2), z)[3],
    "clamp": lambda torch, x, w: (y := x * 2, z := y.clamp(1, 3), y.mul_(2), z)[3],
    "where": lambda torch, x, w: (c := x > 2, z := torch.where(c, x, w), c.logical_not_(), z)[3],
}  # fmt: skip


@pytest.mark.parametrize("name", SAVED)
def test_saved_tensors_that_were_modified(name):
    def fn(torch):
        x, w = leaf(torch), leaf(torch, 0.5, 1.5, 2.5, 3.5)
        SAVED[name](torch, x, w).sum().backward()

    same_error(fn)


UNSAVED = {
    "by a number": lambda torch, x, w: (y := x * 2, z := y * 3, y.add_(1), z)[3],
    "added": lambda torch, x, w: (y := x * 2, z := y + w, y.add_(1), z)[3],
    "a factor whose other side is constant": lambda torch, x, w: (y := x * 2, z := y * torch.ones(4), y.add_(1), z)[3],
    "the operand of exp": lambda torch, x, w: (y := x * 2, z := y.exp(), y.add_(1), z)[3],
    "the operand of tanh": lambda torch, x, w: (y := x * 2, z := y.tanh(), y.add_(1), z)[3],
    "the operand of sigmoid": lambda torch, x, w: (y := x * 2, z := y.sigmoid(), y.add_(1), z)[3],
    "the operand of sqrt": lambda torch, x, w: (y := x * 2, z := y.sqrt(), y.add_(1), z)[3],
    "the result of a product": lambda torch, x, w: (z := x * w, z.add_(1), z)[2],
    "the result of a sum": lambda torch, x, w: (z := x.sum(), z.mul_(2), z)[2],
    "the result of log": lambda torch, x, w: (z := x.log(), z.mul_(2), z)[2],
    "the result of a division": lambda torch, x, w: (z := x / w, z.mul_(2), z)[2],
    "summed": lambda torch, x, w: (y := x * 2, z := y.sum(), y.mul_(2), z)[3],
    "viewed": lambda torch, x, w: (y := x * 2, z := y.view(2, 2).t() + 1, y.mul_(2), z)[3],
    "in place by itself": lambda torch, x, w: (y := x * 2, y.mul_(w), y * 1)[2],
    "written through data": lambda torch, x, w: (y := x * 2, z := y + y, y.data.add_(1), z)[3],
    "cat": lambda torch, x, w: (y := x * 2, z := torch.cat([y, w]), y.mul_(2), z)[3],
    "expanded": lambda torch, x, w: (y := x * 2, z := y.expand(2, 4) + 1, y.mul_(2), z)[3],
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAVED)
def test_no_false_alarm(name):
    def fn(torch):
        x, w = leaf(torch), leaf(torch, 0.5, 1.5, 2.5, 3.5)
        return torch.autograd.grad(UNSAVED[name](torch, x, w).sum(), [x, w], allow_unused=True)

    same(fn)


def test_a_gradient_is_taken_of_what_was_saved():
    x = leaf(jtorch)
    y = x * 2
    z = y * y
    y.data.zero_()
    z.sum().backward()
    assert x.grad.tolist() == [8, 16, 24, 32]


def test_the_hint_changes_in_anomaly_mode():
    def fn(torch):
        y = leaf(torch) * 2
        z = y * y
        y.add_(1)
        with torch.autograd.set_detect_anomaly(True):
            z.sum().backward()

    with pytest.warns(UserWarning, match="Error detected in MulBackward0"):
        same_error(fn)


def test_aliases():
    def fn(torch):
        x = leaf(torch)
        y = x * 1
        d, data = y.detach(), y.data
        d[0] = 10
        data[1] = 20
        x.data[2] = 30
        x.data = torch.ones(2, dtype=torch.float64)
        return y, d, data, x, x.dtype, d.requires_grad, d.grad_fn, d._version, y._version

    same(fn)


def test_writes_between_views_that_save_nothing():
    """torch's views and CopySlices keep no values, so nothing that is written later is in their way."""
    compare("""
        q = x[:3, :3] * 1; u = q.diagonal(); v = q[2:]; u.sub_(u.clone()); v.sub_(1); q.sum().backward(); x.grad
        q = x[:3, :3] * 1; u = q.diagonal(1); q.mul_(2); u.mul_(w[0, :2]); q.sum().backward(); (x.grad, w.grad)
        q = x * 1; q.diagonal().zero_(); q.diagonal().add_(1); q.sum().backward(); x.grad
    """)


def test_writes_through_a_view_of_repeated_elements():
    """What a view of a view writes counts even where it is what stood there before."""
    compare("""
        q = x * 1; q.unsqueeze(0).expand(2, 3, 4)[1].mul_(w / w.detach()); q.sum().backward(); (q, x.grad, w.grad)
        q = x * 1; q.unsqueeze(0).expand(2, 3, 4)[0].fill_(1); q.sum().backward(); (q, x.grad)
        q = x.view(-1) * 1; q.unfold(0, 4, 2)[1].mul_(w[0] / w[0].detach()); q.sum().backward(); (q, x.grad, w.grad)
        q = x * 1; q.as_strided((3, 4), (2, 1))[2].mul_(w[0]); q.sum().backward(); (q, x.grad, w.grad)
    """)


def test_hooks_on_a_view_that_is_written_to():
    def fn(torch):
        seen = []
        x = torch.ones(3, requires_grad=True)
        for used in (False, True):
            base = x * 1
            view = base[:2]
            view.register_hook(seen.append)
            view.grad_fn.register_hook(lambda grads, _: seen.append(grads[0]))
            other = view * 2 if used else view.detach()
            view.mul_(3)
            (base.sum() + other.sum()).backward()
            seen.append(x.grad.clone())
        return seen

    same(fn)


@pytest.mark.parametrize("index", [0, slice(0, 1), (0, 1), slice(None), ..., None, True, (0, slice(0, 1))], ids=str)
@pytest.mark.parametrize("kind", ["of a result", "of a leaf", "of a view", "of several"])
def test_writes_to_items_of_forbidden_views(kind, index):
    def fn(torch):
        x = torch.ones(3, 3, requires_grad=True)
        base = x if kind == "of a leaf" else x * 1
        with torch.no_grad():
            view = base.view(3, 3)
        if kind == "of a view":
            view = view[0:2]
        if kind == "of several":
            view = base.split(2)[0]
        view[index] = torch.tensor(2.0)

    same_error(fn)


OUTS = """
    mm(x, x)  bmm(x[None], x[None])  addmm(x, x, x)  dot(x[0], x[0])  mv(x, x[0])  inner(x, x)  tensordot(x, x, 2)
    matmul(x, x)  ceil(x)  neg(x)  round(x)  sgn(x + 1j)  softmax(x, 0)  softmax(x, 0, dtype=d)  tril(x)  isposinf(x)
    argmax(x)  amax(x, 0)  take(x, i)  gather(x, 0, i[None])  index_select(x, 0, i)  nan_to_num(x)  linalg.inv(x)
    linalg.norm(x)  linalg.multi_dot([x, x])  linalg.matrix_power(x, 3)  norm(x)  where(x > 0, x, x)  nonzero(x)
    masked_select(x, x > 0)  complex(x, x)  nanquantile(x, 0.5)  isin(x, x)  cross(x, x, dim=0)  linalg.eigvals(x)
    linalg.pinv(x)
"""


def test_out_of_another_dtype():
    def told(torch):
        x, i, d = torch.eye(3) + 1, torch.tensor([1]), torch.float64
        wide = {x.dtype: d, torch.complex64: torch.complex128}
        found = []
        for call in filter(None, map(str.strip, OUTS.split("  "))):
            made = eval(f"torch.{call}", {"torch": torch, "x": x, "i": i, "d": d})
            out = torch.empty(made.shape, dtype=wide.get(made.dtype, torch.float32))
            try:
                eval(f"torch.{call[:-1]}, out=out)", {"torch": torch, "x": x, "i": i, "d": d, "out": out})
                found.append((call, "cast"))
            except RuntimeError as error:
                found.append((call, str(error)))
        return found

    same(told)
