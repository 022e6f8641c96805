"""Schedules: learning rates and momenta exactly torch's over 200 steps, states, warnings and errors."""

import copy
import math
import pickle
import warnings

import pytest

from tests.labels import label
from tests.oracle import same, same_error, same_warnings

SCHEDULES = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda e: 1 / (1 + e), lambda e: 0.9**e]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.97 if epoch % 3 else 1.01),
    "step": lambda s, o: s.StepLR(o, 30, 0.3),
    "multistep": lambda s, o: s.MultiStepLR(o, [10, 10, 37, 120], 0.5),
    "constant": lambda s, o: s.ConstantLR(o, 0.3, 20),
    "linear": lambda s, o: s.LinearLR(o, 0.1, 0.7, 50),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.97),
    "polynomial": lambda s, o: s.PolynomialLR(o, 70, 1.7),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 40, 1e-3),
    "cosine one way": lambda s, o: s.CosineAnnealingLR(o, 200),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 10, 2, 1e-4),
    "restarts of equal length": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.3, 200),
    "one cycle in epochs": lambda s, o: s.OneCycleLR(o, [0.3, 0.5], epochs=20, steps_per_epoch=11, pct_start=0.2),
    "three phases": lambda s, o: s.OneCycleLR(o, 0.3, 201, anneal_strategy="linear", three_phase=True),
    "one cycle without momentum": lambda s, o: s.OneCycleLR(o, 0.3, 200, cycle_momentum=False),
    "triangles": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 13),
    "halved triangles": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 13, 7, mode="triangular2"),
    "exponential triangles": lambda s, o: s.CyclicLR(o, [0.01, 0.02], [0.1, 0.3], 9, mode="exp_range", gamma=0.99),
    "scaled triangles": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 9, scale_fn=lambda x: 0.7**x, cycle_momentum=False),
    "in sequence": lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1, 10), s.ExponentialLR(o, 0.9)], [15]),
    "three in sequence": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 5), s.CosineAnnealingLR(o, 30), s.StepLR(o, 10)], [10, 60]
    ),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 12), s.ExponentialLR(o, 0.98)]),
}  # fmt: skip


def optimizer_of(torch, name="SGD", lr=0.05):
    """An optimizer with two groups."""
    groups = [
        {"params": [torch.ones(2, requires_grad=True)]},
        {"params": [torch.ones(1, requires_grad=True)], "lr": 0.2},
    ]
    return torch.optim.SGD(groups, lr, momentum=0.9) if name == "SGD" else torch.optim.Adam(groups, lr)


def numbers_of(optimizer):
    """Learning rate and momentum of each group, to the last bit."""
    return [
        (float(group["lr"]).hex(), [float(m).hex() for m in group.get("betas", [group.get("momentum", 0)])])
        for group in optimizer.param_groups
    ]


def followed(optimizer, schedule, steps):
    """The numbers and get_last_lr of each of some steps."""
    seen = [numbers_of(optimizer)]
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        seen.append((numbers_of(optimizer), [float(lr).hex() for lr in schedule.get_last_lr()]))
    return seen


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_200_steps(name, optimizer):
    def run(torch):
        stepped = optimizer_of(torch, optimizer)
        return followed(stepped, SCHEDULES[name](torch.optim.lr_scheduler, stepped), 200)

    same(run)


