"""Hooks on tensors, leaves and nodes: what they get, what they may return, in which order they run."""

import pytest

import jtorch
from tests.oracle import both, same, same_error


def leaf(module, *values):
    return module.tensor(values or (2.0, 3.0), requires_grad=True)


def same_log(fn):
    """Assert that fn(module, log) logs the same with torch and with jtorch."""

    def run(module):
        log = []
        fn(module, log.append)
        return log

    expected, actual = both(run)
    assert actual == expected
    assert expected, "the test logs nothing"


def watched(tensors, log):
    """Put every kind of hook on the tensors, by name."""
    for name, t in tensors.items():
        t.register_hook(lambda g, name=name: log(f"tensor {name}"))
        if t.is_leaf:
            t.register_post_accumulate_grad_hook(lambda t, name=name: log(f"accumulated {name}"))
            node = t.view_as(t).grad_fn.next_functions[0][0]
        else:
            node = t.grad_fn
        node.register_prehook(lambda gs, name=name: log(f"before {name}"))
        node.register_hook(lambda gi, go, name=name: log(f"after {name}: {len(gi)} {len(go)}"))


def test_order():
    def fn(torch, log):
        a, b, c = leaf(torch), leaf(torch), leaf(torch)
        t = a * b
        u = t * c
        v = u * a
        w = v.sum()
        watched({"a": a, "b": b, "c": c, "t": t, "u": u, "v": v, "w": w}, log)
        w.backward()

    same_log(fn)


def test_a_leaf_is_done_as_soon_as_its_last_gradient_is_there():
    def fn(torch, log):
        a, b, c = leaf(torch), leaf(torch), leaf(torch)
        y = (a.exp() * b).sin() * c + b
        for name, x in {"a": a, "b": b, "c": c}.items():
            x.register_post_accumulate_grad_hook(lambda x, name=name: log((name, a.grad is None, b.grad is None)))
        y.register_hook(lambda g: log("y"))
        y.sum().backward()

    same_log(fn)


def test_hooks_run_in_the_order_of_registration():
    def fn(torch, log):
        x = leaf(torch)
        y = x * 2
        for i in range(3):
            y.register_hook(lambda g, i=i: log((i, g.tolist())) or g + 1)
            x.register_hook(lambda g, i=i: log((i, g.tolist())) or g * 2)
        y.sum().backward()
        log(x.grad.tolist())

    same_log(fn)


def test_removal():
    def fn(torch, log):
        x = leaf(torch)
        first = x.register_hook(lambda g: log("first"))
        x.register_hook(lambda g: log("second"))
        with x.register_hook(lambda g: log("third")):
            (x * 2).sum().backward()
        first.remove()
        first.remove()
        (x * 2).sum().backward()

    same_log(fn)


def test_a_hook_may_remove_itself():
    def fn(torch, log):
        x = leaf(torch)
        handle = x.register_hook(lambda g: log("once") or handle.remove())
        (x * 2).sum().backward()
        (x * 2).sum().backward()

    same_log(fn)


def test_retained_gradients_are_those_after_the_hooks():
    def fn(torch):
        x = leaf(torch)
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: g * 3)
        y.sum().backward(retain_graph=True)
        first = y.grad.clone()
        y.sum().backward()
        return first, y.grad, x.grad

    same(fn)


def test_retained_gradients_follow_an_in_place_op_and_hooks_stay():
    def fn(torch):
        log = []
        x = leaf(torch)
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: log.append(("old", g.tolist())))
        y.mul_(3)
        y.register_hook(lambda g: log.append(("new", g.tolist())))
        y.sum().backward()
        return log, y.grad, x.grad

    same(fn)


def test_a_view_that_is_written_to_keeps_no_gradient():
    def fn(torch):
        x = leaf(torch)
        y = x * 1
        y.retain_grad()
        v = y[0]
        v.retain_grad()
        v.mul_(3)
        y.sum().backward()
        return y.grad, v.grad, x.grad

    same(fn)


def test_hooks_write_into_the_gradient():
    def fn(torch):
        x = leaf(torch)
        y = x * 2
        z = y * 1
        y.register_hook(lambda g: g.mul_(5) and None if False else g.mul_(5))
        x.register_hook(double_in_place)
        z.sum().backward()
        return x.grad

    same(fn)


def double_in_place(gradient):
    gradient.mul_(2)


def test_outputs_without_a_gradient():
    def fn(torch, log):
        x = leaf(torch)
        a, b = x.unbind()
        a.register_hook(lambda g: log(g))
        b.register_hook(lambda g: log(g.tolist()))
        a.grad_fn.register_prehook(lambda gs: log([g is None for g in gs]))
        (b * 1).backward()

    same_log(fn)


def test_what_grad_asks_for_has_been_through_its_hooks():
    def fn(torch):
        a = leaf(torch)
        b = a * 2
        c = b * 3
        b.register_hook(lambda g: g * 10)
        b.grad_fn.register_prehook(lambda gs: (gs[0] * 1000,))
        a.register_hook(lambda g: g * 100)
        b.retain_grad()
        both_of_them = torch.autograd.grad(c.sum(), [a, b], retain_graph=True)
        one = torch.autograd.grad(c.sum(), b, retain_graph=True)
        c.sum().backward(inputs=[a, b])
        return both_of_them, one, a.grad, b.grad

    same(fn)


