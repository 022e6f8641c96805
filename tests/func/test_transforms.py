"""func.grad, vjp, jvp, linearize: values, structures, levels in each other, what leaves them, errors."""

import pytest

from tests.oracle import same, same_error, same_print


def rows(torch):
    return torch.arange(1.0, 7.0, dtype=torch.float64).reshape(3, 2)


def number(x):
    return (x**3).sum() + x.prod()


def written(torch):
    def fn(x):
        y = torch.zeros(3, dtype=x.dtype)
        y[0] = x[0] ** 2
        y[1:] = x * 3
        y[:2].mul_(x[1])
        return y.sum()

    return fn


def quiet(torch):
    def fn(x):
        with torch.no_grad():
            c = x * x
        return (x * c).sum()

    return fn


def test_gradients_in_all_their_forms():
    def run(torch):
        f, v = torch.func, rows(torch)
        return {
            "grad": f.grad(number)(v),
            "twice": f.grad(f.grad(lambda x: x**3))(v[0, 0]),
            "thrice": f.grad(f.grad(f.grad(lambda x: x**4)))(v[0, 0]),
            "argnums": f.grad(lambda a, b: (a * b * b).sum(), argnums=(0, 1))(v, v),
            "last": f.grad(lambda a, b: (a * b * b).sum(), argnums=-1)(v, v),
            "keywords": f.grad(lambda a, *, b: (a * b).sum())(v, b=v),
            "tree": f.grad(lambda d: (d["a"] * d["b"][0]).sum())({"a": v, "b": [v + 1]}),
            "aux": f.grad(lambda x: (number(x), {"y": x * 2}), has_aux=True)(v),
            "and value": f.grad_and_value(number)(v),
            "and value and aux": f.grad_and_value(lambda x: (number(x), x * 2), has_aux=True)(v),
            "unused": f.grad(lambda x: torch.ones(()))(v),
            "confused": f.grad(lambda x: x * f.grad(lambda y: x + y)(torch.tensor(1.0)))(torch.tensor(2.0)),
            "detached": f.grad(f.grad(lambda x: x * x.detach()))(v[0, 1]),
            "quiet": f.grad(quiet(torch))(v),
            "quiet twice": f.grad(lambda x: f.grad(quiet(torch))(x).sum())(v),
            "branch": f.grad(lambda x: x * x.item() if x > 0 else x)(v[0, 1]),
            "written": f.grad(written(torch))(v[1]),
            "grad in grad": f.grad(lambda x: torch.autograd.grad(x**3, x, create_graph=True)[0])(v[0, 1]),
        }

    same(run)


def test_products_with_jacobians():
    def run(torch):
        f, v = torch.func, rows(torch)
        out, pull = f.vjp(lambda x: {"a": x.sin(), "b": [x.cos()]}, v)
        value, push = f.linearize(lambda a, b: a * b.sin(), v, v)
        return {
            "vjp": (out, pull({"a": v, "b": [v + 1]}), pull({"a": v + 1, "b": [v]})),
            "matmul": f.vjp(torch.matmul, v, v.t())[1](torch.ones(3, 3, dtype=v.dtype)),
            "aux": f.vjp(lambda x: (x * 2, x * 3), v, has_aux=True)[2],
            "pulled again": f.grad(lambda u: f.vjp(number, v)[1](u)[0].pow(2).sum())(torch.tensor(2.0).double()),
            "jvp": f.jvp(lambda a, b: (a * b, a + b), (v, v), (v, v * 2)),
            "jvp aux": f.jvp(lambda x: (x * 2, x * 3), (v,), (v,), has_aux=True),
            "jvp of jvp": f.jvp(lambda x: f.jvp(number, (x,), (x,))[1], (v,), (v + 1,)),
            "jvp of grad": f.jvp(f.grad(number), (v,), (v + 1,)),
            "grad of jvp": f.grad(lambda x: f.jvp(number, (x,), (v,))[1])(v),
            "jvp detached": f.jvp(lambda x: x * x.detach(), (v,), (v,)),
            "jvp quiet": f.jvp(quiet(torch), (v,), (v,)),
            "jvp unused": f.jvp(lambda x: torch.ones(2), (v,), (v,)),
            "jvp written": f.jvp(written(torch), (v[0],), (v[1],)),
            "confused": f.jvp(lambda x: x * f.jvp(lambda y: x + y, (v[0],), (v[0],))[1], (v[1],), (v[2],)),
            "linearize": (value, push(v, v + 1), push(2 * v, v)),
        }

    same(run)


