"""What torch's pages on the mechanics of autograd and on extending it tell, as programs of our own in both."""

import numpy as np
import pytest

from tests.autograd.functions import cube_and_slope
from tests.oracle import both, same, same_error, same_print


def leaf(torch, *values):
    return torch.tensor(values or (0.5, 1.5, 2.5), dtype=torch.float64, requires_grad=True)


# Saved tensors.


def test_what_a_node_shows_of_what_it_saved():
    def fn(torch):
        x = leaf(torch)
        square, grown = x.pow(2), x.exp()
        return (
            square.grad_fn._saved_self is x, square.grad_fn._saved_exponent, grown.grad_fn._saved_result is grown,
            torch.equal(grown.grad_fn._saved_result, grown), grown.grad_fn._saved_result.grad_fn is grown.grad_fn,
        )  # fmt: skip

    expected, actual = both(fn)
    assert actual == expected


def test_hooks_that_keep_saved_tensors_elsewhere():
    def fn(torch):
        class Kept:
            def __init__(self, place):
                self.place = place

        store, log = {}, []

        def pack(t):
            if t.numel() < 3:
                return t
            store[len(store)] = np.array(t.detach())
            log.append(f"kept {len(store) - 1}")
            return Kept(len(store) - 1)

        def unpack(packed):
            if isinstance(packed, torch.Tensor):
                return packed
            log.append(f"read {packed.place}")
            return torch.from_numpy(store[packed.place])

        x, small = leaf(torch), leaf(torch, 2.0)
        with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
            y = (x * x).sin() * small
            with torch.autograd.graph.saved_tensors_hooks(lambda t: log.append("inner") or t, lambda t: t):
                z = y.exp()
        z.sum().backward()
        return log, x.grad, small.grad

    same(fn)


def test_saving_on_the_cpu_and_disabling_hooks():
    def fn(torch):
        x, log = leaf(torch), []
        with torch.autograd.graph.save_on_cpu():
            y = (x.exp() * x).cos()
        y.sum().backward()
        with torch.autograd.graph.disable_saved_tensors_hooks("no hooks here"):
            try:
                with torch.autograd.graph.save_on_cpu():
                    x.exp()
            except RuntimeError as error:
                log.append(str(error))
        return log, x.grad

    same(fn)


# Non-differentiable points, grad modes.


def test_conventions_where_there_is_no_derivative():
    def fn(torch):
        found = []
        for name in ("relu", "abs", "sqrt", "sign", "round", "sgn", "square", "reciprocal", "log", "asin"):
            x = leaf(torch, 0.0, 1.0, -1.0)
            getattr(torch, name)(x).sum().backward()
            found.append((name, x.grad))
        x = leaf(torch, 1.0, 3.0, 3.0, 2.0)
        found += [torch.autograd.grad(f(x), x) for f in (torch.max, torch.amax, torch.median, torch.min)]
        found += [torch.autograd.grad(f(x, x * 1).sum(), x) for f in (torch.maximum, torch.minimum, torch.fmax)]
        zero = leaf(torch, 0.0, 0.0)
        return found, [torch.autograd.grad(zero.norm(p), zero) for p in (1, 2, 3, float("inf"))]

    same(fn)


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: inferred(torch).add_(1),
        lambda torch: leaf(torch) * inferred(torch),
        lambda torch: inferred(torch).requires_grad_(),
        lambda torch: inferred(torch)._version,
        lambda torch: inferred(torch).view(-1)._version,
        lambda torch: inferred(torch)[0].add_(1),
    ],
)
def test_errors_of_inference_tensors(fn):
    same_error(fn)


def inferred(torch):
    with torch.inference_mode():
        return torch.ones(3, dtype=torch.float64) * 2


def test_inference_tensors():
    def fn(torch):
        x = inferred(torch)
        normal = leaf(torch)
        with torch.inference_mode():
            inside = normal * 2
            view = normal.view(-1)
            x.add_(1)
            made = torch.is_inference_mode_enabled(), inside.is_inference(), view.is_inference(), view.requires_grad
            with torch.inference_mode(False):
                copied = x.clone()
                y = (copied * normal).sum()
        y.backward()
        return made, x, x.is_inference(), (x + 1).is_inference(), x.clone().is_inference(), normal.grad, inside

    same(fn)


