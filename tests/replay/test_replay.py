"""Compiled calls beside torch's plain ones: what is replayed, and what must never be replayed stale."""

import copy
import operator
import random
import threading

import numpy as np
import pytest

import jtorch
from jtorch.engine import stats
from jtorch.nn.modules import module, module_hooks
from tests.oracle import same

SCALE = 2.0


class Settings:
    """What a user keeps beside a model."""

    factor = 3.0

    def __init__(self):
        self.shift = 1.0
        self.parts = [1.0, 2.0]
        self.table = {"a": 1.0}


def fast(lib, fn):
    """The compiled function with jtorch, the plain one with torch."""
    return jtorch.compile(fn) if lib is jtorch else fn


def replayed(act, least):
    """Compare with torch, and see that at least so many calls were replayed."""
    before = stats.replays
    same(act)
    assert stats.replays - before >= least


def never_replayed(act):
    """Compare with torch, and see that no call was replayed."""
    before = stats.replays
    same(act)
    assert stats.replays == before


def numbers(lib, *shape, seed=0):
    return lib.tensor(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def model(lib, *more):
    lib.manual_seed(0)
    return lib.nn.Sequential(lib.nn.Linear(4, 6), *more, lib.nn.Tanh(), lib.nn.Linear(6, 3))


def training(lib, net, optimizer, step=None):
    """A whole step, and its batches."""
    criterion = lib.nn.CrossEntropyLoss()

    def plain(x, y):
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        lib.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss

    batches = [(numbers(lib, 5, 4, seed=i), lib.tensor([0, 1, 2, 0, 1])) for i in range(6)]
    return fast(lib, step or plain), batches


@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_whole_steps(name):
    def act(lib):
        # Not behind a linear layer, whose bias would have no gradient but noise, which Adam makes large.
        net = lib.nn.Sequential(lib.nn.BatchNorm1d(4), model(lib, lib.nn.Dropout(0.3)))
        optimizer = getattr(lib.optim, name)(net.parameters(), lr=0.05)
        schedule = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)
        step, batches = training(lib, net, optimizer)
        losses = []
        for x, y in batches:
            losses.append(step(x, y))
            schedule.step()
        states = list(optimizer.state_dict()["state"].values())
        return losses, list(net.state_dict().values()), states, lib.rand(2)

    replayed(act, 4)


def test_a_step_with_a_scaler_and_autocast():
    def act(lib):
        net = model(lib)
        optimizer = lib.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        scaler = lib.amp.GradScaler("cpu", init_scale=4.0)

        def plain(x, y):
            optimizer.zero_grad()
            with lib.autocast("cpu", dtype=lib.bfloat16):
                loss = lib.nn.functional.cross_entropy(net(x), y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            return loss.detach()

        step, batches = training(lib, net, optimizer, plain)
        return [step(x, y).float() for x, y in batches], scaler.get_scale()

    replayed(act, 3)


def test_values_that_the_code_reaches():
    def act(lib):
        settings, flag = Settings(), [True]
        scale = 1.0

        def plain(x):
            y = x * settings.shift + settings.parts[1] + settings.table["a"] * settings.factor
            return y * scale * SCALE if flag[0] else -y

        f, x, seen = fast(lib, plain), numbers(lib, 3), []

        def call():
            seen.extend(f(x) for _ in range(3))

        call()
        settings.shift = 2.0
        call()
        settings.parts[1] = 5.0
        call()
        settings.table["a"] = 7.0
        call()
        scale = 4.0
        call()
        flag[0] = False
        call()
        settings.factor = 1.5
        call()
        return seen

    replayed(act, 14)


def test_globals_and_class_attributes(monkeypatch):
    def act(lib):
        settings = Settings()
        f, x = fast(lib, lambda x: x * SCALE + settings.factor), numbers(lib, 3)
        seen = [f(x), f(x)]
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "SCALE", 5.0)
            seen += [f(x), f(x)]
            patch.setattr(Settings, "factor", -1.0)
            seen += [f(x), f(x)]
        return [*seen, f(x)]

    replayed(act, 4)


def test_attributes_whose_names_stand_nowhere(monkeypatch):
    find = getattr

    def act(lib):
        class Net(lib.nn.Module):
            def forward(self, x):
                return find(self, "in" + "ner")(x) + operator.attrgetter("out" + "er")(self)(x)

            def inner(self, x):
                return x * SCALE

            def outer(self, x):
                return x + SCALE

        net = Net()
        f, x = fast(lib, net), numbers(lib, 3)
        seen = [f(x), f(x)]
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "SCALE", 5.0)
            seen += [f(x), f(x)]
        Net.outer = lambda self, x: -x
        return [*seen, f(x), f(x)]

    replayed(act, 3)


