"""from_optax: any Optax transformation steps as Optax itself would."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jtorch
from jtorch.engine import flush, stats

SHAPES = ((4, 3), (3,))
TRANSFORMATIONS = {
    "adam": lambda: optax.adam(1e-2),
    "lion": lambda: optax.lion(1e-2),
    "clipped": lambda: optax.chain(optax.clip_by_global_norm(0.5), optax.adamw(1e-2)),
    "scheduled": lambda: optax.sgd(optax.cosine_decay_schedule(0.1, 20), momentum=0.9),
    "lamb": lambda: optax.lamb(1e-2),
    "every third": lambda: optax.MultiSteps(optax.sgd(0.1), 3),
    "noisy": lambda: optax.chain(optax.add_noise(0.1, 0.5, jax.random.key(0)), optax.sgd(0.1)),
    "matrices only": lambda: optax.masked(optax.sgd(0.1), lambda tree: jax.tree.map(lambda p: p.ndim > 1, tree)),
    "averaged": lambda: optax.contrib.schedule_free_sgd(0.1),
}


def drawn():
    """Start values, and gradients for some steps."""
    draw = np.random.default_rng(0)
    return [draw.standard_normal(s).astype(np.float32) for s in SHAPES], [
        [draw.standard_normal(s).astype(np.float32) for s in SHAPES] for _ in range(10)
    ]


def by_optax(make):
    start, grads = drawn()
    params, transformation = [jnp.asarray(p) for p in start], make()
    state = transformation.init(params)
    for g in grads:
        updates, state = transformation.update([jnp.asarray(x) for x in g], state, params)
        params = optax.apply_updates(params, updates)
    return params


def by_jtorch(make, optimizer=None, steps=slice(None)):
    start, grads = drawn()
    params = [jtorch.tensor(p, requires_grad=True) for p in start]
    optimizer = jtorch.optim.from_optax(params, make())
    for g in grads[steps]:
        for param, x in zip(params, g, strict=True):
            param.grad = jtorch.tensor(x)
        optimizer.step()
        flush.boundary()
    return params, optimizer


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_steps(name):
    params, _ = by_jtorch(TRANSFORMATIONS[name])
    for ours, theirs in zip(params, by_optax(TRANSFORMATIONS[name]), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), np.asarray(theirs), rtol=1e-5, atol=1e-6)


def test_one_program_for_all_steps():
    _, grads = drawn()
    params, optimizer = by_jtorch(TRANSFORMATIONS["clipped"], steps=slice(3))
    stats.reset()
    for g in grads:
        for param, x in zip(params, g, strict=True):
            param.grad = jtorch.tensor(x)
        optimizer.step()
        flush.boundary()
    assert stats.programs == len(grads)
    assert stats.compiles == 0


def test_named_parameters_are_seen_by_name():
    seen = {}

    def label(tree):
        seen.update(jax.tree.map(jnp.shape, tree))
        return {name: "move" if name == "weight" else "freeze" for name in tree}

    weight, bias = jtorch.ones(2, requires_grad=True), jtorch.ones(3, requires_grad=True)
    transformation = optax.multi_transform({"move": optax.sgd(0.5), "freeze": optax.set_to_zero()}, label)
    optimizer = jtorch.optim.from_optax([("weight", weight), ("bias", bias)], transformation)
    weight.grad, bias.grad = jtorch.ones(2), jtorch.ones(3)
    optimizer.step()
    assert seen == {"weight": (2,), "bias": (3,)}
    assert weight.tolist() == [0.5, 0.5]
    assert bias.tolist() == [1, 1, 1]


def test_a_parameter_without_gradient_stays():
    params = [jtorch.ones(2, requires_grad=True), jtorch.ones(3, requires_grad=True)]
    optimizer = jtorch.optim.from_optax(params, optax.adamw(0.1, weight_decay=0.5))
    params[0].grad = jtorch.ones(2)
    optimizer.step()
    assert params[0].tolist() != [1, 1]
    assert params[1].tolist() == [1, 1, 1]


def test_torchs_schedules_move_an_injected_learning_rate():
    param = jtorch.ones(1, requires_grad=True)
    optimizer = jtorch.optim.from_optax([param], optax.inject_hyperparams(optax.sgd)(learning_rate=1.0))
    schedule = jtorch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    seen = []
    for _ in range(4):
        param.grad = jtorch.ones(1)
        optimizer.step()
        schedule.step()
        seen += param.tolist()
    assert seen == [0, -0.5, -0.75, -0.875]


def test_the_loss_and_other_arguments_reach_the_transformation():
    param = jtorch.ones(1, requires_grad=True)

    def update(updates, state, params=None, *, value, scale, **extra):
        return jax.tree.map(lambda u: -u * value * scale, updates), state

    transformation = optax.GradientTransformationExtraArgs(optax.init_empty_state, update)
    optimizer = jtorch.optim.from_optax([param], transformation)

    def closure():
        loss = (param * 3).sum()
        loss.backward()
        return loss

    assert float(optimizer.step(closure, scale=0.5).detach()) == 3
    assert param.tolist() == [1 - 3 * 3 * 0.5]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_state_dict_goes_on_where_it_was_saved(copied):
    whole, _ = by_jtorch(TRANSFORMATIONS["adam"])
    params, first = by_jtorch(TRANSFORMATIONS["adam"], steps=slice(4))
    saved = copied(first.state_dict())
    again = [param.detach().clone().requires_grad_() for param in params]
    optimizer = jtorch.optim.from_optax(again, TRANSFORMATIONS["adam"]())
    optimizer.load_state_dict(saved)
    for g in drawn()[1][4:]:
        for param, x in zip(again, g, strict=True):
            param.grad = jtorch.tensor(x)
        optimizer.step()
    for ours, wanted in zip(again, whole, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), wanted.detach().numpy(), rtol=1e-6)


def test_a_copy_goes_on_by_itself():
    params, optimizer = by_jtorch(TRANSFORMATIONS["adam"], steps=slice(4))
    other = copy.deepcopy(optimizer)
    for group, grads in zip((params, other.param_groups[0]["params"]), (1, 1), strict=True):
        for param in group:
            param.grad = jtorch.full(param.shape, float(grads))
    optimizer.step()
    other.step()
    for mine, twin in zip(params, other.param_groups[0]["params"], strict=True):
        assert mine is not twin
        np.testing.assert_array_equal(mine.detach().numpy(), twin.detach().numpy())


def test_a_group_cannot_come_later():
    optimizer = jtorch.optim.from_optax([jtorch.ones(1, requires_grad=True)], optax.sgd(0.1))
    with pytest.raises(RuntimeError, match="make a new from_optax"):
        optimizer.add_param_group({"params": [jtorch.ones(1, requires_grad=True)]})
