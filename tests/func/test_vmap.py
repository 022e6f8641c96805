"""func.vmap: dims, structures, ops, writes, randomness, chunks, levels in each other, errors."""

import pytest

import jtorch
from tests.oracle import same, same_error, same_print


def rows(torch):
    return torch.arange(1.0, 7.0).reshape(3, 2)


def number(x):
    return (x**3).sum() + x.prod()


def rewritten(x):
    y = x * 1
    y[0] = x[1]
    y[1:].mul_(x[0])
    y.view(-1)[0].add_(3)
    return y


def test_dims_and_structures():
    def run(torch):
        vmap, v = torch.func.vmap, rows(torch)
        return {
            "plain": torch.vmap(number)(v),
            "two": vmap(torch.dot, in_dims=(0, 0))(v, v),
            "none": vmap(torch.mv, in_dims=(None, 0))(torch.ones(3, 2), v),
            "columns": vmap(lambda a, b: a @ b, in_dims=(1, None), out_dims=0)(v, torch.ones(3)),
            "last": vmap(lambda x: x * 2, in_dims=-1, out_dims=-1)(v),
            "dict": vmap(lambda d: {"s": d["a"] + d["b"], "t": (d["a"],)}, ({"a": 0, "b": None},), {"s": 0, "t": 1})(
                {"a": v, "b": v[0]}
            ),
            "repeated": vmap(lambda x: torch.ones(2))(v),
            "keywords": vmap(lambda x, k: x * k)(v, k=2.0),
            "chunks": (vmap(number, chunk_size=2)(v), vmap(lambda x: (x, x), out_dims=(0, 1), chunk_size=2)(v)),
            "out none": vmap(lambda x: (x, torch.ones(2)), out_dims=(0, None))(v),
            "twice": vmap(vmap(torch.func.grad(lambda x: x**3)))(v),
            "rows of gradients": vmap(torch.func.grad(number))(v),
            "gradient of rows": torch.func.grad(lambda v: vmap(torch.func.grad(number))(v).sum())(v),
            "tangents": torch.func.jvp(lambda v: vmap(number)(v), (v,), (v,)),
            "rows of tangents": vmap(lambda x: torch.func.jvp(number, (x,), (x,)))(v),
            "rows of a line": vmap(torch.func.linearize(lambda a: a**2, v[0])[1])(v),
            "strides": vmap(lambda x: x.t())(torch.arange(24.0).reshape(2, 3, 4)).stride(),
        }

    same(run)


OPS = {
    "index": lambda torch, x: x[x.argmax()],
    "gather": lambda torch, x: x.gather(0, x.argsort()),
    "where": lambda torch, x: torch.where(x > 3, x, -x),
    "masked_fill": lambda torch, x: x.clone().masked_fill(x > 3, 0.0),
    "max": lambda torch, x: x.max(0),
    "sort": lambda torch, x: x.sort(descending=True),
    "cat": lambda torch, x: torch.cat([x, x, torch.ones(1)]),
    "stack": lambda torch, x: torch.stack([x, torch.ones(2)]),
    "einsum": lambda torch, x: torch.einsum("i,j->ij", x, x),
    "unbind": lambda torch, x: x.unbind(),
    "softmax": lambda torch, x: x.softmax(0),
    "casts": lambda torch, x: x.double().int(),
    "views": lambda torch, x: x.reshape(2, 1).expand(2, 3).sum(-1),
    "loss": lambda torch, x: torch.nn.functional.cross_entropy(x.unsqueeze(0), torch.tensor([0])),
    "embedding": lambda torch, x: torch.nn.functional.embedding(x.long() % 2, torch.eye(2)),
    "statistics": lambda torch, x: (x.var(), x.norm(), x.mean(), x.prod()),
    "inverse": lambda torch, x: torch.linalg.inv(torch.eye(2) + 0.1 * x),
    "scans": lambda torch, x: (x.cumsum(0), x.roll(1).flip(0)),
    "pad": lambda torch, x: torch.nn.functional.pad(x, (1, 1)),
    "one_hot": lambda torch, x: torch.nn.functional.one_hot(x.long() % 2, 3),
    "numbers": lambda torch, x: 2 * x + 1 - x / 3,
    "promotion": lambda torch, x: x.long() * torch.tensor(2.0, dtype=torch.float64),
    "conv": lambda torch, x: torch.nn.functional.conv1d(x.view(1, 1, 2), torch.ones(1, 1, 2), padding=1),
    "pool": lambda torch, x: torch.nn.functional.max_pool1d(x.view(1, 1, 2), 2),
    "norm": lambda torch, x: torch.nn.functional.layer_norm(x, (2,)),
    "linear": lambda torch, x: torch.nn.functional.linear(x, torch.ones(3, 2), torch.ones(3)),
    "attention": lambda torch, x: torch.nn.functional.scaled_dot_product_attention(*[x.view(1, 1, 2, 1)] * 3),
    "written": lambda torch, x: rewritten(x),
    "scattered": lambda torch, x: torch.zeros_like(x).index_add(0, torch.tensor([1, 0]), x),
}


