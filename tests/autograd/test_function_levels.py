"""autograd.Function inside transforms of torch.func: on tapes, with tangents, on rows, and in each other; errors."""

import pytest

from tests.autograd.functions import cube_and_slope
from tests.oracle import same, same_error


def functions(torch):
    """Functions whose gradients are not their forwards', so that it shows whose are taken."""
    Function = torch.autograd.Function

    class Product(Function):
        @staticmethod
        def forward(a, b, factor):
            return a * b * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            a, b, ctx.factor = inputs
            ctx.save_for_backward(a, b)
            ctx.save_for_forward(a, b)

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            needed = ctx.needs_input_grad
            return g * b * ctx.factor * 2 if needed[0] else None, g * a * ctx.factor * 2 if needed[1] else None, None

        @staticmethod
        def jvp(ctx, to_a, to_b, _):
            a, b = ctx.saved_tensors
            return ctx.factor * 2 * (to_a * b + to_b * a)

        @staticmethod
        def vmap(info, in_dims, a, b, factor):
            a, b = (
                x.expand(info.batch_size, *x.shape) if dim is None else x.movedim(dim, 0)
                for x, dim in zip((a, b), in_dims[:2], strict=True)
            )
            return Product.apply(a, b, factor), 0

    class Generated(Product):
        generate_vmap_rule = True
        vmap = Function.vmap

    class Marked(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * 2, x.argmax() * 1

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_non_differentiable(output[1])
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx, g, nothing):
            return g * 5

    class Dirty(Function):
        @staticmethod
        def forward(x):
            return x.mul_(2)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_dirty(inputs[0])

        @staticmethod
        def backward(ctx, g):
            return g * 5

    return cube_and_slope(torch, 1.5), Product, Generated, Marked, Dirty


def rows(torch):
    return torch.arange(1.0, 7.0, dtype=torch.float64).reshape(3, 2)


def losses(torch):
    cube, product, generated, marked, dirty = functions(torch)
    return {
        "two outputs": lambda x: (cube.apply(x)[0] * cube.apply(x)[1]).sum(),
        "own vmap": lambda x: product.apply(x, x + 1, 3.0).sum(),
        "generated vmap": lambda x: generated.apply(x, x * 2, 3.0).sum(),
        "constant output": lambda x: marked.apply(x)[0].sum(),
        "in place": lambda x: dirty.apply(x * 1).sum(),
    }


@pytest.mark.parametrize("name", ["two outputs", "own vmap", "generated vmap", "constant output", "in place"])
def test_transforms_of_a_function(name):
    def run(torch):
        f, func, v = losses(torch)[name], torch.func, rows(torch)
        made = [func.grad(f)(v), func.grad(lambda x: func.grad(f)(x).sum())(v)]
        if name != "in place":
            made += [
                func.vmap(f)(v),
                func.vmap(func.grad(f))(v),
                func.grad(lambda v: func.vmap(f)(v).sum())(v),
                func.jacrev(func.jacrev(f))(v[0]),
                func.vmap(func.jacrev(func.jacrev(f)))(v),
            ]
        if name not in ("constant output", "in place"):
            made += [
                func.jvp(f, (v,), (v,)),
                func.hessian(f)(v[0]),
                func.vmap(lambda x: func.jvp(f, (x,), (x,)))(v),
                func.jvp(lambda v: func.vmap(f)(v), (v,), (v,)),
            ]
        return made

    same(run)


def test_arguments_without_rows():
    def run(torch):
        _, product, generated, _, _ = functions(torch)
        v = rows(torch)
        made = []
        for function in (product, generated):
            for dims in ((0, None), (1, None)):
                w = v[0] if dims[0] == 0 else v[:, 0]
                call = torch.vmap(lambda x, w, f=function: f.apply(x, w, 2.0), in_dims=dims, out_dims=dims[0])
                made += [call(v, w), torch.func.grad(lambda w, c=call: c(v, w).sum())(w)]
        return made

    same(run)


def test_the_tape_around_a_transform():
    def run(torch):
        made = []
        for name in ("two outputs", "own vmap", "generated vmap"):
            leaf = rows(torch).requires_grad_()
            value = torch.vmap(losses(torch)[name])(leaf).sum()
            (first,) = torch.autograd.grad(value, leaf, create_graph=True)
            (first**2).sum().backward()
            made += [first.detach(), leaf.grad]
        w = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
        product = functions(torch)[1]
        torch.func.grad(lambda x: product.apply(x, w, 2.0).sum())(rows(torch)[0, 1]).backward()
        return made, w.grad

    same(run)


def simple(torch, **members):
    """A Function with these members beside its own."""

    class Simple(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            return g * 3

    return type(torch.autograd.Function)("Simple", (Simple,), members)


def on_context(torch):
    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 3

    return Old


WRONG = {
    "no setup_context": lambda torch, v: torch.func.grad(lambda x: on_context(torch).apply(x).sum())(v),
    "no vmap": lambda torch, v: torch.vmap(simple(torch).apply)(v),
    "no vmap of a constant": lambda torch, v: torch.vmap(lambda x: x + simple(torch).apply(v[0]))(v),
    "two vmaps": lambda torch, v: torch.vmap(
        simple(torch, generate_vmap_rule=True, vmap=staticmethod(lambda info, dims, x: (x, 0))).apply
    )(v),
    "vmap of one": lambda torch, v: torch.vmap(simple(torch, vmap=staticmethod(lambda info, dims, x: x)).apply)(v),
    "vmap of three": lambda torch, v: torch.vmap(
        simple(torch, vmap=staticmethod(lambda info, dims, x: (x, 0, 1))).apply
    )(v),
    "no jvp": lambda torch, v: torch.func.jvp(simple(torch).apply, (v,), (v,)),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    same_error(lambda torch: WRONG[name](torch, rows(torch)))