# In-place writes.


def test_what_a_write_does_to_what_was_saved():
    def fn(torch):
        notes = []
        programs = (
            lambda x, y: (y.exp(), y.mul_(2)), lambda x, y: (y.sin(), y.mul_(2)), lambda x, y: (y + 1, y.mul_(2)),
            lambda x, y: (y * y, y[0].zero_()), lambda x, y: ((y * 2).exp(), y.zero_()),
            lambda x, y: (y.sigmoid(), y.t().zero_()), lambda x, y: (y.detach().exp() * x, y.zero_()),
        )  # fmt: skip
        for program in programs:
            x = leaf(torch)
            out, _ = program(x, x * 1)
            try:
                out.sum().backward()
                notes.append(x.grad.tolist())
            except RuntimeError as error:
                notes.append(str(error))
        return notes

    same(fn)


# Hooks.


def test_the_order_of_all_kinds_of_hooks():
    def fn(torch):
        log = []

        def note(name):
            def hook(*given):
                log.append(name)

            return hook

        x, w = leaf(torch), leaf(torch, 2.0)
        y = x * w
        z = y.exp()
        y.retain_grad()
        several = torch.autograd.graph.register_multi_grad_hook((x, y), note("several"))
        anyone = torch.autograd.graph.register_multi_grad_hook((x, y), note("any"), mode="any")
        for name, t in (("x", x), ("y", y), ("z", z)):
            t.register_hook(note(f"{name} first"))
            t.register_hook(note(f"{name} second"))
        for name, t in (("y", y), ("z", z)):
            t.grad_fn.register_prehook(note(f"{name} before"))
            t.grad_fn.register_hook(note(f"{name} after"))
        x.register_post_accumulate_grad_hook(note("x has it"))
        accumulate = torch.autograd.graph.get_gradient_edge(x).node
        accumulate.register_prehook(note("x's node before"))
        accumulate.register_hook(note("x's node after"))
        z.sum().backward(retain_graph=True)
        log.append("again, for x")
        z.sum().backward(inputs=[x], retain_graph=True)
        log.append("grad of x and y")
        several.remove()
        anyone.remove()
        torch.autograd.grad(z.sum(), [x, y], retain_graph=True)
        return log, y.grad, x.grad

    same(fn)


def test_hooks_on_tensors_that_are_written_to():
    def fn(torch):
        log = []
        x = leaf(torch)
        y = x * 1
        y.register_hook(lambda g: log.append(("before the write", g.tolist())))
        y.retain_grad()
        y.mul_(3)
        y.register_hook(lambda g: log.append(("after the write", g.tolist())))
        (y * 2).sum().backward()
        return log, y.grad, x.grad

    same(fn)


def test_edges():
    def fn(torch):
        edge = torch.autograd.graph.get_gradient_edge
        x = leaf(torch)
        y = x.exp()
        low, high = y.split([1, 2])
        out = (low.sum() * high).sum()
        at = edge(high)
        found = torch.autograd.grad(out, [edge(x), edge(y), at], retain_graph=True)
        (through,) = torch.autograd.grad(
            at, edge(x), grad_outputs=torch.ones(2, dtype=torch.float64), retain_graph=True
        )
        torch.autograd.backward([out], inputs=[edge(x)], retain_graph=True)
        return found, through, x.grad, at.output_nr, type(at.node).__name__, type(edge(x).node).__name__, at._fields

    same(fn)


# Complex numbers, extending.


def test_gradients_of_complex_numbers():
    def fn(torch):
        z = torch.tensor([1 + 2j, -0.5j, 3.0], dtype=torch.complex128, requires_grad=True)
        losses = ((z.abs() ** 2).sum(), z.real.sum(), (z * z.conj()).real.sum(), z.exp().imag.sum(), z.angle().sum())
        return [torch.autograd.grad(loss, z)[0] for loss in losses]

    same(fn)


