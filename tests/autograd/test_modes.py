"""no_grad, enable_grad, set_grad_enabled, inference_mode: contexts, decorators, generators, classes, threads."""

import threading

import pytest

import jtorch
from tests.oracle import both, same, same_error, same_warnings

MODES = {
    "no_grad": lambda torch: torch.no_grad(),
    "enable_grad": lambda torch: torch.enable_grad(),
    "set_grad_enabled(False)": lambda torch: torch.set_grad_enabled(False),
    "set_grad_enabled(True)": lambda torch: torch.set_grad_enabled(True),
    "inference_mode": lambda torch: torch.inference_mode(),
    "inference_mode(False)": lambda torch: torch.inference_mode(False),
}


def state(torch):
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled()


def same_states(fn):
    expected, actual = both(fn)
    assert actual == expected


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_nested(outer, inner):
    def fn(torch):
        found = []
        with MODES[outer](torch):
            found.append(state(torch))
            with MODES[inner](torch):
                found.append(state(torch))
            found.append(state(torch))
        return [*found, state(torch)]

    same_states(fn)


@pytest.mark.parametrize("name", MODES)
def test_as_a_decorator(name):
    def fn(torch):
        inside = MODES[name](torch)(lambda: state(torch))
        return inside(), state(torch), inside()

    same_states(fn)


def test_decorators_without_parentheses():
    def fn(torch):
        def inside():
            return state(torch)

        wrapped = [decorate(inside) for decorate in (torch.no_grad, torch.enable_grad, torch.inference_mode)]
        return [w() for w in wrapped], [w.__name__ for w in wrapped]

    same_states(fn)


@pytest.mark.parametrize("name", MODES)
def test_on_a_generator(name):
    def fn(torch):
        def steps():
            got = yield state(torch)
            try:
                yield state(torch), got
            except ValueError as error:
                yield state(torch), str(error)
            return state(torch)

        made = MODES[name](torch)(steps)()
        found = [next(made), state(torch), made.send(5), state(torch), made.throw(ValueError("oh")), state(torch)]
        try:
            next(made)
        except StopIteration as stop:
            found.append(stop.value)
        return [*found, state(torch)]

    same_states(fn)


def test_closing_a_generator():
    def fn(torch):
        found = []

        def steps():
            try:
                yield state(torch)
            finally:
                found.append(state(torch))

        made = torch.no_grad()(steps)()
        found.append(next(made))
        made.close()
        return [*found, state(torch)]

    same_states(fn)


@pytest.mark.filterwarnings("ignore:Decorating classes")
def test_on_a_class():
    def fn(torch):
        class Thing:
            def __init__(self):
                self.made = state(torch)

            def later(self):
                return state(torch)

        thing = torch.no_grad()(Thing)()
        return thing.made, thing.later()

    same_states(fn)
    same_warnings(lambda torch: torch.no_grad()(type("Thing", (), {})))


def test_set_grad_enabled_as_a_function():
    def fn(torch):
        found = []
        torch.set_grad_enabled(False)
        found.append(state(torch))
        with torch.set_grad_enabled(True):
            found.append(state(torch))
        found.append(state(torch))
        torch.set_grad_enabled(True)
        return [*found, state(torch), repr(torch.set_grad_enabled(True))]

    same_states(fn)


def test_one_object_entered_twice():
    mode = jtorch.no_grad()
    with mode:
        with mode:
            assert state(jtorch) == (False, False)
        assert state(jtorch) == (False, False)
    assert state(jtorch) == (True, False)


def test_an_error_puts_the_mode_back():
    def fn(torch):
        for name in MODES:
            with pytest.raises(ZeroDivisionError), MODES[name](torch):
                raise ZeroDivisionError
        return state(torch)

    same_states(fn)


def test_threads_have_their_own():
    def fn(torch):
        found = []
        with torch.no_grad(), torch.inference_mode():
            other = threading.Thread(target=lambda: found.append(state(torch)))
            other.start()
            other.join()
        return found

    same_states(fn)


def test_a_backward_in_another_thread():
    x = jtorch.ones(2, requires_grad=True)
    y = (x * x).sum()
    other = threading.Thread(target=y.backward)
    other.start()
    other.join()
    assert x.grad.tolist() == [2, 2]


def test_results_in_each_mode():
    def fn(torch):
        x = torch.ones(3, requires_grad=True)
        found = []
        for name in MODES:
            with MODES[name](torch):
                y = x * 2
                found.append(
                    (y.requires_grad, y.is_leaf, y.is_inference(), torch.zeros(2, requires_grad=True).requires_grad)
                )
                found.append((x[:2].requires_grad, x[:2].is_inference(), x.detach().is_inference()))
        return found

    same_states(fn)


