"""Hooks on modules against torch's: order, what they may replace, removal, errors and warnings."""

import copy

import pytest

from tests.oracle import same, same_error, same_print, same_warnings


def test_forward_hooks_run_in_order_and_may_replace():
    def run(torch):
        seen = []
        m = torch.nn.Linear(2, 1)
        with torch.no_grad():
            m.weight.fill_(1.0)
            m.bias.fill_(0.0)

        def pre(name, result=None):
            def hook(module, args):
                seen.append((name, [a.tolist() for a in args]))
                return result

            return hook

        def post(name, result=None):
            def hook(module, args, out):
                seen.append((name, [a.tolist() for a in args], out.tolist()))
                return result

            return hook

        m.register_forward_pre_hook(pre("pre 1"))
        m.register_forward_pre_hook(pre("pre 2", torch.tensor([[2.0, 3.0]])))
        m.register_forward_pre_hook(pre("pre 0"), prepend=True)
        m.register_forward_hook(post("post 1", torch.tensor([[9.0]])))
        m.register_forward_hook(post("post 2"))
        m.register_forward_hook(post("post 0"), prepend=True)
        return m(torch.tensor([[1.0, 1.0]])), seen

    same(run)


def test_hooks_with_keyword_arguments():
    def run(torch):
        class Add(torch.nn.Module):
            def forward(self, x, *, amount=1):
                return x + amount

        m = Add()
        m.register_forward_pre_hook(lambda module, args, kwargs: (args, {"amount": 5}), with_kwargs=True)
        m.register_forward_hook(lambda module, args, kwargs, out: out * kwargs["amount"], with_kwargs=True)
        return m(torch.ones(1)), m(torch.ones(1), amount=2)

    same(run)


def test_handles_remove_hooks():
    def run(torch):
        m = torch.nn.ReLU()
        handle = m.register_forward_hook(lambda module, args, out: out + 1, with_kwargs=False, always_call=True)
        with m.register_forward_hook(lambda module, args, out: out * 10):
            inside = m(torch.ones(1))
        outside = m(torch.ones(1))
        handle.remove()
        handle.remove()
        return inside, outside, m(torch.ones(1)), len(m._forward_hooks), len(m._forward_hooks_always_called)

    same(run)


def test_always_called_hooks_see_a_failed_forward():
    def run(torch):
        seen = []
        m = torch.nn.Linear(2, 1)
        m.register_forward_hook(lambda module, args, out: seen.append(("always", out)), always_call=True)
        m.register_forward_hook(lambda module, args, out: seen.append("never"))
        with pytest.raises(TypeError):
            m(1, 2, 3)
        return seen

    same(run)


def test_an_always_called_hook_that_fails_warns():
    def run(torch):
        def bad(module, args, out):
            raise ValueError("in the hook")

        m = torch.nn.Linear(2, 1)
        m.register_forward_hook(bad, always_call=True)
        with pytest.raises(TypeError):
            m(1, 2, 3)

    same_warnings(run)


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch, m: m.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True),
        lambda torch, m: (
            m.register_full_backward_hook(lambda *args: None),
            m.register_backward_hook(lambda *args: None),
        ),
        lambda torch, m: m.register_full_backward_hook(lambda module, grad_in, grad_out: (None, None)),
        lambda torch, m: m.register_full_backward_pre_hook(lambda module, grad_out: (None, None)),
    ],
)
def test_errors(fn):
    def run(torch):
        m = torch.nn.ReLU()
        fn(torch, m)
        m(torch.ones(1, requires_grad=True)).backward()

    same_error(run)


def test_full_backward_hooks():
    def run(torch):
        seen = []
        torch.manual_seed(0)
        m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
        for i, layer in enumerate(m):
            layer.register_full_backward_hook(lambda module, gi, go, i=i: seen.append((i, gi, go)))
            layer.register_full_backward_pre_hook(lambda module, go, i=i: seen.append(("pre", i, go)))
        x = torch.tensor([[1.0, 2.0]], requires_grad=True)
        out = m(x)
        out.sum().backward()
        return seen, x.grad, [p.grad for p in m.parameters()], out.grad_fn.name()

    same(run)


def test_full_backward_hooks_may_replace_gradients():
    def run(torch):
        m = torch.nn.Tanh()
        m.register_full_backward_hook(lambda module, gi, go: (gi[0] * 2,))
        m.register_full_backward_hook(lambda module, gi, go: (gi[0] + 1,))
        m.register_full_backward_pre_hook(lambda module, go: (go[0] * 10,))
        x = torch.tensor([0.5, -1.0], requires_grad=True)
        m(x).sum().backward()
        return x.grad

    same(run)


