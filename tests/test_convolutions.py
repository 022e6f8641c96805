"""Each way in which a CPU convolves computes what torch does, and who is chosen when."""

import jax
import numpy as np
import pytest
import torch

from jtorch import convolutions

CASES = {
    "padded": ((2, 3, 7, 6), (4, 3, 3, 3), ((1, 1), ((1, 1), (1, 1)), (1, 1))),
    "strided and dilated": ((2, 3, 9, 8), (5, 3, 3, 2), ((2, 1), ((1, 1), (0, 0)), (2, 1))),
    "one place": ((3, 4, 3, 2), (2, 4, 3, 2), ((1, 1), ((0, 0), (0, 0)), (1, 1))),
}


def torch_way(x, w, grad, geometry):
    """(result, gradient of x, gradient of w) by torch."""
    padding = [before for before, _ in geometry.padding]
    x, w = (torch.tensor(a, requires_grad=True) for a in (x, w))
    out = torch.nn.functional.conv2d(x, w, None, geometry.stride, padding, geometry.dilation)
    return out.detach(), *torch.autograd.grad(out, (x, w), torch.tensor(grad))


@pytest.mark.parametrize("kind", ["few", "deep"])
def test_gathered_columns(kind):
    way, draw = convolutions._LOWERED[kind], np.random.default_rng(0)
    todo = []
    for x_shape, w_shape, numbers in CASES.values():
        geometry = convolutions.Geometry(*numbers, 1)
        shapes = x_shape, w_shape, (x_shape[0], w_shape[0], *geometry.out(x_shape[2:], w_shape[2:]))
        todo.append((*(draw.standard_normal(shape) for shape in shapes), geometry))

    def ours(arrays):
        found = []
        for (x, w, grad), (*_, geometry) in zip(arrays, todo, strict=True):
            out, pull = jax.vjp(lambda x, w, g=geometry: way(x, w, g), x, w)
            found.append((out, *pull(grad)))
        return found

    found = jax.jit(ours)([case[:3] for case in todo])
    for name, case, arrays in zip(CASES, todo, found, strict=True):
        for mine, wanted in zip(arrays, torch_way(*case), strict=True):
            np.testing.assert_allclose(mine, wanted.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("x", "w", "kind"),
    [
        ((64, 6, 10, 10), (16, 6, 5, 5), "deep"),  # as many columns as in LeNet
        ((4, 3, 224, 224), (64, 3, 7, 7), "few"),  # ResNet-50's stem: too many
        ((16, 512, 4, 4), (512, 512, 3, 3), "deep"),  # ResNet-18's last stage: more weights than pixels
        ((16, 64, 32, 32), (64, 64, 3, 3), "plain"),
        ((1, 32, 20, 20), (64, 32, 9, 9), "plain"),  # 81 pieces would be slow to compile
        ((0, 8, 4, 4), (8, 8, 3, 3), "few"),
    ],
)
def test_who_is_chosen(x, w, kind):
    around = ((w[2] // 2, w[2] // 2), (w[3] // 2, w[3] // 2))
    assert convolutions._kind(x, w, convolutions.Geometry((1, 1), around, (1, 1), 1)) == kind