def test_ops():
    def run(torch, take):
        v = rows(torch)
        return {name: take(torch, lambda x, fn=fn: fn(torch, x))(v) for name, fn in OPS.items()}

    same(lambda torch: run(torch, lambda torch, fn: torch.vmap(fn)))


def test_gradients_of_ops():
    """Gradients of rows, and rows of gradients."""

    def total(torch, fn):
        made = torch.utils._pytree.tree_leaves(fn)
        return sum((y.sin().sum() for y in made if y.is_floating_point()), torch.zeros(()))

    def run(torch):
        v = rows(torch)
        made = {}
        for name, fn in OPS.items():
            if name in ("index", "one_hot", "scattered"):
                continue  # torch: these read a value, or write to what has no rows
            loss = lambda x, fn=fn: total(torch, fn(torch, x))  # noqa: E731
            made[name] = (
                torch.vmap(torch.func.grad(loss))(v),
                torch.func.grad(lambda v, f=loss: torch.vmap(f)(v).sum())(v),
            )
        return made

    same(run)


def test_writes_reach_the_argument():
    def run(torch):
        def double(x):
            x.mul_(2)
            x[0] = 7
            x.view(-1)[1:].copy_(x[:1])
            return x + 1

        v, w = rows(torch), rows(torch)
        out = torch.vmap(double)(v), torch.vmap(double, in_dims=1, out_dims=1)(w)
        counted = torch.zeros(2)
        torch.vmap(lambda x: (counted.add_(1), x)[1])(v)
        return out, v, w, counted

    same(run)


DRAWS = {
    "rand": lambda torch, x: torch.rand(2),
    "plus": lambda torch, x: x + torch.rand(2),
    "normal_": lambda torch, x: x.clone().normal_(),
    "like": lambda torch, x: torch.rand_like(x),
    "randint": lambda torch, x: torch.randint(0, 9, (2,)),
    "randperm": lambda torch, x: torch.randperm(4),
    "dropout": lambda torch, x: torch.nn.functional.dropout(x + 1),
    "constant": lambda torch, x: torch.nn.functional.dropout(torch.ones(2)),
    "channels": lambda torch, x: torch.nn.functional.dropout1d(x.reshape(1, 2, 1)),
    "alpha": lambda torch, x: torch.nn.functional.alpha_dropout(x + 1, training=True),
    "bernoulli": lambda torch, x: torch.bernoulli(x / 10),
    "normal": lambda torch, x: torch.normal(x, 1.0),
    "multinomial": lambda torch, x: torch.multinomial(x + 1, 1),
    "in grad": lambda torch, x: torch.func.grad(lambda x: (torch.rand(2) * x).sum())(x),
    "written to in grad": lambda torch, x: torch.func.grad(lambda x: (torch.rand(2).mul_(x)).sum())(x),
    "unbatched": lambda torch, x: torch.zeros(2).normal_(),
}
ROWS_ONLY = ("bernoulli", "normal", "multinomial", "written to in grad")


@pytest.mark.parametrize("mode", ["same", "different"])
def test_randomness_has_torchs_numbers(mode):
    def run(torch):
        made = {}
        for name, fn in DRAWS.items():
            if not (name in ROWS_ONLY and mode == "same") and not (name == "unbatched" and mode == "different"):
                torch.manual_seed(0)
                made[name] = torch.vmap(lambda x, fn=fn: fn(torch, x), randomness=mode)(rows(torch))
        torch.manual_seed(0)
        made["chunks"] = torch.vmap(lambda x: x + torch.rand(2), randomness=mode, chunk_size=2)(rows(torch))
        made["twice"] = torch.vmap(torch.vmap(lambda x: x + torch.rand(2), randomness="different"), randomness=mode)(
            rows(torch)
        )
        return made

    same(run)


@pytest.mark.parametrize("mode", ["error", "same", "different"])
def test_randomness_that_is_refused(mode):
    names = {"error": DRAWS, "same": ROWS_ONLY, "different": ("unbatched",)}[mode]
    for name in names:
        same_error(lambda torch, fn=DRAWS[name]: torch.vmap(lambda x: fn(torch, x), randomness=mode)(rows(torch)))


