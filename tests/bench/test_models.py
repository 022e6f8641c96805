"""The hand-written JAX steps compute what torch computes: else they would be no measure."""

import numpy as np
import pytest
import torch

from bench import cases, devices, jax_models

TEXT = cases.Shape(vocab=11, length=8, width=12, heads=3, layers=2)
IMAGE = cases.ImageShape(size=16, width=4, classes=5, blocks=(1, 1), levels=2)
LARGE = IMAGE._replace(size=66, bottleneck=True, blocks=(1,))
SMALL = {
    "mlp": {"batches": cases.images(2, 4, 784)},
    "lenet": {"batches": cases.images(2, 4, 1, 28, 28)},
    "resnet18": {"batches": cases.resnet_data(2, 4, IMAGE), "shape": IMAGE},
    "resnet50": {"batches": cases.resnet_data(2, 2, LARGE), "shape": LARGE},
    "vae": {"batches": cases.noisy(2, 4, (784,), (20,))},
    "dcgan": {
        "batches": cases.noisy(2, 3, (3, 64, 64), (6, 1, 1)),
        "shape": cases.ImageShape(size=64, width=2, noise=6),
    },
    "lstm": {"batches": cases.columns(2, 3, TEXT), "shape": TEXT},
    "gpt": {"batches": cases.texts(2, 3, TEXT), "shape": TEXT},
    "encoder": {"batches": cases.labelled_texts(2, 3, TEXT), "shape": TEXT},
    "unet": {"batches": cases.images(2, 2, 3, 8, 8, classes=5, where=(8, 8)), "shape": IMAGE},
}
# Compiling takes longer than the steps. Not at level 0, where a maximum computed twice differs: its gradient is 0 / 0.
QUICK = {"xla_llvm_disable_expensive_passes": True}


@pytest.mark.parametrize("name", SMALL)
def test_losses_follow_torch(name):
    case = cases.CASES[name]._replace(**SMALL[name])
    model, torch_step = cases.trainer(torch, case)
    state = {k: v.detach().numpy().copy() for k, v in model.state_dict().items()}
    jax_step = jax_models.trainer(case, state, QUICK)
    expected = [torch_step(i).item() for i in range(5)]
    np.testing.assert_allclose([float(jax_step(i)) for i in range(5)], expected, rtol=1e-3)


def test_every_case_has_its_jax_side():
    missing = [case.name for case in devices.every("cuda").values() if case.task != "adversaries"]
    assert [name for name in missing if devices.every("cuda")[name].model.__name__ not in jax_models.MODELS] == []
    assert cases.CASES.keys() - {"lenet4"} == SMALL.keys()


def test_attention_by_a_kernel_is_attention():
    fused = TEXT._replace(fused=True)
    case = cases.CASES["gpt"]._replace(batches=cases.texts(1, 3, TEXT), shape=TEXT)
    losses = [cases.trainer(torch, case._replace(shape=shape))[1](0).item() for shape in (TEXT, fused)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


def test_operations_are_counted():
    case = cases.CASES["mlp"]._replace(batches=cases.images(1, 4, 784))
    per_image = 784 * 512 + 512 * 512 + 512 * 10
    # Forward, weights' gradients, and inputs' gradients of all layers but the first.
    assert devices.flops(case) == 2 * 4 * (3 * per_image - 784 * 512)
