"""interop: arrays without copies, functions and modules both ways, JAX's transforms with torch's gradients, pytrees."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch as real
from jax.sharding import PartitionSpec

import jtorch as torch
from jtorch import interop
from jtorch.engine import stats

EDGES = np.array([-1.5, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 1.5], np.float32)


def test_arrays_are_not_copied():
    x = torch.arange(6.0).reshape(2, 3) + 1
    array = interop.to_jax(x)
    again = interop.to_torch(array)
    assert isinstance(array, jax.Array)
    assert interop.to_jax(again).unsafe_buffer_pointer() == array.unsafe_buffer_pointer()
    assert interop.to_jax(x).unsafe_buffer_pointer() == array.unsafe_buffer_pointer()
    assert again.dtype is torch.float32 and again.shape == (2, 3)


def test_arrays_of_others_outlive_writes():
    x = torch.arange(6.0) + 0
    array = interop.to_jax({"x": [x]})["x"][0]
    given = jnp.arange(6.0)
    y = interop.to_torch(given)
    for _ in range(3):
        x.add_(1)
        y.mul_(2)
    assert (x + y).tolist()
    assert array.tolist() == list(range(6)) and given.tolist() == list(range(6))


def test_arrays_of_every_dtype():
    for dtype in "bool uint8 int8 int16 uint16 int32 uint64 float16 bfloat16 float64 complex64 float8_e4m3fn".split():
        array = jnp.asarray(np.ones(2), dtype)
        again = interop.to_jax(tensor := interop.to_torch(array))
        assert str(tensor.dtype) == f"torch.{dtype}" and again.dtype == array.dtype
        assert again.unsafe_buffer_pointer() == array.unsafe_buffer_pointer()


def test_jax_functions_take_tensors():
    x = torch.arange(3.0).to(torch.bfloat16)
    array = jnp.asarray(x)
    assert array.dtype == jnp.bfloat16 and array.unsafe_buffer_pointer() == interop.to_jax(x).unsafe_buffer_pointer()
    for out in (jnp.square(x), jnp.ones(3, jnp.bfloat16) * x * x, x * x * jnp.ones(3, jnp.bfloat16)):
        assert isinstance(out, jax.Array) and out.tolist() == [0, 1, 4]


def test_memory_shared_with_numpy_is_copied():
    n = np.zeros(3, np.float32)
    x = torch.from_numpy(n)
    array = interop.to_jax(x)
    n[0] = 5
    assert array.tolist() == [0, 0, 0] and x.tolist() == [5, 0, 0]


SLOPES = {
    "relu": lambda torch, x: torch.relu(x),
    "abs": lambda torch, x: x.abs(),
    "clamp": lambda torch, x: x.clamp(-1, 1),
    "hardtanh": lambda torch, x: torch.nn.functional.hardtanh(x),
    "leaky_relu": lambda torch, x: torch.nn.functional.leaky_relu(x, 0.3),
    "norm": lambda torch, x: (x * 0).norm(),
    "max": lambda torch, x: x.max(),
    "amax": lambda torch, x: (x * 0).amax(0),
    "std": lambda torch, x: (x * 0 + 1).std(),
    "softmax": lambda torch, x: x.softmax(0) ** 2,
    "pow": lambda torch, x: x**2,
    "cumprod": lambda torch, x: x.cumprod(0),
    "prod": lambda torch, x: x.prod(),
    "layer_norm": lambda torch, x: torch.nn.functional.layer_norm(x, (8,)) ** 2,
    "max_pool": lambda torch, x: torch.nn.functional.max_pool1d(x.view(1, 1, 8), 2),
    "sort": lambda torch, x: x.sort()[0] * torch.arange(8.0),
    "logsumexp": lambda torch, x: x.logsumexp(0),
    "views": lambda torch, x: x.view(2, 4).t()[1:].clone().mul_(3),
    "no_grad": lambda torch, x: x * x.detach(),
}


def test_jax_takes_torchs_gradients():
    """Reverse, forward and both, at kinks and ties, by jax.grad and jax.jvp, one compiled function for all."""

    def totals(torch):
        return {name: lambda x, fn=fn: (fn(torch, x) * 1.5).sum() for name, fn in SLOPES.items()}

    @jax.jit
    def found(x, t):
        fns = {name: interop.as_jax(fn) for name, fn in totals(torch).items()}
        return {
            name: (jax.grad(fn)(x), jax.jvp(fn, (x,), (t,))[1], jax.grad(lambda x, f=fn: jax.grad(f)(x).sum())(x))
            for name, fn in fns.items()
        }

    t = np.linspace(1, 2, 8, dtype=np.float32)
    for name, (first, pushed, second) in found(EDGES, t).items():
        fn = totals(real)[name]
        x = real.tensor(EDGES)
        wanted = real.func.grad(fn)(x).numpy(force=True)
        np.testing.assert_allclose(first, wanted, rtol=1e-5, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(pushed, (wanted * t).sum(), rtol=1e-5, atol=1e-5, err_msg=name)
        leaf = x.clone().requires_grad_()
        (g,) = real.autograd.grad(fn(leaf), leaf, create_graph=True)
        twice = real.autograd.grad(g.sum(), leaf, allow_unused=True)[0] if g.requires_grad else None
        twice = np.zeros(8) if twice is None else twice.numpy(force=True)
        np.testing.assert_allclose(second, twice, rtol=1e-4, atol=1e-4, err_msg=name)


def test_as_jax_in_jaxs_transforms():
    def fn(x, *, scale):
        return {"y": (x * scale).sin(), "n": x.shape[0]}

    pure = interop.as_jax(fn)
    x = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    plain = pure(x, scale=2.0)
    assert isinstance(plain["y"], jax.Array) and plain["n"] == 2
    np.testing.assert_allclose(plain["y"], np.sin(x * 2), rtol=1e-6)
    rows = jax.jit(jax.vmap(lambda r: pure(r, scale=2.0)["y"]))(x)
    np.testing.assert_allclose(rows, np.sin(x * 2), rtol=1e-6)
    hessian = jax.hessian(lambda r: pure(r, scale=2.0)["y"].sum())(x[0])
    np.testing.assert_allclose(hessian, np.diag(-4 * np.sin(x[0] * 2)), atol=1e-5)


def test_several_results_under_jit():
    out = jax.jit(interop.as_jax(lambda x: torch.max(x, 1)))(np.eye(3, dtype=np.float32))
    assert out.values.tolist() == [1, 1, 1] and out.indices.tolist() == [0, 1, 2]


def sines(x, power=2, *, tree=None):
    out = jnp.sin(x) ** power
    return {"out": out, "sum": (out.sum() + (0 if tree is None else tree["w"]),)}


def test_a_jax_function_is_an_op():
    fn = interop.from_jax(sines)
    x = torch.linspace(0.1, 1, 4, requires_grad=True)
    w = torch.tensor(2.0, requires_grad=True)
    made = fn(x, 3, tree={"w": w})
    (first,) = torch.autograd.grad(made["out"].sum(), x, create_graph=True)
    first.sum().backward()
    made["sum"][0].backward()
    a = np.linspace(0.1, 1, 4, dtype=np.float32)
    np.testing.assert_allclose(first.detach(), 3 * np.sin(a) ** 2 * np.cos(a), rtol=1e-5)
    second = 6 * np.sin(a) * np.cos(a) ** 2 - 3 * np.sin(a) ** 3
    np.testing.assert_allclose(x.grad, second + 3 * np.sin(a) ** 2 * np.cos(a), rtol=1e-5)
    assert w.grad.item() == 1
    assert type(made["out"].grad_fn).__name__ == "SinesBackward"


def test_a_jax_function_in_transforms_of_torch_func():
    fn = interop.from_jax(sines)
    x = torch.linspace(0.1, 1, 4)
    plain = lambda x: x.sin() ** 2  # noqa: E731
    ours = lambda x: fn(x)["out"]  # noqa: E731
    for one, other in (
        (torch.vmap(ours)(x), plain(x)),
        (torch.func.jacfwd(torch.func.jacrev(lambda x: ours(x).sum()))(x), (2 * (2 * x).cos()).diag()),
        (torch.func.jvp(ours, (x,), (x,))[1], (2 * x).sin() * x),
        (torch.vmap(torch.func.grad(ours))(x), (2 * x).sin()),
    ):
        torch.testing.assert_close(one, other)


def test_a_jax_function_with_its_own_gradient():
    @jax.custom_vjp
    def product(x, y):
        return x * y

    product.defvjp(lambda x, y: (x * y, None), lambda _, g: (5 * g, 7 * g))
    fn = interop.from_jax(product)
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    fn(x, y).sum().backward()
    rows = torch.vmap(torch.func.grad(lambda r: fn(r, r).sum()))(torch.ones(3, 2))
    assert (x.grad.tolist(), y.grad.tolist(), rows.tolist()) == ([5, 5], [7, 7], [[12, 12]] * 3)


def test_a_jax_function_in_a_step_is_part_of_its_program():
    fn = interop.from_jax(lambda x: jnp.tanh(x) * 2)
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    losses = []
    for _ in range(4):
        before = stats.programs, stats.compiles
        optimizer.zero_grad()
        loss = fn(w).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert (stats.programs - before[0], stats.compiles - before[1]) == (1, 0)
    assert losses == sorted(losses, reverse=True)


def network():
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))


def points(n=16):
    x = np.random.default_rng(0).standard_normal((n, 3)).astype(np.float32)
    return x, x.sum(1, keepdims=True)


def test_a_module_trains_with_optax():
    model = network()
    fn, params = interop.export_module(model)
    x, y = points()
    tx = optax.adam(3e-2)

    def loss(params, buffers, key):
        out, buffers = fn(params, x, buffers=buffers, rng=key)
        return ((out - y) ** 2).mean(), buffers

    @jax.jit
    def step(params, state, buffers, key):
        (value, buffers), grads = jax.value_and_grad(loss, has_aux=True)(params, buffers, key)
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state, buffers, value

    state, buffers, values = tx.init(params), fn.buffers, []
    for i in range(30):
        params, state, buffers, value = step(params, state, buffers, jax.random.key(i))
        values.append(float(value))
    assert np.mean(values[-5:]) < values[0] / 2
    assert buffers["1.num_batches_tracked"] == 30 and fn.buffers["1.num_batches_tracked"] == 0
    assert model[1].num_batches_tracked.item() == 0 and not model[1].running_mean.any()
    assert all(p.grad is None for p in model.parameters())


def test_a_modules_values_and_gradients_are_its_own():
    model = network().eval()
    fn, params = interop.export_module(model)
    model.train()  # the function stays as the module was
    x, y = points(4)
    out = jax.jit(fn)(params, x)
    model.eval()
    loss = ((model(torch.tensor(x)) - torch.tensor(y)) ** 2).mean()
    loss.backward()
    grads = jax.grad(lambda p: ((fn(p, x) - y) ** 2).mean())(params)
    np.testing.assert_allclose(out, model(torch.tensor(x)).detach(), rtol=1e-5)
    for name, p in model.named_parameters():
        np.testing.assert_allclose(grads[name], p.grad, rtol=1e-4, atol=1e-6)
    each = jax.vmap(jax.grad(lambda p, x, y: ((fn(p, x[None]) - y) ** 2).sum()), (None, 0, 0))(params, x, y)
    for name, g in each.items():
        np.testing.assert_allclose(g.mean(0), grads[name], rtol=1e-4, atol=1e-6)


def test_a_module_under_shard_map():
    fn, params = interop.export_module(network().eval())
    x, _ = points(4)
    mesh = jax.make_mesh((1,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    sharded = jax.shard_map(
        lambda p, x: fn(p, x), mesh=mesh, in_specs=(PartitionSpec(), PartitionSpec("data")),
        out_specs=PartitionSpec("data"),
    )  # fmt: skip
    np.testing.assert_allclose(jax.jit(sharded)(params, x), fn(params, x), rtol=1e-6)


def test_dropout_comes_from_the_key():
    fn, params = interop.export_module(torch.nn.Dropout(0.5))
    x = np.ones(64, np.float32)
    drop = jax.jit(lambda key: fn(params, x, rng=key))
    one, two, again = drop(jax.random.key(1)), drop(jax.random.key(2)), drop(jax.random.key(1))
    assert (one == again).all() and (one != two).any() and set(one.tolist()) == {0.0, 2.0}
    legacy = jax.jit(lambda key: fn(params, x, rng=key))(jax.random.PRNGKey(1))
    assert (legacy == one).all()
    with pytest.raises(RuntimeError, match="a random number is drawn inside a JAX transform"):
        jax.jit(lambda x: fn(params, x))(x)


def test_draws_of_every_kind_come_from_the_key():
    def noise(x):
        drawn = torch.randn(64), torch.rand_like(x), torch.randint(0, 9, (64,)), torch.empty(64).uniform_(-1, 1)
        return (*drawn, torch.bernoulli(torch.full((64,), 0.5)), torch.randperm(64), x.clone().normal_(1, 2))

    x, before = np.ones(64, np.float32), torch.get_rng_state()
    fn = jax.jit(jax.vmap(lambda key: interop.as_jax(noise)(x, rng=key)))
    for drawn, again in zip(
        fn(jax.random.split(jax.random.key(0))), fn(jax.random.split(jax.random.key(0))), strict=True
    ):
        assert (drawn == again).all() and (drawn[0] != drawn[1]).any()
    assert torch.equal(torch.get_rng_state(), before)


def test_keys_go_through():
    key, x = jax.random.key(3), torch.zeros(4, dtype=torch.float32)
    noisy = interop.from_jax(lambda x, key: x + jax.random.normal(key, x.shape, x.dtype))
    assert noisy(x, key).tolist() == jax.random.normal(key, (4,), jnp.float32).tolist()
    assert noisy(x, jax.random.key(4)).tolist() != noisy(x, key).tolist()
    assert interop.as_jax(lambda x, key: key)(np.ones(1), key) is key


def test_names_and_modules_are_checked():
    fn, params = interop.export_module(torch.nn.BatchNorm1d(3))
    x = np.ones((2, 3), np.float32)
    for wrong in ({}, {**params, "more": 1}, [1]):
        with pytest.raises(ValueError, match="params must have the names"):
            fn(wrong, x)
    with pytest.raises(ValueError, match=r"buffers must have the names .* missing \['running_var'\], unknown \[\]"):
        fn(params, x, buffers={name: b for name, b in fn.buffers.items() if name != "running_var"})
    with pytest.raises(TypeError, match=r"takes a torch.nn.Module, not function"):
        interop.export_module(network)


def test_donated_memory_takes_nothing_else_along():
    model = torch.nn.Linear(2, 2)
    _, params = interop.export_module(model)
    other = torch.ones(2) + 1
    jax.jit(lambda p: jax.tree.map(lambda a: a * 2, p), donate_argnums=0)(params)
    out = model(torch.ones(2))
    assert other.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="Array has been deleted: a JAX function that donates its arguments"):
        out.tolist()
    assert (torch.ones(2) * 3).tolist() == [3, 3]


def test_layers_under_scan():
    """A stack of equal modules as one scan over their stacked parameters, its layers rematerialized."""
    torch.manual_seed(0)
    blocks = torch.nn.Sequential(*(torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh()) for _ in range(3)))
    fn, _ = interop.export_module(blocks[0])
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(interop.export_module(b)[1] for b in blocks))
    x = np.ones((2, 4), np.float32)

    def loss(params):
        return jax.lax.scan(lambda h, p: (jax.checkpoint(fn)(p, h), None), x, params)[0].sum()

    value, grads = jax.jit(jax.value_and_grad(loss))(stacked)
    wanted = blocks(torch.tensor(x)).sum()
    wanted.backward()
    np.testing.assert_allclose(value, wanted.detach(), rtol=1e-5)
    for i, block in enumerate(blocks):
        np.testing.assert_allclose(grads["0.weight"][i], block[0].weight.grad, rtol=1e-4, atol=1e-6)


def test_frozen_and_tied_parameters():
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Linear(3, 3, bias=False)
            self.b = torch.nn.Linear(3, 3, bias=False)
            self.b.weight = self.a.weight
            self.c = torch.nn.Linear(3, 1).requires_grad_(False)

        def forward(self, x):
            return self.c(self.b(self.a(x)))

    fn, params = interop.export_module(Tied())
    assert list(params) == ["a.weight", "c.weight", "c.bias"]
    grads = jax.grad(lambda p: fn(p, np.ones(3, np.float32)).sum())(params)
    assert grads["a.weight"].any() and not grads["c.weight"].any()
    bigger = {**params, "a.weight": params["a.weight"] * 2}
    free = {**params, "c.bias": params["c.bias"] * 0}
    x = np.ones(3, np.float32)
    np.testing.assert_allclose(fn({**bigger, "c.bias": free["c.bias"]}, x), 4 * fn(free, x), rtol=1e-5)


def test_parameters_stay_parameters_in_trees():
    model = torch.nn.Linear(2, 1)
    model.bias.requires_grad_(False)
    params = dict(model.named_parameters())
    grads = jax.jit(jax.grad(lambda p: interop.to_jax((p["weight"] ** 2).sum() + p["bias"].sum())))(params)
    moved = optax.apply_updates(params, jax.tree.map(lambda p, g: p + 0.5 * g, params, grads))
    for name, p in moved.items():
        assert isinstance(p, torch.nn.Parameter) and p.requires_grad == params[name].requires_grad
    torch.testing.assert_close(moved["weight"].detach(), 3 * model.weight.detach())
    mask = jax.tree.map(lambda p: p.ndim > 1, params)
    assert jax.tree.leaves(mask) == [False, True]
    assert [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)] == [
        "['bias'].data", "['weight'].data",
    ]  # fmt: skip


def test_jax_knows_tensors():
    x = torch.arange(3.0)
    assert isinstance(jax.jit(lambda t: t * 2 + 1)(x), torch.Tensor)
    doubled = jax.tree.map(jnp.add, {"x": x}, {"x": x})["x"]
    assert doubled.tolist() == [0, 2, 4]
    assert jax.grad(lambda t: interop.to_jax((t**2).sum()))(x).tolist() == [0, 2, 4]
    assert jax.vmap(lambda t: t.sin())(x).shape == (3,)
    shapes = jax.tree.map(lambda a: a.shape, [x])
    assert jax.tree.leaves(shapes, is_leaf=lambda s: isinstance(s, tuple)) == [(3,)]
    assert jax.tree.structure(x) == jax.tree.structure(torch.ones(5))
    assert len(jax.tree.leaves(torch.nn.Linear(2, 1).state_dict())) == 2


def test_a_function_with_its_own_gradient():
    class Clipped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 3

        @staticmethod
        def backward(ctx, g):
            return (g * 30).clamp(-10, 10)

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.ones(2))

        def forward(self, x):
            return Clipped.apply(self.w * x)

    fn, params = interop.export_module(Layer())
    grads = jax.jit(jax.grad(lambda p: fn(p, np.ones(2, np.float32)).sum()))(params)
    assert grads["w"].tolist() == [10, 10]