def test_full_backward_hook_of_several_inputs_and_outputs():
    def run(torch):
        class Pair(torch.nn.Module):
            def forward(self, x, label, y):
                return x * y, label, x + y

        seen = []
        m = Pair()
        m.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
        x, y = torch.ones(2, requires_grad=True), torch.tensor([2.0, 3.0])
        a, _, b = m(x, "label", y)
        (a * 2).sum().backward(retain_graph=True)
        (a + b).sum().backward()
        return seen, x.grad

    same(run)


def test_full_backward_hook_without_input_gradients():
    def run(torch):
        seen = []
        m = torch.nn.Linear(2, 1)
        m.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
        m(torch.ones(1, 2)).sum().backward()
        return seen, m.weight.grad

    same(run)
    same_warnings(run)


def test_full_backward_hook_with_create_graph():
    def run(torch):
        seen = []
        m = torch.nn.Tanh()
        m.register_full_backward_hook(lambda module, gi, go: seen.append((gi[0].detach(), go[0].detach())))
        x = torch.tensor([0.5], requires_grad=True)
        (first,) = torch.autograd.grad(m(x), x, create_graph=True)
        (second,) = torch.autograd.grad(first, x)
        return seen, first, second

    same(run)


def test_without_grad_mode_backward_hooks_leave_no_trace():
    def run(torch):
        m = torch.nn.Tanh()
        m.register_full_backward_hook(lambda *args: None)
        with torch.no_grad():
            out = m(torch.ones(1, requires_grad=True))
        return out, m(torch.ones(1))

    same(run)


def test_old_backward_hooks():
    def run(torch):
        seen = []
        m = torch.nn.Tanh()
        m.register_backward_hook(lambda module, gi, go: seen.append((gi, go)))
        x = torch.tensor([0.5, 1.0], requires_grad=True)
        m(x * 2).sum().backward()
        return seen, x.grad

    same(run)


def test_global_hooks():
    def run(torch):
        seen = []
        hooks = torch.nn.modules.module
        handles = [
            hooks.register_module_forward_pre_hook(lambda m, args: seen.append("pre")),
            hooks.register_module_forward_hook(lambda m, args, out: seen.append("post")),
            hooks.register_module_full_backward_hook(lambda m, gi, go: seen.append(("backward", gi, go))),
            hooks.register_module_full_backward_pre_hook(lambda m, go: seen.append(("before backward", go))),
        ]
        m = torch.nn.Sequential(torch.nn.Tanh())
        m[0].register_forward_pre_hook(lambda m, args: seen.append("own"))
        x = torch.tensor([0.5], requires_grad=True)
        m(x).backward()
        for handle in handles:
            handle.remove()
        m(x)
        return seen, x.grad

    same(run)


def test_registration_hooks():
    def run(torch):
        seen = []
        hooks = torch.nn.modules.module
        handles = [
            hooks.register_module_parameter_registration_hook(lambda m, n, p: seen.append(("parameter", n))),
            hooks.register_module_buffer_registration_hook(lambda m, n, b: seen.append(("buffer", n))),
            hooks.register_module_module_registration_hook(
                lambda m, n, c: torch.nn.Tanh() if isinstance(c, torch.nn.ReLU) else None
            ),
        ]
        m = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1), torch.nn.ReLU())
        for handle in handles:
            handle.remove()
        return seen, [type(x).__name__ for x in m]

    same(run)


def test_hooks_are_copied_with_the_module():
    def run(torch):
        m = torch.nn.ReLU()
        m.register_forward_hook(lambda module, args, out: out + 1)
        copied = copy.deepcopy(m)
        m._forward_hooks.clear()
        return m(torch.ones(1)), copied(torch.ones(1))

    same(run)


def test_hooks_of_a_grad_fn():
    def run(torch):
        seen = []
        x = torch.tensor([0.5, 1.0], requires_grad=True)
        y = x * 2
        z = torch.tanh(y)
        z.grad_fn.register_prehook(lambda go: (go[0] * 10,))
        z.grad_fn.register_hook(lambda gi, go: seen.append(("after", gi, go)))
        handle = z.grad_fn.register_hook(lambda gi, go: seen.append("removed"))
        handle.remove()
        y.grad_fn.register_hook(lambda gi, go: (gi[0] + 1, *gi[1:]))
        z.register_hook(lambda g: seen.append(("tensor", g)))
        z.sum().backward()
        return seen, x.grad

    same(run)


@pytest.mark.parametrize("at", ["input", "output"])
def test_what_passed_a_full_backward_hook_is_not_written_to(at):
    def run(torch):
        m = torch.nn.Sequential(torch.nn.ReLU(inplace=at == "input"))
        m.register_full_backward_hook(lambda module, gi, go: None)
        y = m(torch.ones(2, requires_grad=True) * 2)
        y += 1

    same_error(run)


def test_hooks_are_printed():
    same_print(lambda torch: torch.nn.Linear(1, 1)._forward_hooks)