def test_node_hooks_see_and_replace():
    def fn(torch):
        log = []
        x, w = leaf(torch), leaf(torch)
        y = x * w
        y.grad_fn.register_prehook(lambda gs: log.append([g.tolist() for g in gs]))
        y.grad_fn.register_prehook(lambda gs: (gs[0] * 2,))
        y.grad_fn.register_hook(lambda gi, go: log.append([[g.tolist() for g in gs] for gs in (gi, go)]))
        y.grad_fn.register_hook(lambda gi, go: (gi[0] + 1, None))
        z = x + 1
        z.grad_fn.register_hook(lambda gi, go: log.append([g is None for g in gi]))
        (y.sum() + z.sum()).backward()
        return log, x.grad, w.grad

    same(fn)


def test_hooks_of_a_leafs_node():
    def fn(torch, log):
        x = leaf(torch)
        held = x.view_as(x)
        held.grad_fn.next_functions[0][0].register_hook(lambda gi, go: log([list(gi), go[0].tolist()]))
        node = (x * 2).grad_fn.next_functions[0][0]
        node.register_prehook(lambda gs: log(gs[0].tolist()) or (gs[0] * 7,))
        (x * 2).sum().backward()
        log(x.grad.tolist())

    same_log(fn)


def test_grad_mode_inside_hooks():
    def fn(torch, log):
        x = leaf(torch)
        y = x * x
        y.register_hook(lambda g: log((torch.is_grad_enabled(), g.requires_grad)))
        torch.autograd.grad(y.sum(), x, retain_graph=True)
        torch.autograd.grad(y.sum(), x, create_graph=True)
        log(torch.is_grad_enabled())

    same_log(fn)


def test_hooks_are_part_of_the_graph_of_a_gradient():
    def fn(torch):
        x = leaf(torch)
        y = x * x
        y.register_hook(lambda g: g * x)
        (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return first.detach(), torch.autograd.grad(first.sum(), x)

    same(fn)


WRONG = {
    "a number": lambda torch: 1,
    "a dtype": lambda torch: torch.ones(2).double(),
    "a shape": lambda torch: torch.ones(3),
    "a string": lambda torch: "a",
    "a list": lambda torch: [torch.ones(2), None],
    "too few": lambda torch: (),
    "too many": lambda torch: (torch.ones(2), torch.ones(2), None),
    "numbers": lambda torch: (1, None),
    "shapes": lambda torch: (torch.ones(3), None),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("kind", ["tensor", "leaf", "before", "after"])
def test_wrong_results(what, kind):
    def fn(torch):
        x = leaf(torch)
        y = x * 2

        def hook(*given):
            found = WRONG[what](torch)
            return found[:1] if kind == "before" and type(found) is tuple and len(found) == 2 else found

        if kind in ("tensor", "leaf"):
            (y if kind == "tensor" else x).register_hook(hook)
        elif kind == "before":
            y.grad_fn.register_prehook(hook)
        else:
            y.grad_fn.register_hook(hook)
        y.sum().backward()

    same_error(fn)


def test_a_gradient_that_is_not_there_can_not_be_replaced():
    def fn(torch):
        y = leaf(torch) * 2
        y.grad_fn.register_hook(lambda gi, go: (torch.ones(2), torch.ones(2)))
        y.sum().backward()

    same_error(fn)


def test_a_post_accumulate_hook_may_drop_the_gradient():
    def fn(torch):
        x = leaf(torch)
        x.register_post_accumulate_grad_hook(lambda x: setattr(x, "grad", None))
        (x * 2).sum().backward()
        return x.grad

    same(fn)


@pytest.mark.parametrize("mode", ["all", "any"])
def test_hooks_on_several_tensors(mode):
    def fn(torch, log):
        a, b = leaf(torch), leaf(torch)
        c, d = a * b, a * b
        hook = torch.autograd.graph.register_multi_grad_hook

        def shown(gradients):
            log([g is not None and g.tolist() for g in gradients] if mode == "all" else gradients.tolist())

        handle = hook((a, b, c, d), shown, mode=mode)
        c.sum().backward(retain_graph=True)
        c.sum().backward(inputs=[a], retain_graph=True)
        (c * d).sum().backward(retain_graph=True)
        handle.remove()
        c.sum().backward()

    same_log(fn)


def test_errors_of_hooks_on_several_tensors():
    same_error(lambda torch: torch.autograd.graph.register_multi_grad_hook([leaf(torch)], print, mode="some"))


def test_an_error_in_a_hook_leaves_grad_mode_as_it_was():
    x = leaf(jtorch)
    x.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (x * 2).sum().backward()
    assert jtorch.is_grad_enabled() and x.grad is None


def test_a_step_with_hooks_is_still_one_program():
    x = leaf(jtorch)
    seen = []
    x.register_hook(lambda g: seen.append(g))
    before = jtorch.engine.stats.programs
    (x * x).sum().backward()
    assert jtorch.engine.stats.programs == before
    assert seen[0].tolist() == [4, 6]
