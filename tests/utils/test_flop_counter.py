"""FlopCounterMode: counts by module and operator, and the table, as torch's."""

import importlib
import importlib.machinery
import sys
import types

import pytest

from tests.oracle import same, same_error, same_warnings

importlib.import_module("torch.utils.flop_counter")  # torch does not import it by itself


def leaf(torch, *shape):
    return torch.zeros(shape, requires_grad=True)


def functional(torch):
    return torch.nn.functional


# What is called with tensors of the shapes after it, all of which require a gradient.
CALLS = {
    "mm": (lambda t, a, b: a @ b, (3, 4), (4, 5)),
    "vector": (lambda t, a, b: a @ b, (4,), (4, 3)),
    "matrix_vector": (lambda t, a, b: a @ b, (3, 4), (4,)),
    "dot": (lambda t, a, b: a @ b, (4,), (4,)),
    "bmm": (lambda t, a, b: t.bmm(a, b), (2, 3, 4), (2, 4, 5)),
    "batch_matrix": (lambda t, a, b: a @ b, (2, 3, 4), (4, 5)),
    "matrix_batch": (lambda t, a, b: a @ b, (3, 4), (2, 4, 5)),
    "batches": (lambda t, a, b: a @ b, (6, 3, 4), (2, 6, 4, 5)),
    "batch_vector": (lambda t, a, b: a @ b, (2, 3, 4), (4,)),
    "addmm": (lambda t, c, a, b: t.addmm(c, a, b, beta=2), (5,), (3, 4), (4, 5)),
    "baddbmm": (lambda t, c, a, b: t.baddbmm(c, a, b), (2, 3, 5), (2, 3, 4), (2, 4, 5)),
    "addbmm": (lambda t, c, a, b: t.addbmm(c, a, b), (3, 5), (2, 3, 4), (2, 4, 5)),
    "linear": (lambda t, x, w, b: functional(t).linear(x, w, b), (2, 3, 4), (5, 4), (5,)),
    "linear_plain": (lambda t, x, w: functional(t).linear(x, w), (4,), (5, 4)),
    "linear_first": (lambda t, x, w: functional(t).linear(x.detach(), w), (3, 4), (5, 4)),
    "conv1d": (lambda t, x, w: functional(t).conv1d(x, w), (2, 3, 8), (4, 3, 3)),
    "conv2d": (lambda t, x, w, b: functional(t).conv2d(x, w, b, 2, 1), (2, 3, 8, 8), (4, 3, 3, 3), (4,)),
    "groups": (lambda t, x, w: functional(t).conv2d(x, w, groups=2), (2, 4, 8, 8), (8, 2, 3, 3)),
    "first": (lambda t, x, w: functional(t).conv2d(x.detach(), w), (2, 3, 8, 8), (4, 3, 3, 3)),
    "unbatched": (lambda t, x, w: functional(t).conv2d(x, w, padding="same"), (3, 8, 8), (4, 3, 3, 3)),
    "transposed": (lambda t, x, w: functional(t).conv_transpose2d(x, w, stride=2), (2, 3, 5, 5), (3, 4, 3, 3)),
    "attention": (lambda t, *x: functional(t).scaled_dot_product_attention(*x), *[(2, 4, 6, 8)] * 3),
    "attention_3": (lambda t, *x: functional(t).scaled_dot_product_attention(*x), (4, 6, 8), (4, 7, 8), (4, 7, 8)),
    "einsum": (lambda t, a, b: t.einsum("bij,bjk->bik", a, b), (2, 3, 4), (2, 4, 5)),
    "einsum_outer": (lambda t, a, b: t.einsum("i,j->ij", a, b), (3,), (4,)),
    "tensordot": (lambda t, a, b: t.tensordot(a, b, 1), (2, 3, 4), (4, 5)),
    "sin": (lambda t, a: a.sin() * a, (3,)),
    "lstm_cell": (lambda t, x: t.nn.LSTMCell(4, 5)(x)[0], (3, 4)),
    "gru_cell": (lambda t, x: t.nn.GRUCell(4, 5, bias=False)(x), (3, 4)),
    "rnn_cell": (lambda t, x, h: t.nn.RNNCell(4, 5)(x, h), (3, 4), (3, 5)),
}


