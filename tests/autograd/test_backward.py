"""backward() and grad(): values, accumulation, arguments, errors."""

import gc
import weakref

import numpy as np
import pytest

import jtorch
from jtorch.autograd.through import through
from tests.oracle import both, same, same_error, same_warnings

pytestmark = pytest.mark.filterwarnings("ignore:`grad_variables`")


def leaf(module, *values):
    return module.tensor(values or (2.0, 3.0), requires_grad=True)


def test_gradients_add_up_in_place():
    def fn(torch):
        x = leaf(torch)
        (x * x).sum().backward()
        first = x.grad
        version = first._version
        (x * 3).sum().backward()
        return x.grad is first, first._version - version, first

    same(fn)


def test_a_gradient_given_is_not_taken_over():
    def fn(torch):
        x, g = leaf(torch), torch.ones(2)
        x.backward(g)
        first = x.grad
        x.backward(g)
        return x.grad is g, x.grad is first, g, x.grad

    same(fn)


def test_set_to_none_and_zero():
    def fn(torch):
        x = leaf(torch)
        (x * x).sum().backward()
        first = x.grad
        x.grad.zero_()
        (x * 5).sum().backward()
        x.grad = None
        (x * 7).sum().backward()
        return first, x.grad

    same(fn)


def test_create_graph():
    @pytest.mark.filterwarnings("ignore")
    def fn(torch):
        x = leaf(torch)
        (first,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
        (third,) = torch.autograd.grad(second.sum(), x)
        return first.detach(), second.detach(), third, first.requires_grad, third.requires_grad

    same(fn)


@pytest.mark.filterwarnings("ignore:Using backward")
def test_backward_with_a_graph():
    def fn(torch):
        x = leaf(torch)
        (x * x).sum().backward(create_graph=True)
        first = x.grad
        (x * x).sum().backward(create_graph=True)
        return first, x.grad, x.grad is first

    same(fn)


def test_backward_with_a_graph_warns():
    same_warnings(lambda torch: leaf(torch).sum().backward(create_graph=True))


DOUBLE = {
    "exp": lambda torch, x: x.exp(),
    "tanh": lambda torch, x: x.tanh(),
    "sigmoid": lambda torch, x: x.sigmoid(),
    "division": lambda torch, x: 1 / x,
    "pow": lambda torch, x: x**2.5,
    "abs": lambda torch, x: x.abs() * x,
    "sqrt": lambda torch, x: x.sqrt(),
    "log": lambda torch, x: x.log(),
    "sin": lambda torch, x: x.sin(),
    "views": lambda torch, x: x.view(2, 1).t()[0] * x[1] * x,
    "in place": lambda torch, x: (x * 2).mul_(x).exp_(),
    "where": lambda torch, x: torch.where(x > 2.5, x * x, x * x * x),
    "product": lambda torch, x: x * x.detach() * x.sum(),
}


@pytest.mark.parametrize("name", DOUBLE)
def test_three_derivatives(name):
    def fn(torch):
        x = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
        found, y = [], DOUBLE[name](torch, x)
        for _ in range(3):
            if not y.requires_grad:
                break
            (y,) = torch.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True)
            if y is None:
                break
            found.append(y.detach())
        return found

    same(fn)


def test_inputs():
    def fn(torch):
        a, b = leaf(torch), leaf(torch)
        c = a * b
        d = c * c
        d.sum().backward(inputs=[a, c])
        return a.grad, b.grad, c.grad

    same(fn)


def test_inputs_may_be_a_dict_or_one_tensor():
    def fn(torch):
        a, b = leaf(torch), leaf(torch)
        (a * b).sum().backward(inputs=a)
        (a * b).sum().backward(inputs={"b": b})
        return a.grad, b.grad, torch.autograd.grad((a * b).sum(), {"a": a, "b": b})

    same(fn)


def test_several_roots():
    def fn(torch):
        x, w = leaf(torch), leaf(torch)
        y = x * w
        torch.autograd.backward([y.sum(), y, x], [None, torch.ones(2), torch.tensor([5.0, 6.0])])
        return x.grad, w.grad

    same(fn)


def test_one_node_with_several_outputs():
    def fn(torch):
        x = leaf(torch, 1.0, 2.0, 3.0)
        a, b, c = x.unbind()
        (a * 2 + c * c).backward()
        return x.grad

    same(fn)


def test_gradients_of_all_kinds_of_inputs():
    def fn(torch):
        x, w = leaf(torch), leaf(torch)
        y = x * w
        z = y * x
        grads = torch.autograd.grad(z.sum(), [x, y, z, w], retain_graph=True)
        unused = torch.autograd.grad(z.sum(), [x, leaf(torch)], allow_unused=True, retain_graph=True)
        zeros = torch.autograd.grad(z.sum(), [leaf(torch), x], materialize_grads=True, retain_graph=True)
        return grads, unused, zeros, torch.autograd.grad(z, z, torch.ones(2)), x.grad

    same(fn)


def test_weights():
    def fn(torch):
        x = leaf(torch)
        return torch.autograd.grad([x * 2, (x * x).sum()], x, [torch.tensor([1.0, 10.0]), None])

    same(fn)


def test_weights_of_another_dtype():
    def fn(torch):
        x = leaf(torch)
        (x * 2).backward(torch.ones(2, dtype=torch.float64))
        (x * 2).backward(torch.ones(2, dtype=torch.int64))
        return x.grad

    same(fn)