def plain(value):
    """A state_dict in comparable terms."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value.hex() if isinstance(value, float) else value


@pytest.mark.parametrize("name", SCHEDULES)
def test_state_dict_goes_on_where_it_was_saved(name):
    def run(torch):
        first = optimizer_of(torch)
        schedule = SCHEDULES[name](torch.optim.lr_scheduler, first)
        followed(first, schedule, 17)
        saved, groups = copy.deepcopy(schedule.state_dict()), copy.deepcopy(first.state_dict())
        shown = plain(saved)
        other = optimizer_of(torch)
        second = SCHEDULES[name](torch.optim.lr_scheduler, other)
        second.load_state_dict(saved)
        other.load_state_dict(groups)
        return shown, followed(other, second, 20) == followed(first, schedule, 20)

    same(run)


@pytest.mark.parametrize("name", [n for n in SCHEDULES if n not in ("in sequence", "three in sequence", "chained")])
def test_step_to_an_epoch(name):
    def run(torch):
        optimizer = optimizer_of(torch)
        schedule = SCHEDULES[name](torch.optim.lr_scheduler, optimizer)
        seen = []
        for epoch in (3, 11, 40, 5):
            schedule.step(epoch)
            seen.append(numbers_of(optimizer))
        return seen

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(run)


@pytest.mark.parametrize("name", ["step", "cosine", "linear", "exponential", "polynomial", "multistep", "lambda"])
def test_resuming_at_an_epoch(name):
    kinds = {
        "step": ("StepLR", 4), "cosine": ("CosineAnnealingLR", 9), "linear": ("LinearLR", 0.1, 1.0, 9),
        "exponential": ("ExponentialLR", 0.9), "polynomial": ("PolynomialLR", 9), "multistep": ("MultiStepLR", [3, 7]),
        "lambda": ("LambdaLR", lambda epoch: 0.9**epoch),
    }  # fmt: skip

    def run(torch):
        optimizer = optimizer_of(torch)
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        kind, *args = kinds[name]
        schedule = getattr(torch.optim.lr_scheduler, kind)(optimizer, *args, last_epoch=4)
        return followed(optimizer, schedule, 10)

    same(run)


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 3},
        {"patience": 2, "mode": "max", "threshold": 0.1, "cooldown": 3},
        {"patience": 0, "threshold_mode": "abs", "threshold": 0.05, "factor": 0.5, "min_lr": 1e-3},
        {"patience": 1, "mode": "max", "threshold_mode": "abs", "min_lr": [0.01, 0.02]},
    ],
    ids=label,
)
def test_plateau(options):
    def run(torch):
        optimizer = optimizer_of(torch)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        seen = []
        for step in range(60):
            schedule.step(torch.tensor(math.sin(step / 3) + 1.5 / (1 + step), dtype=torch.float64))
            seen.append((numbers_of(optimizer), schedule.num_bad_epochs, schedule.in_cooldown, schedule.best))
        other = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max")
        other.load_state_dict(schedule.state_dict())
        return seen, plain(other.state_dict())

    same(run)


def test_a_new_group_gets_the_least_rate_of_all():
    def run(torch):
        optimizer = optimizer_of(torch)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.01)
        optimizer.add_param_group({"params": [torch.ones(1, requires_grad=True)]})
        for _ in range(4):
            schedule.step(1.0)
        return numbers_of(optimizer)

    same(run)


def test_error_of_a_new_group_without_a_least_rate():
    def run(torch):
        optimizer = optimizer_of(torch)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0, 0])
        optimizer.add_param_group({"params": [torch.ones(1, requires_grad=True)]})
        for _ in range(4):
            schedule.step(1.0)

    same_error(run)


@pytest.mark.parametrize("name", ["step", "cosine", "linear", "one cycle", "restarts", "lambda"])
def test_learning_rate_as_a_tensor(name):
    def run(torch):
        lr = torch.tensor(0.05, dtype=torch.float64)
        optimizer = torch.optim.SGD([torch.ones(2, requires_grad=True)], lr=lr, momentum=0.9)
        schedule = {
            **SCHEDULES,
            "step": lambda s, o: s.StepLR(o, 3),
        }[name](torch.optim.lr_scheduler, optimizer)
        seen = [float(optimizer.param_groups[0]["lr"])]
        for _ in range(8):
            optimizer.step()
            schedule.step()
            seen.append(float(optimizer.param_groups[0]["lr"]))
        return seen, optimizer.param_groups[0]["lr"] is lr

    same(run)


def test_a_subclass_gives_get_lr():
    def run(torch):
        class Warm(torch.optim.lr_scheduler.LRScheduler):
            def __init__(self, optimizer, steps):
                self.steps = steps
                super().__init__(optimizer)

            def get_lr(self):
                return [base * min(1, (self.last_epoch + 1) / self.steps) for base in self.base_lrs]

        class Old(torch.optim.lr_scheduler._LRScheduler):
            def get_lr(self):
                return [base * self._step_count for base in self.base_lrs]

        return [
            followed(o, kind(o), 10)
            for o, kind in ((optimizer_of(torch), lambda o: Warm(o, 5)), (optimizer_of(torch), Old))
        ]

    same(run)


class Factor:
    """A callable object, whose attributes are part of a state_dict."""

    def __init__(self, base):
        self.base = base

    def __call__(self, epoch):
        return self.base**epoch


@pytest.mark.parametrize(
    "make",
    [
        lambda s, o, fn: s.LambdaLR(o, fn),
        lambda s, o, fn: s.MultiplicativeLR(o, fn),
        lambda s, o, fn: s.CyclicLR(o, 0.1, 0.2, scale_fn=fn),
    ],
)
def test_attributes_of_callables_are_saved(make):
    def run(torch):
        schedules = torch.optim.lr_scheduler
        saved = make(schedules, optimizer_of(torch), Factor(0.5)).state_dict()
        shown, other = plain(saved), Factor(0.9)
        make(schedules, optimizer_of(torch), other).load_state_dict(saved)
        return shown, other.base

    same(run)


def test_pickled_state():
    def run(torch):
        return plain(
            pickle.loads(pickle.dumps(torch.optim.lr_scheduler.MultiStepLR(optimizer_of(torch), [3]).state_dict()))
        )

    same(run)


@pytest.mark.parametrize(
    "act",
    [
        lambda o, s: s.step(),
        lambda o, s: (setattr(o, "step", lambda: None), s.step()),
        lambda o, s: (o.step(), s.get_lr()),
        lambda o, s: (o.step(), s.step(5)),
    ],
)
def test_warnings(act):
    def run(torch):
        optimizer = optimizer_of(torch)
        act(optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 3))

    same_warnings(run)


@pytest.mark.parametrize(
    "make",
    [
        lambda s, o: s.StepLR(3, 1),
        lambda s, o: s.StepLR(o, 1, last_epoch=4),
        lambda s, o: s.LambdaLR(o, [len]),
        lambda s, o: s.MultiplicativeLR(o, 3),
        lambda s, o: s.ConstantLR(o, 1.5),
        lambda s, o: s.LinearLR(o, 0),
        lambda s, o: s.LinearLR(o, 0.5, 2),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 0),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 1, "a"),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 1).step(-1),
        lambda s, o: s.CyclicLR(3, 0.1, 0.2),
        lambda s, o: s.CyclicLR(o, [0.1], 0.2),
        lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="x"),
        lambda s, o: (o.defaults.pop("momentum"), s.CyclicLR(o, 0.1, 0.2)),
        lambda s, o: s.OneCycleLR(o, 0.1),
        lambda s, o: s.OneCycleLR(o, 0.1, 0),
        lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3),
        lambda s, o: s.OneCycleLR(o, 0.1, epochs=3, steps_per_epoch=1.5),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=2.0),
        lambda s, o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="x"),
        lambda s, o: [one.step() for one in [s.OneCycleLR(o, 0.1, 2)] for _ in range(4)],
        lambda s, o: s.ReduceLROnPlateau(o, factor=1),
        lambda s, o: s.ReduceLROnPlateau(3),
        lambda s, o: s.ReduceLROnPlateau(o, "x"),
        lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x"),
        lambda s, o: s.ReduceLROnPlateau(o, min_lr=[1]),
        lambda s, o: s.SequentialLR(o, [], []),
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [3]),
        lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
        lambda s, o: s.SequentialLR(o, [3], []),
        lambda s, o: s.ChainedScheduler([]),
        lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
    ],
)
def test_errors(make):
    def run(torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make(torch.optim.lr_scheduler, optimizer_of(torch))

    same_error(run)


def test_schedules_of_two_optimizers_do_not_mix():
    def run(torch):
        schedules = torch.optim.lr_scheduler
        one, other = optimizer_of(torch), optimizer_of(torch)
        schedules.ChainedScheduler([schedules.StepLR(one, 1), schedules.StepLR(other, 1)])

    same_error(run)