def test_the_first_hook_of_all_is_run(monkeypatch):
    def act(lib):
        if lib is jtorch:
            monkeypatch.setattr(module, "ANY_HOOKS", hooks := [])
            monkeypatch.setattr(module_hooks, "ANY_HOOKS", hooks)
        net, x = model(lib).eval(), numbers(lib, 2, 4)

        def plain(x):
            with lib.no_grad():
                return net(x)

        f = fast(lib, plain)
        seen = [f(x), f(x)]
        handle = net[0].register_forward_hook(lambda module, args, out: out + 1)
        seen += [f(x), f(x)]
        handle.remove()
        seen += [f(x), f(x)]
        net[1]._forward_pre_hooks[0] = lambda module, args: (args[0] * 2,)
        return [*seen, f(x), f(x)]

    replayed(act, 4)


def test_flags_shapes_dtypes_and_modes():
    def act(lib):
        net = model(lib, lib.nn.BatchNorm1d(6)).eval()

        def plain(x):
            with lib.no_grad():
                return net(x), lib.is_grad_enabled(), net.training, x.dtype == lib.float32

        f, seen = fast(lib, plain), []
        for rows in (3, 3, 2, 3, 2):
            seen += f(numbers(lib, rows, 4))[:1]
        net.train()
        seen += [f(numbers(lib, 3, 4)) for _ in range(3)]
        net.eval()
        seen += [f(numbers(lib, 3, 4)), net[1].running_mean]
        net.double()
        seen += [f(numbers(lib, 3, 4).double()) for _ in range(2)]
        net[0].weight.requires_grad_(False)
        return [*seen, f(numbers(lib, 3, 4).double())]

    replayed(act, 6)


def test_parameters_that_become_something_else():
    def act(lib):
        net = model(lib)
        step, batches = training(lib, net, lib.optim.SGD(net.parameters(), lr=0.5))
        losses = [step(x, y) for x, y in batches[:3]]
        net[0].weight.requires_grad_(False)
        net[0].weight.grad = None
        losses += [step(x, y) for x, y in batches[3:]]
        net[2].bias.data = lib.ones(3)
        return [*losses, step(*batches[0]), *net.parameters()]

    replayed(act, 3)


def test_writes_to_arguments_and_results_that_are_arguments():
    def act(lib):
        held = lib.zeros(3)

        def plain(x, y):
            x.add_(y)
            held.mul_(0.5).add_(x)
            return x, [y, (x * 2, held)], {"sum": x + y, "n": 3, "none": None}

        f, seen = fast(lib, plain), []
        x, y = numbers(lib, 3), numbers(lib, 3, seed=1)
        for _ in range(4):
            out, (same_y, (double, same_held)), rest = f(x, y)
            seen += [out is x, same_y is y, same_held is held, double, rest, x._version, held.clone()]
        z = numbers(lib, 6)
        for _ in range(2):
            f(z[:3], y)  # a view
            f(z[1:4], z[2:5])  # views of one memory
            f(held, y)  # what the function holds itself
        return [*seen, z, held]

    replayed(act, 3)


def test_what_was_copied_before_a_step_stays():
    def act(lib):
        net = model(lib)
        step, batches = training(lib, net, lib.optim.SGD(net.parameters(), lr=0.5, momentum=0.9))
        kept = []
        for x, y in batches:
            kept += [copy.deepcopy(net.state_dict()), net[0].weight.detach().clone()]
            step(x, y)
            kept.append(net[0].weight.grad)
        return kept

    replayed(act, 3)


def test_gradients_that_add_up():
    def act(lib):
        net = model(lib)

        def plain(x):
            loss = net(x).square().mean()
            loss.backward()
            return loss.detach()

        f, seen = fast(lib, plain), []
        for i in range(6):
            seen.append(f(numbers(lib, 5, 4, seed=i)))
            seen.append(net[0].weight.grad.clone())
            if i == 3:
                net.zero_grad()
        return seen

    replayed(act, 2)


def test_random_numbers_advance():
    def act(lib):
        lib.manual_seed(3)
        f = fast(lib, lambda x: (x + lib.rand(3), lib.nn.functional.dropout(x, 0.5), lib.randn(3) * x))
        x = numbers(lib, 3)
        return [f(x) for _ in range(4)], lib.rand(3)

    replayed(act, 3)


