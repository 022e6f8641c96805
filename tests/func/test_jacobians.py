"""func.jacrev, jacfwd and hessian: values in all orders of forward and reverse, structures, chunks, errors."""

import pytest

from tests.oracle import same, same_error


def rows(torch):
    return torch.arange(1.0, 7.0, dtype=torch.float64).reshape(3, 2)


def number(x):
    return (x**3).sum() + x.prod()


def pair(x):
    return x**2, x.sum()


def test_jacobians_in_all_their_forms():
    def run(torch):
        f, v = torch.func, rows(torch)
        product = lambda a, b: a * b * b  # noqa: E731
        return {
            "reverse": f.jacrev(pair)(v),
            "forward": f.jacfwd(pair)(v),
            "one by one": f.jacrev(pair, chunk_size=1)(v[0]),
            "two by two": f.jacrev(pair, chunk_size=2)(v[0]),
            "two inputs": (
                f.jacrev(product, argnums=(0, 1))(v[0], v[1]),
                f.jacfwd(product, argnums=(0, 1))(v[0], v[1]),
            ),
            "the second": (f.jacrev(product, argnums=1)(v[0], v[1]), f.jacfwd(product, argnums=(1,))(v[0], v[1])),
            "aux": (f.jacrev(pair, has_aux=True)(v), f.jacfwd(pair, has_aux=True)(v)),
            "dict": (f.jacrev(lambda d: {"o": d["a"] * 2})({"a": v[0]}), f.jacfwd(lambda x: {"o": x * 2})(v[0])),
            "0-d": (f.jacrev(lambda x: x * x)(v[0, 1]), f.jacfwd(lambda x: x * x)(v[0, 1])),
        }

    same(run)


def test_hessians_in_all_orders():
    def run(torch):
        f, v = torch.func, rows(torch)
        made = {f"{a}{b}": getattr(f, a)(getattr(f, b)(number))(v[0]) for a in KINDS for b in KINDS}
        made["hessian"] = f.hessian(number)(v[0])
        made["of two"] = f.hessian(lambda a, b: (a * b * b).sum(), argnums=(0, 1))(v[0], v[1])
        made["of rows"] = f.vmap(f.hessian(number))(v)
        return made

    same(run)


KINDS = ("jacrev", "jacfwd")

WRONG = {
    "chunks of nothing": lambda f, v: f.jacrev(number, chunk_size=0),
    "complex input": lambda f, v: f.jacrev(number)(v * 1j),
    "complex output": lambda f, v: f.jacfwd(lambda x: x * 1j)(v),
    "no tensor": lambda f, v: f.jacrev(lambda x: 1)(v),
    "argnums": lambda f, v: f.jacfwd(number, argnums=3)(v),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    same_error(lambda torch: WRONG[name](torch.func, rows(torch)))
