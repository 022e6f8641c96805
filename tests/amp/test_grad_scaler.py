"""GradScaler beside torch's: scales, what is unscaled, which steps are skipped, with each optimizer."""

import copy
import pickle

import numpy as np
import pytest

import jtorch
from jtorch.engine import program
from tests.oracle import same, same_error, same_warnings

# Of the third gradient the step is skipped.
GRADS = np.random.default_rng(0).standard_normal((5, 3, 2)).astype(np.float32)
GRADS[2, 1, 1] = np.inf

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}), ("SGD", {"momentum": 0.9}), ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}), ("Adam", {"amsgrad": True}), ("AdamW", {"lr": 0.1}),
    ("Adagrad", {}), ("RMSprop", {"momentum": 0.9}), ("Adadelta", {}), ("Adamax", {}), ("NAdam", {}), ("RAdam", {}),
    ("ASGD", {}), ("Rprop", {}), ("Adafactor", {}), ("Muon", {}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def quick_compiles(monkeypatch):
    """No program of these tests runs twice."""
    monkeypatch.setattr(program, "QUICK_CALLS", 1 << 20)


def stepped(torch, name, options, first=0, clip=False):
    """What a parameter, its gradients, the optimizer's state and the scale have become after a few steps."""
    param = torch.nn.Parameter(torch.ones(3, 2))
    optimizer = getattr(torch.optim, name)([param], **options)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)
    found = []
    for grad in GRADS[first:]:
        param.grad = scaler.scale(torch.tensor(grad))
        if clip:
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_([param], 0.5)
        scaler.step(optimizer)
        scaler.update()
        found.append(param.grad)
    state = {key: value for key, value in optimizer.state[param].items() if key != "step"}
    steps = [value["step"].clone() for value in optimizer.state.values() if "step" in value]
    return found, param.detach(), state, steps, scaler._scale, scaler._growth_tracker


def test_every_optimizer():
    # Read together: one program.
    same(lambda torch: [stepped(torch, name, options, clip=i % 2) for i, (name, options) in enumerate(OPTIMIZERS)])


def test_a_first_step_that_is_skipped():
    """torch has made no state by then; what counts is where the steps end."""
    some = [OPTIMIZERS[i] for i in (1, 3, 4)]
    same(lambda torch: [stepped(torch, name, options, first=2) for name, options in some])


def test_from_optax():
    optax = pytest.importorskip("optax")

    def run(make):
        param = jtorch.nn.Parameter(jtorch.ones(3, 2))
        optimizer = make([param])
        scaler = jtorch.amp.GradScaler("cpu", init_scale=4.0)
        for grad in GRADS:
            param.grad = scaler.scale(jtorch.tensor(grad))
            scaler.step(optimizer)
            scaler.update()
        return param.detach().numpy()

    expected = run(lambda params: jtorch.optim.Adam(params, lr=0.1))
    actual = run(lambda params: jtorch.optim.from_optax(params, optax.adam(0.1)))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_optimizers_of_users():
    """One whose step is Python is skipped as torch skips it; one that says so gets scale and finding."""

    def fn(torch):
        class Plain(torch.optim.Optimizer):
            def step(self):
                for param in self.param_groups[0]["params"]:
                    self.state[param]["count"] = self.state[param].get("count", 0) + 1
                    param.data.sub_(param.grad)

        class Aware(torch.optim.Optimizer):
            _step_supports_amp_scaling = True

            def step(self):
                for param in self.param_groups[0]["params"]:
                    scale = 1 if self.grad_scale is None else self.grad_scale
                    param.data.sub_(torch.where(self.found_inf != 0, torch.zeros(()), param.grad / scale))

        class Counted(torch.optim.SGD):
            count = 0

            def step(self, closure=None):
                self.count += 1
                return super().step(closure)

        found = []
        for kind in (Plain, Aware, Counted):
            param = torch.nn.Parameter(torch.ones(3, 2))
            optimizer = kind([param], {}) if kind is not Counted else kind([param], lr=1.0)
            scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
            for i, grad in enumerate(GRADS):
                param.grad = scaler.scale(torch.tensor(grad))
                if i == 3:
                    scaler.unscale_(optimizer)
                scaler.step(optimizer)
                scaler.update()
            found += [param.detach(), scaler.get_scale(), optimizer.state.get(param, {}).get("count")]
            found += [getattr(optimizer, "count", None), hasattr(optimizer, "found_inf")]
        return found

    same(fn)


