"""grad_fn objects, leaves, requires_grad, and the attributes of autograd that tensors have."""

import pytest
import torch

import jtorch
from tests.oracle import both, same, same_error, same_warnings


def leaf(module, *shape):
    return module.ones(*shape, requires_grad=True)


def walk(node, depth=0):
    """The names of a node and of all it leads to, with output numbers."""
    if node is None:
        return None
    return type(node).__name__, [(walk(n, depth + 1), number) for n, number in node.next_functions]


GRAPHS = {
    "scalar operands": lambda torch, x, w: (x * 2 + 1 - w) / 3,
    "both operands": lambda torch, x, w: x * w + x,
    "a constant tensor": lambda torch, x, w: x * torch.ones(3),
    "views": lambda torch, x, w: x.view(3, 1).t()[0].unsqueeze(0),
    "several outputs": lambda torch, x, w: x.split(2)[1] * x.unbind()[2],
    "in place": lambda torch, x, w: x.mul(2).add_(w).mul_(x),
    "copy_": lambda torch, x, w: (x * 1).copy_(w),
    "copy_ into a constant": lambda torch, x, w: torch.zeros(3).copy_(w),
    "zero_": lambda torch, x, w: (x * 1).zero_(),
    "fill_": lambda torch, x, w: (x * 1).fill_(2),
    "fill_ with a tensor": lambda torch, x, w: (x * 1).fill_(w[0]),
    "sum": lambda torch, x, w: (x * x).sum(),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_graph_is_torchs(name):
    expected, actual = both(lambda module: walk(GRAPHS[name](module, leaf(module, 3), leaf(module, 3)).grad_fn))
    assert actual == expected


@pytest.mark.parametrize("module", [torch, jtorch])
def test_a_node_is_one_object(module):
    x = leaf(module, 2)
    y = x * 2
    node = y.grad_fn
    assert node is y.grad_fn
    assert node == y.grad_fn and hash(node) == hash(y.grad_fn)
    assert repr(node).startswith("<MulBackward0 object at 0x")
    assert type(node).__module__ == "builtins"
    assert isinstance(node, module.autograd.graph.Node)
    accumulate = node.next_functions[0][0]
    assert accumulate is node.next_functions[0][0]
    assert accumulate.variable is x
    assert accumulate.name() == "torch::autograd::AccumulateGrad"
    assert repr(accumulate).startswith("<AccumulateGrad object at 0x")
    assert accumulate.next_functions == ()
    assert node.metadata == {} and node.requires_grad


def test_metadata_is_kept():
    x = leaf(jtorch, 2)
    y = x * 2
    y.grad_fn.metadata["note"] = 3
    assert y.grad_fn.metadata == {"note": 3}


def test_leaves():
    def facts(torch):
        x = leaf(torch, 2, 2)
        y = x * 2
        with torch.no_grad():
            constant, view = x * 2, x[0]
        shown = [x, y, y.detach(), y.data, x.detach(), constant, view, x.view(4), torch.ones(2), y[0], y.sum()]
        return [(t.is_leaf, t.requires_grad, t.grad_fn is None, t.output_nr) for t in shown]

    expected, actual = both(facts)
    assert actual == expected


def test_output_numbers():
    expected, actual = both(lambda torch: [t.output_nr for t in leaf(torch, 3).unbind()])
    assert actual == expected


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: setattr(leaf(torch, 2) * 2, "requires_grad", False),
        lambda torch: setattr(leaf(torch, 2) * 2, "requires_grad", True),
        lambda torch: (leaf(torch, 2) * 2).requires_grad_(False),
        lambda torch: torch.tensor([1]).requires_grad_(),
        lambda torch: setattr(torch.tensor([1]), "requires_grad", True),
        lambda torch: setattr(torch.ones(1), "requires_grad", 1),
        lambda torch: torch.ones(1).requires_grad_(1),
        lambda torch: torch.tensor([1], requires_grad=True),
        lambda torch: (leaf(torch, 2) * 2)[0].detach_(),
        lambda torch: torch.ones(1).retain_grad(),
        lambda torch: setattr(leaf(torch, 2), "grad", 1),
        lambda torch: setattr(leaf(torch, 2), "grad", torch.ones(3)),
        lambda torch: setattr(leaf(torch, 2), "grad", torch.ones(2).double()),
        lambda torch: setattr(leaf(torch, 2), "grad", torch.ones(2).int()),
        lambda torch: setattr(leaf(torch, 2).double(), "grad", torch.ones(3)),
        lambda torch: setattr(leaf(torch, 2), "data", 3),
        lambda torch: torch.ones(1).register_hook(print),
        lambda torch: torch.ones(1).register_post_accumulate_grad_hook(print),
        lambda torch: (leaf(torch, 1) * 2).register_post_accumulate_grad_hook(print),
    ],
)
def test_errors_of_setters(fn):
    same_error(fn)


