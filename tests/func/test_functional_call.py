"""func.functional_call and stack_module_state: gradients per sample, ensembles, kernels, MAML, buffers, errors."""

import numpy as np
import pytest

from tests.oracle import same, same_error


def network(torch, seed=0):
    torch.manual_seed(seed)
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 4), nn.Tanh())


def batch(torch):
    torch.manual_seed(5)
    return torch.randn(5, 1, 8, 8), torch.tensor([0, 3, 1, 2, 3])


def test_gradients_per_sample():
    def run(torch):
        model, (x, y) = network(torch), batch(torch)
        params = {name: p.detach() for name, p in model.named_parameters()}

        def loss(params, x, y):
            out = torch.func.functional_call(model, params, (x.unsqueeze(0),))
            return torch.nn.functional.cross_entropy(out, y.unsqueeze(0))

        each = torch.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(params, x, y)
        total = torch.func.grad_and_value(lambda p: torch.vmap(loss, in_dims=(None, 0, 0))(p, x, y).mean())(params)
        return each, total

    same(run)


def test_an_ensemble():
    def run(torch):
        models, (x, _) = [network(torch, seed) for seed in range(3)], batch(torch)
        params, buffers = torch.func.stack_module_state(models)

        def call(params, buffers, x):
            return torch.func.functional_call(models[0], (params, buffers), (x,))

        shared = torch.vmap(call, in_dims=(0, 0, None))(params, buffers, x)
        own = torch.vmap(call)(params, buffers, torch.stack([x, x * 2, -x]))
        (shared.pow(2).sum() + own.sum()).backward()
        return shared.detach(), own.detach(), {name: p.grad for name, p in params.items()}

    same(run)


def test_a_neural_tangent_kernel():
    def run(torch):
        model, (x, _) = network(torch), batch(torch)
        params = {name: p.detach() for name, p in model.named_parameters()}

        def one(params, x):
            return torch.func.functional_call(model, params, (x.unsqueeze(0),)).squeeze(0)

        first = torch.vmap(torch.func.jacrev(one), (None, 0))(params, x[:2])
        second = torch.vmap(torch.func.jacrev(one), (None, 0))(params, x[2:])
        parts = [torch.einsum("Naf,Mbf->NMab", first[k].flatten(2), second[k].flatten(2)) for k in params]
        _, pull = torch.func.vjp(lambda p: one(p, x[0]), params)
        _, product = torch.func.jvp(lambda p: one(p, x[2]), (params,), pull(torch.eye(4)[1]))
        return torch.stack(parts).sum(0), product

    same(run)


def test_buffers_and_dropout():
    def run(torch):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5))
        state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        state = {name: t.detach().clone() for name, t in state.items()}
        x = torch.arange(12.0).reshape(4, 3)
        wanted = {name: t for name, t in state.items() if t.is_floating_point() and "running" not in name}
        rest = {name: t for name, t in state.items() if name not in wanted}

        def loss(wanted, rest):
            return torch.func.functional_call(model, (wanted, rest), (x,)).pow(2).sum()

        made = torch.func.grad(loss)(wanted, rest)
        rows = torch.vmap(
            lambda x: torch.func.functional_call(model.eval(), state, (x.unsqueeze(0),)), randomness="different"
        )(x)
        return made, rest, rows

    same(run)


WRONG = {
    "a list": lambda torch: torch.func.functional_call(torch.nn.Linear(1, 1), 3, torch.ones(1)),
    "no dicts": lambda torch: torch.func.functional_call(torch.nn.Linear(1, 1), [3], torch.ones(1)),
    "twice": lambda torch: torch.func.functional_call(
        torch.nn.Linear(1, 1), ({"weight": torch.ones(1, 1)}, {"weight": torch.ones(1, 1)}), torch.ones(1)
    ),
    "no models": lambda torch: torch.func.stack_module_state([]),
    "modes": lambda torch: torch.func.stack_module_state([torch.nn.Linear(1, 1), torch.nn.Linear(1, 1).eval()]),
    "classes": lambda torch: torch.func.stack_module_state([torch.nn.Linear(1, 1), torch.nn.Conv1d(1, 1, 1)]),
    "flags": lambda torch: torch.func.stack_module_state(
        [torch.nn.Linear(1, 1), torch.nn.Linear(1, 1).requires_grad_(False)]
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    same_error(WRONG[name])


def test_batch_norm_without_running_statistics():
    def run(torch):
        model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sequential(torch.nn.BatchNorm1d(2)))
        with torch.no_grad():
            model[0].weight.copy_(torch.tensor([[1.0, 2.0], [3.0, -1.0]]))
        torch.func.replace_all_batch_norm_modules_(model)
        x = torch.arange(24.0).reshape(3, 4, 2).sin()
        return torch.vmap(model)(x).detach(), list(model.state_dict()), model[1][0].track_running_stats

    same(run)


def test_running_statistics_without_rows_are_refused():
    def run(torch):
        norm = torch.nn.BatchNorm1d(2)
        return torch.vmap(norm)(torch.ones(3, 4, 2))

    same_error(run)


def test_learning_to_learn():
    """A step of MAML: the loss, on other samples, of what one step of training on some makes, for several tasks."""

    def fn(torch):
        func, nn = torch.func, torch.nn
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double()
        params = dict(net.named_parameters())
        draw = np.random.default_rng(0)
        shifts = torch.tensor(draw.uniform(0, 3, (4, 1, 1)))
        first, second = (torch.tensor(draw.uniform(-5, 5, (4, 10, 1))) for _ in range(2))

        def loss(params, x, y):
            return ((func.functional_call(net, params, (x,)) - y) ** 2).mean()

        def adapted(params, x, y, others, wanted):
            steps = func.grad(loss)(params, x, y)
            return loss({name: p - 0.1 * steps[name] for name, p in params.items()}, others, wanted)

        def whole(params):
            given = first, torch.sin(first + shifts), second, torch.sin(second + shifts)
            return func.vmap(adapted, in_dims=(None, 0, 0, 0, 0))(params, *given).mean()

        value = whole(params)
        value.backward()
        gradients = func.grad(whole)({name: p.detach() for name, p in params.items()})
        return value, [p.grad for p in params.values()], list(gradients.values())

    same(fn)