INTO_ONE = {
    "add": lambda torch, z, x: z.add_(x),
    "atan2": lambda torch, z, x: z.atan2_(x),
    "mul": lambda torch, z, x: z.mul_(x),
    "div": lambda torch, z, x: z.div_(x[0]),
    "addcmul": lambda torch, z, x: z.addcmul_(x, x),
    "pow": lambda torch, z, x: z.pow_(x),
    "index_add": lambda torch, z, x: z.index_add_(0, torch.tensor([0, 1]), x),
    "masked_fill": lambda torch, z, x: z.masked_fill_(x > 0, 1.0),
    "fill": lambda torch, z, x: z.fill_(x[0]),
    "copy": lambda torch, z, x: z.view(2).copy_(x),
    "put": lambda torch, z, x: z.index_put_((torch.tensor([0, 1]),), x),
    "item": lambda torch, z, x: z.__setitem__(0, x[1]),
    "all": lambda torch, z, x: z.__setitem__(slice(None), x),
    "mask": lambda torch, z, x: z.__setitem__(torch.tensor([True, False]), x[0]),
}


@pytest.mark.parametrize("name", INTO_ONE)
def test_rows_cannot_be_written_into_what_has_none(name):
    same_error(lambda torch: torch.vmap(lambda x: INTO_ONE[name](torch, torch.zeros(2), x))(rows(torch)))


NO_VALUES = {
    "item": lambda torch, x: x.sum().item(),
    "bool": lambda torch, x: x if x.sum() > 0 else x,
    "float": lambda torch, x: float(x[0]),
    "sizes": lambda torch, x: torch.zeros(int(x[0])),
    "tensor": lambda torch, x: torch.tensor([x[0], x[1]]),
    "nonzero": lambda torch, x: x.nonzero(),
    "mask": lambda torch, x: x[x > 0],
    "unique": lambda torch, x: x.unique(),
    "numpy": lambda torch, x: x.numpy(),
    "tolist": lambda torch, x: x.tolist(),
    "requires_grad_": lambda torch, x: x.requires_grad_(),
    "text": lambda torch, x: f"{x}",
    "len": lambda torch, x: len(x),
    "autograd": lambda torch, x: torch.autograd.grad(x.sum(), x),
}


@pytest.mark.parametrize("name", NO_VALUES)
def test_rows_have_no_values(name):
    same_error(lambda torch: torch.vmap(lambda x: NO_VALUES[name](torch, x))(rows(torch)))


WRONG = {
    "in_dims too many": lambda vmap, v: vmap(number, in_dims=(0, 0))(v),
    "in_dims text": lambda vmap, v: vmap(number, in_dims="x")(v),
    "in_dims beyond": lambda vmap, v: vmap(number, in_dims=3)(v),
    "in_dims deep": lambda vmap, v: vmap(number, in_dims=((0,),))(v),
    "in_dims float": lambda vmap, v: vmap(number, in_dims=(0.5,))(v),
    "in_dims none": lambda vmap, v: vmap(number, in_dims=None)(v),
    "in_dims all none": lambda vmap, v: vmap(number, in_dims=(None,))(v),
    "sizes": lambda vmap, v: vmap(lambda a, b: a)(v, v[0]),
    "nothing": lambda vmap, v: vmap(lambda: 1)(),
    "a number": lambda vmap, v: vmap(number)(3),
    "0-d": lambda vmap, v: vmap(number)(v[0, 0]),
    "returns a number": lambda vmap, v: vmap(lambda x: 1)(v),
    "returns a text": lambda vmap, v: vmap(lambda x: (x, "a"))(v),
    "out_dims none": lambda vmap, v: vmap(lambda x: x, out_dims=None)(v),
    "out_dims beyond": lambda vmap, v: vmap(lambda x: x, out_dims=5)(v),
    "out_dims too many": lambda vmap, v: vmap(lambda x: (x, x), out_dims=(0, 0, 0))(v),
    "out_dims text": lambda vmap, v: vmap(number, out_dims="a")(v),
    "out_dims of one": lambda vmap, v: vmap(lambda x: x, out_dims=(0, 1))(v),
    "randomness": lambda vmap, v: vmap(number, randomness="x"),
    "chunk_size": lambda vmap, v: vmap(number, chunk_size=0),
    "leaf": lambda vmap, v: vmap(lambda x: x.add_(1))(v.requires_grad_()),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    same_error(lambda torch: WRONG[name](torch.vmap, rows(torch)))


def test_rows_print_as_a_batch():
    def run(torch):
        texts = []
        torch.vmap(lambda x: (texts.append(repr(x)), x)[1])(rows(torch).requires_grad_())
        return texts

    same_print(run)


def test_a_call_is_one_program():
    v = rows(jtorch)
    fn = jtorch.vmap(jtorch.func.grad(number))
    for _ in range(2):
        before = jtorch.engine.stats.programs, jtorch.engine.stats.compiles
        fn(v).tolist()
        after = jtorch.engine.stats.programs, jtorch.engine.stats.compiles
    assert after[0] - before[0] == 1
    before = jtorch.engine.stats.compiles
    fn(v).tolist()
    assert jtorch.engine.stats.compiles == before