@pytest.mark.parametrize("create_graph", [False, True])
def test_batched_weights(create_graph):
    def fn(torch):
        x = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
        y = x.exp() * x.sum()
        weights = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]], dtype=torch.float64)
        (rows,) = torch.autograd.grad(y, x, weights, is_grads_batched=True, create_graph=create_graph)
        found = [rows.detach(), rows.requires_grad]
        if create_graph:
            found.append(torch.autograd.grad(rows.sum(), x))
        return found

    same(fn)


def backward_twice(torch):
    y = (leaf(torch) ** 2).sum()
    y.backward()
    y.backward()


def twice_by_a_number(torch):
    y = leaf(torch) * 2
    y.backward(torch.ones(2))
    y.backward(torch.ones(2))


@pytest.mark.parametrize(
    "fn",
    [
        backward_twice,
        twice_by_a_number,
        lambda torch: leaf(torch).backward(),
        lambda torch: torch.ones(1).backward(),
        lambda torch: (leaf(torch) * 2).backward(torch.ones(3)),
        lambda torch: (leaf(torch) * 2).backward(torch.ones(1, 2)),
        lambda torch: (leaf(torch) * 2).backward(torch.ones(2, dtype=torch.complex64)),
        lambda torch: (leaf(torch) * 2).backward(1.0),
        lambda torch: torch.autograd.backward([leaf(torch), leaf(torch)], [torch.ones(2)]),
        lambda torch: torch.autograd.backward([leaf(torch), 3], [torch.ones(2), None]),
        lambda torch: leaf(torch).sum().backward(inputs=[]),
        lambda torch: leaf(torch).sum().backward(inputs=[torch.ones(1)]),
        lambda torch: leaf(torch).sum().backward(inputs=[3]),
        lambda torch: leaf(torch).sum().backward(inputs=3),
        lambda torch: torch.autograd.backward(leaf(torch), torch.ones(2), grad_variables=torch.ones(2)),
        lambda torch: torch.autograd.grad(leaf(torch).sum(), []),
        lambda torch: torch.autograd.grad([], leaf(torch)),
        lambda torch: torch.autograd.grad(leaf(torch).sum(), torch.ones(1)),
        lambda torch: torch.autograd.grad(leaf(torch).sum(), leaf(torch)),
        lambda torch: torch.autograd.grad(leaf(torch).sum(), leaf(torch), allow_unused=False, materialize_grads=True),
        lambda torch: torch.autograd.grad(leaf(torch).sum(), 3),
        lambda torch: torch.autograd.grad(3, leaf(torch)),
        lambda torch: torch.autograd.grad(leaf(torch), leaf(torch), torch.ones(3)),
        lambda torch: torch.autograd.grad(torch.ones(2), leaf(torch), torch.ones(2)),
        lambda torch: torch.autograd.grad((x := leaf(torch)) * 2, x, torch.ones(3, 4), is_grads_batched=True),
        lambda torch: torch.autograd.grad((x := leaf(torch)) * 2, x, None, is_grads_batched=True),
        lambda torch: leaf(torch).to(torch.complex64).sum().backward(),
        lambda torch: leaf(torch).to(torch.complex64).sum().backward(torch.tensor(1.0)),
    ],
)
def test_errors(fn):
    same_error(fn)


def test_a_graph_without_saved_values_can_be_walked_again():
    def fn(torch):
        x = leaf(torch)
        y = (x + x - 1).sum()
        y.backward()
        y.backward()
        return x.grad

    same(fn)


def test_retain_graph():
    def fn(torch):
        x = leaf(torch)
        y = (x * x).sum()
        y.backward(retain_graph=True)
        y.backward()
        return x.grad

    same(fn)


def test_leaves_that_are_complete_before_an_error_have_their_gradient():
    def fn(torch):
        a, b = leaf(torch), leaf(torch)
        y = (a * a).sum()
        z = y + b.sum()
        y.backward(retain_graph=False)
        with pytest.raises(RuntimeError):
            z.backward()
        return a.grad, b.grad

    same(fn)


def test_only_inputs_warns():
    same_warnings(lambda torch: torch.autograd.grad((x := leaf(torch)).sum(), x, only_inputs=False))
    same_warnings(lambda torch: torch.autograd.backward(leaf(torch), grad_variables=torch.ones(2)))


def test_deep_graphs_need_no_recursion():
    x = leaf(jtorch, 1.0)
    y = x
    for _ in range(100_000):
        (y,) = through("Deep", [y], lambda gradients: gradients)
    for _ in range(300):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1]
    del y


def test_the_graph_is_freed():
    x = leaf(jtorch)
    y = x * 2
    node = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        y.sum().backward()
        del y
        assert node() is None
    finally:
        gc.enable()


def test_saved_values_are_freed():
    x = leaf(jtorch)
    y = x * 2
    z = y.exp() * y
    saved = weakref.ref(z.grad_fn.saved[0])
    del y
    assert saved() is not None
    z.sum().backward()
    assert saved() is None


def test_many_small_graphs_agree_with_torch():
    draw = np.random.default_rng(0)
    for _ in range(4):
        plan = draw.integers(0, 4, 10)
        expected, actual = both(lambda module, plan=plan: random_program(module, plan))
        for one, other in zip(expected, actual, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-12)


def random_program(torch, plan):
    """Gradients of a program that the numbers of the plan describe."""
    x = torch.tensor([0.5, 1.5, 2.5], dtype=torch.float64, requires_grad=True)
    y = x * 1
    z = x + 1
    for step in plan:
        if step == 0:
            y = y * z.cos()
        elif step == 1:
            y[1:].mul_(0.5)
        elif step == 2:
            z = z + y.detach().clone() * x
        else:
            y.add_(z)
    (first,) = torch.autograd.grad((y * z).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    return first.detach(), second