def counts(torch, run, **options):
    with torch.utils.flop_counter.FlopCounterMode(display=False, **options) as counter:
        run()
    found = {name: {str(op): n for op, n in ops.items()} for name, ops in counter.get_flop_counts().items()}
    return counter.get_total_flops(), found


def test_calls():
    def run(torch):
        def pulled(call, *shapes):
            call(torch, *[leaf(torch, *shape) for shape in shapes]).sum().backward()

        found = {name: counts(torch, lambda case=case: pulled(*case)) for name, case in CALLS.items()}
        return {name: (total, by_module.get("Global")) for name, (total, by_module) in found.items()}

    same(run)


def net(torch):
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
            self.f = nn.Linear(64, 10)

        def forward(self, x):
            return self.f(self.c(x).flatten(1))

    return Net()


def test_modules_forward_and_backward():
    def run(torch):
        model, x = net(torch), torch.zeros(2, 1, 8, 8)

        def steps():
            model(x).sum().backward()
            torch.zeros(3, 4) @ torch.zeros(4, 5)  # after the backward pass it is of no module
            model(x)

        return counts(torch, steps), counts(torch, lambda: None)

    same(run)


def plain_number(cell):
    try:
        return f"{float(cell):g}"
    except ValueError:
        return cell


@pytest.fixture
def tabulate(monkeypatch):
    """What torch prints its table by: spaces are kept as it asks, numbers shown without zeros at their end."""

    def table(values, headers, colalign):
        values = [[plain_number(cell) for cell in row] for row in values]
        widths = [max(len(h) + 2, *(len(row[i]) for row in values)) for i, h in enumerate(headers)]
        rows = [headers, ["-" * w for w in widths], *values]
        sides = [str.ljust if side == "left" else str.rjust for side in colalign]
        return "\n".join("  ".join(pad(c, w) for pad, c, w in zip(sides, row, widths, strict=True)) for row in rows)

    module = types.ModuleType("tabulate")
    module.tabulate, module.__spec__ = table, importlib.machinery.ModuleSpec("tabulate", None)
    monkeypatch.setitem(sys.modules, "tabulate", module)


@pytest.mark.usefixtures("tabulate")
def test_table(capsys):
    def run(torch):
        model, x = net(torch), torch.zeros(2, 1, 8, 8)
        with torch.utils.flop_counter.FlopCounterMode(depth=3) as counter:
            model(x).sum().backward()
        with torch.utils.flop_counter.FlopCounterMode():
            model(x)
            torch.zeros(300, 400) @ torch.zeros(400, 500)
        with torch.utils.flop_counter.FlopCounterMode():
            torch.zeros(3) + 1
        return counter.get_table(1), counter.get_table(), capsys.readouterr().out

    same(run)


def test_formulas():
    def run(torch):
        counter, aten = torch.utils.flop_counter, torch.ops.aten
        mapping = {aten.mm: lambda a, b, *rest, out_shape, **kwargs: (a, b, out_shape) and 7, aten.sin: len_of}
        found = counts(torch, lambda: (torch.zeros(3, 4) @ torch.zeros(4, 5)).sin(), custom_mapping=mapping)
        return found, counter.sdpa_flop_count((2, 4, 6, 8), (2, 4, 7, 8), (2, 4, 7, 9)), counter.conv_flop_count(
            [2, 3, 8, 8], [4, 3, 3, 3], [2, 4, 6, 6]
        )  # fmt: skip

    same(run)
    same_error(lambda torch: torch.utils.flop_counter.register_flop_formula(torch.ops.aten.mm)(len))
    same_warnings(lambda torch: torch.utils.flop_counter.FlopCounterMode(net(torch)))


def len_of(shape, *args, out_shape=None, **kwargs):
    return len(shape)


def test_a_users_operator():
    def run(torch):
        name = "flops_of_" + torch.__name__
        library = torch.library.Library(name, "DEF")
        library.define("twice(Tensor x) -> Tensor")
        library.impl("twice", lambda x: x @ x + x @ x, "CPU")
        twice = getattr(torch.ops, name).twice
        plain = counts(torch, lambda: torch.zeros(3, 3) @ torch.zeros(3, 3))
        torch.utils.flop_counter.register_flop_formula(twice)(lambda x, out_shape=None, **kwargs: sum(x))
        _, found = counts(torch, lambda: twice(torch.zeros(3, 3)))
        return plain, list(found["Global"].values())

    same(run)
