"""Convolutions of several groups beside torch: each form that they are lowered to, and their gradients."""

import itertools

import numpy as np
import pytest

from tests.oracle import same

# (channels, made, groups, kernel, stride, padding, dilation)
FORMS = {
    "depthwise": (4, 4, 4, (3, 3), (1, 1), (1, 1), (1, 1)),
    "depthwise, two made of each": (3, 6, 3, (3, 2), (2, 1), (1, 0), (1, 2)),
    "depthwise, a large kernel": (2, 2, 2, (5, 3), (2, 1), (2, 1), (2, 1)),
    "depthwise, one dim": (3, 3, 3, (4,), (2,), (1,), (1,)),
    "depthwise, three dims": (2, 2, 2, (2, 3, 2), (1, 2, 1), (1, 0, 1), (1, 1, 1)),
    "groups of two": (4, 6, 2, (3, 3), (1, 2), (1, 0), (1, 1)),
    "groups that make much of little": (2, 24, 2, (3, 3), (1, 1), (0, 0), (1, 1)),
    "groups that make little of much": (24, 2, 2, (3, 3), (1, 1), (0, 0), (1, 1)),
}
SIDES = {1: (11,), 2: (8, 9), 3: (4, 5, 6)}


def values(*shape):
    """Ninths from -1 to 1, in no order."""
    return (np.arange(np.prod(shape)) * 7919 % 19 - 9).reshape(shape) / 9


@pytest.mark.parametrize("transposed", [False, True])
def test_groups(transposed):
    def run(torch):
        found = []
        # A transposed one is the gradient of another: half of the forms do.
        for channels, made, groups, kernel, *moves in itertools.islice(FORMS.values(), 0, None, 1 + transposed):
            rank = len(kernel)
            name = f"conv{'_transpose' * transposed}{rank}d"
            shape = (channels, made // groups) if transposed else (made, channels // groups)
            arrays = values(4, channels, *SIDES[rank]), values(*shape, *kernel), values(made)
            given = [torch.tensor(a, requires_grad=True) for a in arrays]
            stride, padding, dilation = moves
            last = (0, groups, dilation) if transposed else (dilation, groups)
            out = getattr(torch.nn.functional, name)(*given, stride, padding, *last)
            found.append([out, torch.autograd.grad((out * out).sum(), given)])
        return found

    same(run)


def test_single_precision_and_halves():
    def run(torch):
        found = []
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            x, w = (torch.tensor(values(2, 4, *s), dtype=dtype, requires_grad=True) for s in ((16, 8), (3, 3)))
            w = w.reshape(8, 1, 3, 3)
            out = torch.nn.functional.conv2d(x, w, padding=1, groups=4)
            found.append([out, torch.autograd.grad(out, [x], out.detach())])
        return found

    same(run)
