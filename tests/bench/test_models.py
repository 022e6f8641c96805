"""The hand-written JAX steps compute what torch computes: else they would be no measure."""

import numpy as np
import pytest
import torch

from bench import jax_models, models

SMALL = models.Shape(vocab=11, length=8, width=12, heads=3, layers=2)
CASES = {
    "mlp": models.CASES["mlp"]._replace(batches=models.images(2, 4, 784)),
    "lenet": models.CASES["lenet"]._replace(batches=models.images(2, 4, 1, 28, 28)),
    "gpt": models.CASES["gpt"]._replace(batches=models.texts(2, 3, SMALL), shape=SMALL),
}


@pytest.mark.parametrize("name", CASES)
def test_losses_follow_torch(name):
    case = CASES[name]
    model, torch_step = models.trainer(torch, case)
    jax_step = jax_models.trainer(case, {k: v.detach().numpy().copy() for k, v in model.state_dict().items()})
    expected = [torch_step(i).item() for i in range(8)]
    np.testing.assert_allclose([float(jax_step(i)) for i in range(8)], expected, rtol=1e-4)


def test_every_case_has_its_jax_side():
    assert models.CASES.keys() == jax_models.MODELS.keys() == CASES.keys()