def test_several_optimizers_share_a_scale():
    def fn(torch):
        params = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
        optimizers = [torch.optim.SGD([p], lr=0.5) for p in params]
        scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
        for value in (1.0, float("nan")):
            losses = scaler.scale([(params[0] * 1.0).sum(), (params[1] * value).sum()])
            for loss, optimizer in zip(losses, optimizers, strict=True):
                optimizer.zero_grad()
                loss.backward()
                scaler.step(optimizer)
            scaler.update()
        kept = scaler.scale((torch.ones(1), [torch.ones(2)])), list(scaler.scale(iter([torch.ones(1)])))
        return [*params, scaler.get_scale(), scaler._get_growth_tracker(), kept]

    same(fn)


def test_state_and_settings():
    def fn(torch):
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0, growth_factor=3.0, backoff_factor=0.25, growth_interval=1)
        found = [scaler.state_dict(), scaler.is_enabled(), scaler.get_scale()]
        param = torch.nn.Parameter(torch.ones(2))
        optimizer = torch.optim.SGD([param], lr=1.0)
        for new in (None, 5.0, torch.tensor(7.0)):
            scaler.scale(param.sum()).backward()
            scaler.step(optimizer)
            scaler.update(new)
            found.append(scaler.state_dict())
        other = torch.amp.GradScaler("cpu")
        other.load_state_dict(scaler.state_dict())
        again = pickle.loads(pickle.dumps(scaler)) if torch is jtorch else copy.deepcopy(scaler)
        again.set_growth_factor(9.0), again.set_backoff_factor(0.125), again.set_growth_interval(4)
        scaler.load_state_dict(again.state_dict())
        found += [other.state_dict(), other.scale(torch.ones(1)), again.state_dict(), scaler.get_scale()]
        found += [again.get_growth_factor(), again.get_backoff_factor(), again.get_growth_interval()]
        off = torch.amp.GradScaler("cpu", enabled=False)
        off.load_state_dict({})
        return [*found, off.state_dict(), off.get_scale(), off.scale(3), off.unscale_(optimizer), off.update()]

    same(fn)


def scaled(torch, dtype="float32"):
    param = torch.nn.Parameter(torch.ones(2, dtype=getattr(torch, dtype)))
    scaler, optimizer = torch.amp.GradScaler("cpu"), torch.optim.SGD([param], lr=1.0)
    scaler.scale(param.sum()).backward()
    return scaler, optimizer


def twice(name):
    def fn(torch):
        scaler, optimizer = scaled(torch)
        getattr(scaler, name)(optimizer)
        getattr(scaler, name)(optimizer)

    return fn


@pytest.mark.parametrize(
    "wrong",
    [
        twice("step"),
        twice("unscale_"),
        lambda torch: (made := scaled(torch)) and (made[0].step(made[1]), made[0].unscale_(made[1])),
        lambda torch: scaled(torch)[0].update(),
        lambda torch: scaled(torch)[0].update(torch.ones(2)),
        lambda torch: (made := scaled(torch)) and made[0].step(made[1], closure=lambda: 1),
        lambda torch: (made := scaled(torch, "float16")) and made[0].step(made[1]),
        lambda torch: torch.amp.GradScaler("cpu").update(),
        lambda torch: torch.amp.GradScaler("cpu").step(torch.optim.SGD([torch.ones(1)], lr=1.0)),
        lambda torch: scaled(torch)[0].step(torch.optim.SGD([torch.ones(1)], lr=1.0)),
        lambda torch: torch.amp.GradScaler("cpu").scale(3),
        lambda torch: torch.amp.GradScaler("cpu").load_state_dict({}),
        lambda torch: torch.amp.GradScaler("cpu", growth_factor=1.0),
        lambda torch: torch.amp.GradScaler("cpu", backoff_factor=1.0),
        lambda torch: (made := scaled(torch)) and (made[0].unscale_(made[1]), made[0].__getstate__()),
    ],
)
def test_refusals(wrong):
    same_error(wrong)


def test_without_cuda_it_is_off():
    """Scripts for a GPU run on as they are."""

    def fn(torch):
        scaler = torch.amp.GradScaler()
        return [scaler.is_enabled(), scaler.scale(torch.ones(1)), scaler.get_scale(), scaler.state_dict()]

    same_warnings(fn)
    same(fn)