def test_an_exception_leaves_nothing():
    def act(lib):
        held, broken = lib.zeros(3), [True]

        def plain(x):
            held.add_(x)
            if broken[0]:
                raise ValueError("in the middle")
            return held * 2

        f, x, seen = fast(lib, plain), numbers(lib, 3), []
        for fails in (True, False, False, True, False):
            broken[0] = fails
            try:
                seen.append(f(x))
            except ValueError as error:
                seen.append(str(error))
        return [*seen, held]

    replayed(act, 1)


def test_instances_of_a_class_have_recordings_of_their_own():
    def act(lib):
        class Net(lib.nn.Module):
            def __init__(self, scale):
                super().__init__()
                self.scale = scale
                self.weight = lib.nn.Parameter(lib.ones(3) * scale)

            def forward(self, x):
                return self.inner(x)

            def inner(self, x):
                with lib.no_grad():
                    return x * self.weight + self.scale

        Net.inner = fast(lib, Net.inner)
        nets, x = [Net(1.0), Net(2.0)], numbers(lib, 3)
        return [net(x) for _ in range(3) for net in nets]

    replayed(act, 4)


def test_a_compiled_module_follows_its_state():
    def act(lib):
        net = model(lib).eval()
        f = lib.compile(net) if lib is jtorch else net
        x, seen = numbers(lib, 2, 4), []
        with lib.no_grad():
            seen += [f(x), f(x)]
            net[0].weight.mul_(2)
            seen.append(f(x))
            net[1] = lib.nn.ReLU()
            seen += [f(x), f(x)]
            handle = net[0].register_forward_hook(lambda module, args, out: out + 1)
            seen += [f(x), f(x)]
            handle.remove()
            seen.append(f(x))
            net.load_state_dict({name: value * 0.5 for name, value in net.state_dict().items()})
            seen.append(f(x))
        out = f(x)  # its backward is yet to come
        out.sum().backward()
        return [*seen, out, net[2].weight.grad]

    replayed(act, 4)


def test_threads_do_not_mix():
    seen = {}

    def work(name, factor):
        f = jtorch.compile(lambda x: x * factor)
        seen[name] = [f(jtorch.full((2,), float(i))).tolist() for i in range(6)]

    threads = [threading.Thread(target=work, args=(i, float(i))) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen == {n: [[n * i] * 2 for i in range(6)] for n in range(3)}


def test_what_python_must_do_is_never_replayed(capsys):
    def by_value(lib, seen):
        return lambda x: x + 1 if x.sum() > 0 else x - 1

    def by_argument(lib, seen):
        return lambda x: x * float(x[0])

    def printing(lib, seen):
        return lambda x: print("called") or x + 1  # noqa: T201

    def appending(lib, seen):
        return lambda x: seen.append(1) or x + 1

    def counting(lib, seen):
        count = 0

        def plain(x):
            nonlocal count
            count += 1
            return x * count

        return plain

    def drawing(lib, seen):
        return lambda x: x * random.random()

    def numpy_drawing(lib, seen):
        return lambda x: x * float(np.random.rand())

    def iterating(lib, seen):
        numbers = iter(range(10))
        return lambda x: x * next(numbers)

    def hooked(lib, seen):
        w = lib.ones(3, requires_grad=True)
        w.register_hook(lambda grad: seen.append(grad.sum().item()))

        def plain(x):
            (x * w).sum().backward()
            return w.grad.clone()

        return plain

    def act(lib):
        found = []
        for make in (by_value, by_argument, printing, appending, counting, drawing, numpy_drawing, iterating, hooked):
            random.seed(0), np.random.seed(0)
            seen = []
            f = fast(lib, make(lib, seen))
            found += [f(numbers(lib, 3, seed=i)) for i in range(4)]
            found.append(len(seen))
        return found

    never_replayed(act)
    assert capsys.readouterr().out.count("called") == 8


def test_a_sum_of_losses_and_a_rate_that_the_code_reads():
    def act(lib):
        w = lib.ones(2, requires_grad=True)
        optimizer = lib.optim.SGD([w], lr=0.5)

        def plain(x, scale=1.0):
            optimizer.zero_grad()
            loss = (w * x * optimizer.param_groups[0]["lr"]).sum() * scale + w.square().sum()
            loss.backward()
            optimizer.step()
            return loss

        f, x = fast(lib, plain), numbers(lib, 2)
        seen = [f(x) for _ in range(4)]
        optimizer.param_groups[0]["lr"] = 0.25
        seen += [f(x) for _ in range(3)]
        return [*seen, *(f(x, scale=2.0) for _ in range(2)), w]

    replayed(act, 4)
