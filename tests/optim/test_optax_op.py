"""The one op: a training step is one program, and nothing that moves from step to step compiles another."""

import warnings

import pytest

import jtorch
from jtorch import devices
from jtorch.engine import flush, stats, trace

OPTIMIZERS = {
    "sgd": lambda params: jtorch.optim.SGD(params, lr=0.1),
    "momentum": lambda params: jtorch.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    "dampening": lambda params: jtorch.optim.SGD(params, lr=0.1, momentum=0.9, dampening=0.5),
    "adam": lambda params: jtorch.optim.Adam(params, lr=0.1, amsgrad=True),
    "adamw": lambda params: jtorch.optim.AdamW([{"params": params[:1], "weight_decay": 0.0}, {"params": params[1:]}]),
}


def parameters(last=(4,)):
    return [jtorch.full(shape, 0.5, requires_grad=True) for shape in ((3, 4), last)]


def train(optimizer, params, steps, between=lambda step: None):
    """Some steps of a loop; (programs, compiles) of each."""
    seen = []
    x = jtorch.ones(3, 4)
    flush.boundary()
    for step in range(steps):
        stats.reset()
        optimizer.zero_grad()
        loss = ((x * params[0] + params[1]) ** 2).sum()
        loss.backward()
        optimizer.step()
        between(step)
        flush.boundary()
        seen.append((stats.programs, stats.compiles))
    return seen


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_one_program_and_the_third_compiles_nothing(name):
    params = parameters()
    seen = train(OPTIMIZERS[name](params), params, 5)
    assert [programs for programs, _ in seen] == [1] * 5
    assert [compiles for _, compiles in seen[2:]] == [0] * 3


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_first_step_is_recorded_as_the_others_are(name):
    params = parameters()
    optimizer = OPTIMIZERS[name](params)
    nodes = []
    for _ in range(3):
        for param in params:
            param.grad = jtorch.ones(param.shape)
        flush.boundary()
        optimizer.step()
        nodes.append(trace.current(devices.CPU).node)
        flush.boundary()
    assert nodes[0] is nodes[1] is nodes[2]


def schedules(optimizer):
    """All kinds of schedules, each with what its step takes."""
    kinds = jtorch.optim.lr_scheduler
    momentum = {"momentum", "betas"} & set(optimizer.defaults)
    yield kinds.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    yield kinds.MultiplicativeLR(optimizer, lambda epoch: 0.9)
    yield kinds.StepLR(optimizer, 2)
    yield kinds.MultiStepLR(optimizer, [1, 3])
    yield kinds.ConstantLR(optimizer, 0.5, 2)
    yield kinds.LinearLR(optimizer)
    yield kinds.ExponentialLR(optimizer, 0.9)
    yield kinds.PolynomialLR(optimizer)
    yield kinds.CosineAnnealingLR(optimizer, 4)
    yield kinds.CosineAnnealingWarmRestarts(optimizer, 3)
    yield kinds.OneCycleLR(optimizer, 0.5, 100, cycle_momentum=bool(momentum))
    yield kinds.CyclicLR(optimizer, 0.01, 0.5, 3, cycle_momentum=bool(momentum))
    yield kinds.SequentialLR(optimizer, [kinds.ConstantLR(optimizer, 0.5), kinds.StepLR(optimizer, 1)], [2])
    yield kinds.ChainedScheduler([kinds.ConstantLR(optimizer, 0.5, 2), kinds.ExponentialLR(optimizer, 0.9)])
    yield kinds.ReduceLROnPlateau(optimizer, patience=0)
    yield jtorch.optim.swa_utils.SWALR(optimizer, 0.05, anneal_epochs=3)


# L-BFGS steps by a closure and decides by its values; SparseAdam takes sparse gradients only.
@pytest.mark.parametrize(
    "name",
    "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax Muon NAdam RAdam RMSprop Rprop SGD".split(),
)
def test_schedules_compile_nothing(name):
    params = parameters((1, 4))
    options = {"SGD": {"momentum": 0.9}, "RMSprop": {"momentum": 0.9}}.get(name, {})
    optimizer = getattr(jtorch.optim, name)(params, lr=0.1, **options)
    train(optimizer, params, 2)
    for schedule in schedules(optimizer):
        given = (1.0,) if isinstance(schedule, jtorch.optim.lr_scheduler.ReduceLROnPlateau) else ()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen = train(optimizer, params, 5, lambda step, act=schedule.step, given=given: act(*given))
        assert seen == [(1, 0)] * 5, type(schedule).__name__


def test_options_moved_by_hand_compile_nothing():
    params = parameters()
    optimizer = OPTIMIZERS["adamw"](params)
    train(optimizer, params, 2)

    def move(step):
        for group in optimizer.param_groups:
            group.update(lr=1 / (step + 1), betas=(0.5 + step / 10, 0.9), eps=10.0 ** -(step + 4))
        optimizer.param_groups[1]["weight_decay"] = 0.1 * (step + 1)

    assert train(optimizer, params, 4, move) == [(1, 0)] * 4


def test_a_loaded_state_goes_on_in_the_same_program():
    params = parameters()
    optimizer = OPTIMIZERS["adam"](params)
    train(optimizer, params, 3)
    optimizer.load_state_dict(optimizer.state_dict())
    assert train(optimizer, params, 3) == [(1, 0)] * 3


def test_a_second_optimizer_of_the_same_form_compiles_nothing():
    for _ in range(2):
        params = parameters()
        seen = train(OPTIMIZERS["adam"](params), params, 2)
    assert seen == [(1, 0)] * 2


def test_reading_the_step_runs_nothing():
    params = parameters()
    optimizer = OPTIMIZERS["adam"](params)
    train(optimizer, params, 2)
    stats.reset()
    (jtorch.ones(3, 4) * params[0] + params[1]).sum().backward()
    optimizer.step()
    assert [float(optimizer.state[param]["step"]) for param in params] == [3, 3]
    assert stats.programs == 0


def test_parameters_and_state_are_given_away():
    params = parameters()
    optimizer = OPTIMIZERS["adam"](params)
    train(optimizer, params, 2)
    before = [jtorch._tensor.value(t) for t in (*params, *(optimizer.state[p]["exp_avg"] for p in params))]
    train(optimizer, params, 1)
    assert all(array.is_deleted() for array in before)