def inference(torch, *shape):
    with torch.inference_mode():
        return torch.ones(*shape)


def test_what_inference_tensors_may():
    def fn(torch):
        i = inference(torch, 4)
        q = torch.ones(4, requires_grad=True)
        with torch.inference_mode():
            i.add_(1)
            i[0] = 5
            i.unsqueeze_(0).squeeze_(0)
            torch.add(i, 1, out=i)
            made = [
                i.requires_grad_().requires_grad,
                i.requires_grad_(False).requires_grad,
                i.view(2, 2).is_inference(),
            ]
            q.add_(1)
        y = i + q
        return made, i, i.is_inference(), i[:2].is_inference(), i.detach().is_inference(), (i + 1).is_inference(), y, q

    same(fn)


def test_numpy_shares_an_inference_tensors_memory():
    def fn(torch):
        i = inference(torch, 3)
        n = i.numpy()
        n[0] = 7
        return i, n

    same(fn)


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch, i: i.add_(1),
        lambda torch, i: i[:2].add_(1),
        lambda torch, i: i.zero_(),
        lambda torch, i: i.copy_(torch.ones(4)),
        lambda torch, i: i.__setitem__(0, 1.0),
        lambda torch, i: torch.add(i, 1, out=i),
        lambda torch, i: i._version,
        lambda torch, i: i.requires_grad_(),
        lambda torch, i: setattr(i, "requires_grad", True),
        lambda torch, i: i * torch.ones(4, requires_grad=True),
        lambda torch, i: (torch.ones(4, requires_grad=True) * 1).mul_(i),
        lambda torch, i: i.unsqueeze_(0),
        lambda torch, i: (i + torch.ones(4, requires_grad=True)).exp().mul(i),
    ],
)
def test_what_inference_tensors_may_not(fn):
    same_error(lambda torch: fn(torch, inference(torch, 4)))


def test_a_view_made_in_inference_mode_of_a_normal_tensor():
    def fn(torch):
        y = torch.ones(4)
        with torch.inference_mode():
            v = y[:2]
        v.add_(1)
        return y, v, v.is_inference(), v.requires_grad

    same(fn)


def test_training_after_inference_is_as_fast_as_before():
    with jtorch.inference_mode():
        jtorch.ones(2) * 2
    assert jtorch.modes.rare == 0


def test_a_backward_inside_no_grad():
    def fn(torch):
        x = torch.ones(2, requires_grad=True)
        y = (x * x).sum()
        with torch.no_grad():
            y.backward(retain_graph=True)
            (g,) = torch.autograd.grad(y, x, create_graph=True)
        return x.grad, g.detach(), g.requires_grad

    same(fn)


def test_switches_of_the_engine():
    def fn(torch):
        grad = torch.autograd
        seen = [grad.is_multithreading_enabled(), grad.is_view_replay_enabled()]
        with grad.set_multithreading_enabled(False), grad._force_original_view_tracking(True):
            seen += [grad.is_multithreading_enabled(), grad.is_view_replay_enabled()]
        seen += [grad.is_multithreading_enabled(), grad.is_view_replay_enabled()]
        for switch in (grad._force_original_view_tracking, grad.set_multithreading_enabled):
            inside = switch(True)(lambda: (grad.is_multithreading_enabled(), grad.is_view_replay_enabled()))
            seen += [inside(), grad.is_multithreading_enabled(), grad.is_view_replay_enabled()]
        return seen

    expected, actual = both(fn)
    assert actual == expected


def test_a_new_gradient_lies_as_its_leaf_does():
    def fn(torch):
        found = []
        leaves = [
            torch.zeros(2, 3, 4).permute(2, 0, 1).requires_grad_(), torch.ones(3, 4).t().detach()[:2].requires_grad_(),
            torch.ones(1, 2, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_(),
        ]  # fmt: skip
        for _ in range(2):
            sum((x * torch.arange(float(x.numel())).view(x.shape)).sum() for x in leaves).backward()
            found.append([x.grad.clone() for x in leaves])
        with torch.autograd.enforce_grad_layout_policy(False):
            leaves[0].grad = None
            (leaves[0] * torch.ones(4, 2, 3)).sum().backward()
        torch.optim.SGD(leaves, lr=0.5).step()
        return found, leaves, [x.grad for x in leaves]

    same(fn, strides=True)


def test_writes_that_are_not_counted():
    def fn(torch):
        y = torch.ones(3, requires_grad=True) * 2
        with torch.autograd._unsafe_preserve_version_counter(y):
            y.add_(1)
        return y._version, y

    same(fn)
    same_error(lambda torch: torch.autograd._unsafe_preserve_version_counter([1]))