def test_ops_that_look_whether_a_gradient_is_wanted():
    """Singular values and eigenvalues are worked out without vectors only where nobody differentiates."""

    def run(torch):
        f, m = torch.func, torch.arange(1.0, 13.0, dtype=torch.float64).reshape(3, 2, 2).sin()
        made = {}
        for name in ("matrix_norm", "svdvals", "eigvals", "eigvalsh"):
            fn = getattr(torch.linalg, name)
            loss = lambda x, fn=fn: (fn(x @ x.mT, "nuc") if "norm" in fn.__name__ else fn(x @ x.mT)).abs().pow(3).sum()  # noqa: E731
            whole = f.grad(lambda m, loss=loss: f.vmap(loss)(m).sum())(m)
            made[name] = f.vmap(f.grad(loss))(m), whole, f.jvp(loss, (m[0],), (m[1],))
        return made

    same(run)


def test_gradients_written_with_logarithms_in_forward_mode():
    def run(torch):
        x = torch.tensor([1.5, -2.0, 3.0, 0.3])
        push = lambda fn: torch.func.jvp(fn, (x,), (torch.ones(4),))  # noqa: E731
        return push(lambda x: torch.logcumsumexp(x, 0)), push(lambda x: torch.frexp(x)[0])

    same(run)


def test_what_leaves_a_transform_is_on_the_tape_around_it():
    def run(torch):
        f, v, x = torch.func, rows(torch), torch.tensor(2.0)
        w = torch.tensor(3.0, requires_grad=True)
        made = [
            f.grad(lambda x: x * x * w)(x),
            f.grad(lambda x: x * x)(x),
            f.vmap(lambda x: (x * w).sum())(v),
            f.vjp(lambda x: x * w, x)[0],
            f.jvp(lambda x: x * w * w, (x,), (x,))[1],
            f.jacrev(lambda x: x * x * w)(v[0]),
            f.grad_and_value(lambda x: x * x)(x)[1],
        ]
        sum(y.sum() for y in made if y.requires_grad).backward()
        leaf = rows(torch).requires_grad_()
        f.vmap(number)(leaf).sum().backward()
        with torch.no_grad():
            made.append(f.grad(lambda x: x * x * w)(x))
        return [(y.detach(), y.requires_grad) for y in made], w.grad, leaf.grad

    same(run)


def test_tensors_inside_print_as_what_stands_for_them():
    def run(torch):
        f, v, texts = torch.func, rows(torch), []

        def seen(x):
            texts.append(f"{x.sum()!r} {x.requires_grad} {x.is_leaf} {x.stride()}")
            return x.sum()

        f.grad(seen)(v)
        f.jvp(seen, (v,), (v,))
        f.vmap(f.grad(seen))(v)
        f.grad(lambda v: f.vmap(seen, in_dims=1)(v).sum())(v)
        return "\n".join(texts)

    same_print(run)


def test_debug_unwrap():
    def run(torch):
        f, seen = torch.func, []

        def look(x):
            seen.extend((repr(f.debug_unwrap(x)), repr(f.debug_unwrap(x, recurse=False))))
            return x.sum()

        f.vmap(f.grad(look))(rows(torch))
        return seen

    same(run)