def test_a_tensor_is_not_its_own_gradient():
    def fn(torch):
        x = leaf(torch, 2)
        x.grad = x

    same_error(fn)


def test_changing_requires_grad():
    def facts(torch):
        x = torch.ones(2)
        x.requires_grad = True
        x.requires_grad = True
        first = x.requires_grad
        y = (x * 1).requires_grad_()
        x.requires_grad_(False)
        z = y.detach_()
        return first, x.requires_grad, z is y, y.is_leaf, y.requires_grad, y.grad_fn

    expected, actual = both(facts)
    assert actual == expected


def test_grad_is_kept_as_it_is_assigned():
    x, g = leaf(jtorch, 2), jtorch.ones(2)
    x.grad = g
    assert x.grad is g
    del x.grad
    assert x.grad is None
    assert x.grad_dtype is jtorch.float32


def test_grad_of_a_tensor_that_is_no_leaf_warns():
    def fn(torch):
        y = leaf(torch, 2) * 2
        assert y.grad is None

    same_warnings(fn)


def test_the_warning_points_at_the_user():
    y = leaf(jtorch, 2) * 2
    with pytest.warns(UserWarning) as caught:
        assert y.grad is None
    assert caught[0].filename == __file__


def test_retained_gradients_do_not_warn(recwarn):
    y = leaf(jtorch, 2) * 2
    y.retain_grad()
    y.retain_grad()
    assert y.grad is None and y.retains_grad
    y.sum().backward()
    assert y.grad.tolist() == [1, 1]
    assert not recwarn.list


def test_a_leaf_is_not_said_to_retain():
    def facts(torch):
        x = leaf(torch, 2)
        x.retain_grad()
        return x.retains_grad

    expected, actual = both(facts)
    assert actual == expected


def test_a_leaf_that_needs_no_gradient_any_more_gets_none():
    def fn(torch):
        x = leaf(torch, 2)
        y = x * 2
        x.requires_grad_(False)
        y.sum().backward()
        z = leaf(torch, 2)
        w = z * 2
        z.detach_()
        w.sum().backward()
        return x.grad, z.grad

    expected, actual = both(fn)
    assert actual == expected == (None, None)


def test_a_leaf_that_was_moved_into_the_graph():
    def fn(torch):
        x = leaf(torch, 2)
        y = x * 2
        x.requires_grad_(False)
        x.mul_(leaf(torch, 2))
        y.sum().backward()

    same_error(fn)


def test_saved_values_and_hooks_are_gone_after_backward():
    def fn(torch):
        x = leaf(torch, 2)
        y = x * x
        before = y.grad_fn._saved_self is x
        y.sum().backward()
        return before

    expected, actual = both(fn)
    assert actual == expected


def test_backward_hooks_are_shown():
    def fn(torch):
        x = leaf(torch, 2)
        y = x * 2
        before = x._backward_hooks, y._backward_hooks
        x.register_hook(print)
        y.register_hook(print)
        return before, list(x._backward_hooks.values()), list(y._backward_hooks.values())

    expected, actual = both(fn)
    assert actual == expected


def test_data_has_its_own_version():
    def fn(torch):
        x = leaf(torch, 3)
        y = x * 1
        counts = [y._version]
        y.data.add_(1)
        counts.append(y._version)
        y.detach().add_(1)
        counts.append(y._version)
        apart = y.data
        apart[0].zero_()
        counts += [y._version, apart._version, apart[0]._version]
        y[1:].mul_(2)
        counts += [y._version, y[0]._version]
        return counts, y

    same(fn)


def test_operands_that_are_sent_none():
    def fn(torch):
        x, tau, other = (torch.ones(s, dtype=torch.float64, requires_grad=True) for s in ((2, 0), (0,), (2, 3)))
        y = torch.ormqr(x, tau, other)
        z = torch.dist(y, torch.ones(2, 3), 0)
        seen = []
        y.grad_fn.register_hook(lambda sent, came: seen.append([g if g is None else g.shape for g in (*sent, *came)]))
        y.sum().backward()
        shown = [[name and type(name).__name__ for name, _ in t.grad_fn.next_functions] for t in (y, z)]
        return seen, shown, [t.grad is None for t in (x, tau, other)], z.requires_grad

    same(fn)


@pytest.mark.parametrize("budget", [True, "a", 2.0, 0.5])
def test_a_budget_of_memory(budget):
    same_error(lambda torch: torch.autograd.graph.region_activation_memory_budget(budget))


def test_a_budget_inside_a_compiled_call():
    @jtorch.compile
    def step(x):
        with jtorch.autograd.graph.region_activation_memory_budget(0.5):
            return x.exp()

    assert step(jtorch.zeros(2)).tolist() == [1, 1]