def functions(torch):
    """Functions as the page on extending has them."""
    Function = torch.autograd.Function

    class Affine(Function):
        @staticmethod
        def forward(input, weight, bias):
            return input.mm(weight.t()) + bias

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, grad):
            input, weight, bias = ctx.saved_tensors
            needs = ctx.needs_input_grad
            return (
                grad.mm(weight) if needs[0] else None, grad.t().mm(input) if needs[1] else None,
                grad.sum(0) if bias is not None and needs[2] else None,
            )  # fmt: skip

    class Scaled(Function):
        @staticmethod
        def forward(ctx, x, constant):
            ctx.constant = constant
            ctx.set_materialize_grads(False)
            return x * constant

        @staticmethod
        def backward(ctx, grad):
            return (None, None) if grad is None else (grad * ctx.constant, None)

    class Sinh(Function):
        """What backward uses of the forward is an output, so that it can be differentiated again."""

        @staticmethod
        def forward(ctx, x):
            up, down = x.exp(), (-x).exp()
            ctx.save_for_backward(up, down)
            return (up - down) / 2, up, down

        @staticmethod
        def backward(ctx, grad, to_up, to_down):
            up, down = ctx.saved_tensors
            return grad * (up + down) / 2 + to_up * up - to_down * down

    class Sorted(Function):
        """By NumPy, with a rule for vmap."""

        @staticmethod
        def forward(x, dim):
            array = x.detach().numpy()
            order = np.argsort(array, axis=dim)
            return torch.tensor(np.take_along_axis(array, order, axis=dim)), torch.tensor(order)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.dim = inputs[1]
            ctx.mark_non_differentiable(output[1])
            ctx.save_for_backward(output[1])

        @staticmethod
        def backward(ctx, grad, nothing):
            (order,) = ctx.saved_tensors
            return torch.zeros_like(grad).scatter(ctx.dim, order, grad), None

    return Affine, Scaled, Sinh, Sorted, cube_and_slope(torch)


def test_functions_of_the_page():
    def fn(torch):
        affine, scaled, sinh, ordered, cube = (f.apply for f in functions(torch))
        x, w, b = leaf(torch), leaf(torch, 1.0, 2.0, 3.0), leaf(torch, 0.5)
        out = scaled(affine(x.view(1, 3), w.view(1, 3), b), 5.5)
        found = [out.detach(), torch.autograd.grad(out.sum(), (x, w, b))]
        (first,) = torch.autograd.grad(sinh(x)[0].sum(), x, create_graph=True)
        found += [first.detach(), torch.autograd.grad(first.sum(), x)]
        found += [torch.autograd.grad((ordered(-x, 0)[0] * w).sum(), x)]
        func = torch.func
        rows = torch.stack([x, x * 2]).detach()
        found += [func.vmap(lambda r: cube(r)[0])(rows), func.jacrev(lambda r: cube(r)[0])(x.detach())]
        found += [func.jacfwd(lambda r: cube(r)[0])(x.detach()), func.hessian(lambda r: cube(r)[0].sum())(x.detach())]
        checked = [
            torch.autograd.gradcheck(lambda x: cube(x)[0], x),
            torch.autograd.gradgradcheck(lambda x: sinh(x)[0], x),
        ]
        return found, checked

    same(fn)


def test_a_module_of_a_function():
    def show(torch):
        affine = functions(torch)[0]

        class Layer(torch.nn.Module):
            def __init__(self, sizes):
                super().__init__()
                self.weight = torch.nn.Parameter(torch.linspace(-0.1, 0.1, sizes[0] * sizes[1]).view(sizes))
                self.register_parameter("bias", None)

            def forward(self, x):
                return affine.apply(x, self.weight, torch.zeros(self.weight.shape[0]))

            def extra_repr(self):
                return f"{tuple(self.weight.shape)}, bias={self.bias is not None}"

        layer = Layer((2, 3))
        out = layer(torch.arange(6.0).view(2, 3))
        out.sum().backward()
        kind = isinstance(out.grad_fn, torch.autograd.function.BackwardCFunction)
        return "\n".join(map(str, (layer, out, type(out.grad_fn).__name__, kind, layer.weight.grad)))

    same_print(show)