CAPTURED = {
    "add": lambda torch, z: z.add_(1),
    "mul": lambda torch, z: z[0].mul_(2),
    "copy": lambda torch, z: z.copy_(torch.ones(2)),
    "fill": lambda torch, z: z.fill_(1.0),
    "zero": lambda torch, z: z.zero_(),
    "item": lambda torch, z: z.__setitem__(0, torch.tensor(2.0)),
    "relu": lambda torch, z: z.relu_(),
    "uniform": lambda torch, z: z.uniform_(),
    "masked_fill": lambda torch, z: z.masked_fill_(z > 0, 1.0),
    "lerp": lambda torch, z: z.lerp_(z, 0.5),
    "scatter": lambda torch, z: z.scatter_(0, torch.tensor([0]), 1.0),
    "pow": lambda torch, z: z.pow_(2),
}


@pytest.mark.parametrize("name", CAPTURED)
def test_what_is_captured_cannot_be_written_to(name):
    def run(torch, transform):
        captured, x = torch.zeros(2), torch.ones(())
        fn = lambda x: (CAPTURED[name](torch, captured), x)[1]  # noqa: E731
        return torch.func.grad(fn)(x) if transform == "grad" else torch.func.jvp(fn, (x,), (x,))

    same_error(lambda torch: run(torch, "grad"))
    same_error(lambda torch: run(torch, "jvp"))


WRONG = {
    "no scalar": lambda f, v: f.grad(lambda x: x)(v),
    "no tensor": lambda f, v: f.grad(lambda x: 1)(v),
    "argnums beyond": lambda f, v: f.grad(number, argnums=2)(v),
    "argnums text": lambda f, v: f.grad(number, argnums="a")(v),
    "argnums empty": lambda f, v: f.grad(number, argnums=())(v),
    "argnums twice": lambda f, v: f.grad(number, argnums=(0, 0))(v),
    "no aux": lambda f, v: f.grad(number, has_aux=True)(v),
    "integers": lambda f, v: f.grad(lambda x: x.sum())(v.int()),
    "a number": lambda f, v: f.grad(lambda x: x.sum())(3),
    "leaf written": lambda f, v: f.grad(lambda x: x.add_(1).sum())(v),
    "requires_grad_": lambda f, v: f.grad(lambda x: x.detach().requires_grad_())(v),
    "backward": lambda f, v: f.grad(lambda x: x.sum().backward())(v),
    "numpy": lambda f, v: f.grad(lambda x: x.detach().numpy())(v),
    "vjp no tensor": lambda f, v: f.vjp(lambda x: 1, v),
    "vjp nothing": lambda f, v: f.vjp(lambda x: (), v),
    "vjp integers": lambda f, v: f.vjp(lambda x: x.int(), v),
    "vjp no aux": lambda f, v: f.vjp(number, v, has_aux=True),
    "cotangents unlike": lambda f, v: f.vjp(lambda x: x, v)[1]((v, v)),
    "cotangent of another shape": lambda f, v: f.vjp(lambda x: x, v)[1](v[0]),
    "jvp no tuple": lambda f, v: f.jvp(number, v, v),
    "jvp unlike": lambda f, v: f.jvp(number, (v,), (v, v)),
    "jvp of another shape": lambda f, v: f.jvp(number, (v,), (v[0],)),
    "jvp numbers": lambda f, v: f.jvp(number, (1,), (1,)),
    "jvp nothing": lambda f, v: f.jvp(number, (), ()),
    "jvp integers": lambda f, v: f.jvp(lambda x: x.sum(), (v.int(),), (v.int(),)),
    "jvp independent": lambda f, v: f.jvp(lambda x: v, (v,), (v,), strict=True),
    "jvp no tensor": lambda f, v: f.jvp(lambda x: 1, (v,), (v,)),
    "linearize unlike": lambda f, v: f.linearize(number, v)[1](v, v),
    "linearize shape": lambda f, v: f.linearize(number, v)[1](v[0]),
    "linearize dtype": lambda f, v: f.linearize(number, v)[1](v.float()),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    same_error(lambda torch: WRONG[name](torch.func, rows(torch)))
