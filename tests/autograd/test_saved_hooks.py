"""What happens to tensors that calls save: hooks, saving on the CPU, mutation; and edges of the graph."""

import pytest

import jtorch
from tests.oracle import both, same, same_error


def leaf(module, *values):
    return module.tensor(values or (0.5, 1.5, 2.5), requires_grad=True)


PROGRAMS = {
    "a product": lambda torch, x: x * x,
    "a saved result": lambda torch, x: x.exp(),
    "numbers": lambda torch, x: x * 3 + 1,
    "nothing": lambda torch, x: (x + x).sum(),
    "in place": lambda torch, x: (x * x).mul_(2),
    "a chain": lambda torch, x: (x * x).exp() / x,
    "a view": lambda torch, x: x[1:] * x[:2],
    "a power": lambda torch, x: x**3,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_packed(name):
    def fn(torch):
        log = []
        x = leaf(torch)

        def pack(t):
            log.append(("pack", t is x, t.detach().tolist()))
            return t

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: log.append("unpack") or t):
            y = PROGRAMS[name](torch, x)
        y.sum().backward()
        return log, x.grad

    same(fn)


def test_what_unpack_returns_is_used():
    def fn(torch):
        x = leaf(torch)
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach() * 10, lambda t: t):
            y = x * x
        y.sum().backward()
        return x.grad

    same(fn)


def test_double_backward_through_hooks():
    def fn(torch):
        x = torch.tensor([0.5, 1.5], dtype=torch.float64, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 1, lambda t: t):
            y = x**3 * x.exp()
        (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return first.detach(), torch.autograd.grad(first.sum(), x)

    same(fn)


def test_the_innermost_hooks_are_used():
    def fn(torch):
        log = []
        hooks = torch.autograd.graph.saved_tensors_hooks
        x = leaf(torch)
        with hooks(lambda t: log.append("outer") or t, lambda t: t):
            with hooks(lambda t: log.append("inner") or t, lambda t: t):
                x * x
            x * x
        x * x
        return log

    expected, actual = both(fn)
    assert actual == expected


def test_a_packed_tensor_may_be_modified():
    def fn(torch):
        x = leaf(torch)
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
            y = x * 1
            z = y * y
            y.add_(1)
        z.sum().backward()
        return x.grad

    same(fn)


def hooked(torch, pack, unpack):
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        return leaf(torch) ** 2


def disabled(torch):
    with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass


def freed(torch):
    y = leaf(torch) ** 2
    y.sum().backward()
    return y.grad_fn._saved_self


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: hooked(torch, lambda t: 3, lambda p: 3).sum().backward(),
        lambda torch: hooked(torch, lambda t: t.detach().add_(1), lambda p: p),
        lambda torch: hooked(torch, lambda t: t, lambda p: 1 / 0).sum().backward(),
        lambda torch: (leaf(torch) * 2).grad_fn._saved_nothing,
        lambda torch: (leaf(torch) * 2).grad_fn.nothing,
        lambda torch: torch.autograd.graph.get_gradient_edge(torch.ones(1)),
        disabled,
        freed,
    ],
)
def test_errors(fn):
    same_error(fn)


def test_saving_on_the_cpu():
    def fn(torch):
        x = leaf(torch)
        with torch.autograd.graph.save_on_cpu(pin_memory=False):
            y = (x * x).exp()
        y.sum().backward()
        return x.grad

    same(fn)


def test_mutation_of_saved_tensors():
    def fn(torch):
        x = leaf(torch)
        with torch.autograd.graph.allow_mutation_on_saved_tensors():
            y = x * 1
            z = (y * y).sum()
            y.zero_()
            z.backward()
        return x.grad, y

    same(fn)


def test_saved_operands_by_name():
    def fn(torch):
        x, w = leaf(torch), leaf(torch)
        node, result = (x * w).grad_fn, x.exp()
        return (
            node._saved_self is x, node._saved_other is w, result.grad_fn._saved_result is result,
            result.grad_fn._saved_result, (x**3).grad_fn._saved_exponent,
        )  # fmt: skip

    same(fn)


def test_hooks_of_one_saved_tensor():
    def fn(torch):
        x = leaf(torch)
        y = x**2
        y.grad_fn._raw_saved_self.register_hooks(lambda t: t * 2, lambda t: t / 4)
        y.sum().backward()
        return x.grad

    same(fn)


def test_gradient_edges():
    def fn(torch):
        x = leaf(torch)
        y = x * 2
        edge = torch.autograd.graph.get_gradient_edge
        found = torch.autograd.grad((y * y).sum(), [edge(x), edge(y)], retain_graph=True)
        from_edge = torch.autograd.grad([edge(y)], [x], [torch.ones(3)])
        x.sum().backward(inputs=[edge(x)])
        return found, from_edge, x.grad, edge(y)._fields, edge(x.unbind()[2]).output_nr

    same(fn)


def test_versions_can_be_counted_up():
    def fn(torch):
        x = leaf(torch)
        torch.autograd.graph.increment_version(x)
        torch.autograd.graph.increment_version([x, x])
        return x._version

    same(fn)


def test_memory_of_packed_tensors_is_freed():
    x = leaf(jtorch)
    with jtorch.autograd.graph.saved_tensors_hooks(lambda t: t * 1, lambda t: t):
        y = x * x
    y.sum().backward()
    assert y.grad_fn.saved is None
    assert jtorch.modes.rare == 0
