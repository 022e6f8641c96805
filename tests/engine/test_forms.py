"""NumPy forms of calls: bit for bit what XLA gives; what NumPy has not goes to XLA."""

import numpy as np
import pytest

import jtorch as torch
from jtorch.engine import flush, host, stats

CASES = [
    lambda x, y, n: (x + y * 2, x - 1.5, 3 - x, x / y, x / 255, -x, x.abs()),
    lambda x, y, n: (x.permute(2, 0, 1).contiguous(), x.flip(-1), x[..., 1:, ::2], x.reshape(3, -1)),
    lambda x, y, n: (torch.stack([x, y]), torch.cat([x, y], 1), x.unsqueeze(0).expand(2, -1, -1, -1), x[1]),
    lambda x, y, n: (x > y, (x > 0) & (y < 1), torch.where(x > y, x, y), torch.maximum(x, y), x.clamp(-0.5, 0.5)),
    lambda x, y, n: (n.float().div(255), n.to(torch.int64) * 3 - 7, n + n, n // 2, n % 5, ~n, n.max(), n.amin(0)),
    lambda x, y, n: (x.sqrt(), x.floor(), x.ceil(), x**2, x.isnan(), x.isfinite(), x.double() - y.double()),
    lambda x, y, n: (x.clone().sub_(y[0, :1, :1]).div_(torch.tensor([0.2, 0.3]).view(-1)), x.sum(), x.exp(), x.half()),
    lambda x, y, n: (
        x.amax(-1),
        x.max(),
        (x > 0).all(),
        (x > 0).any(0),
        n.bool(),
        x.bfloat16() + 1,
        n.float() @ n.float().mT,
    ),
    lambda x, y, n: (x.sort(-1), x.cumsum(0), x[n[0].long() % 2], x.masked_fill(x > 0, 1.0), x.to(torch.uint8)),
]


def values(case):
    draw = np.random.default_rng(0)
    x, y = (torch.from_numpy(draw.standard_normal((3, 4, 2)).astype(np.float32)) for _ in range(2))
    x[0, 0] = torch.tensor([float("nan"), float("inf")])
    y[0, 1] = torch.tensor([0.0, -0.0])
    n = torch.from_numpy(draw.integers(0, 255, (3, 5), dtype=np.uint8))
    return case(x, y, n)


def arrays(results):
    flat = [t for r in results for t in (r if isinstance(r, tuple) else (r,))]
    return [(t.dtype, t.float().numpy() if t.dtype is torch.bfloat16 else t.numpy()) for t in flat]


@pytest.mark.parametrize("case", CASES)
def test_calls_give_on_the_host_what_programs_give(case):
    expected = arrays(values(case))
    with host.work():
        results = values(case)
    for (one, want), (other, got) in zip(expected, arrays(results), strict=True):
        assert one is other
        np.testing.assert_array_equal(got, want)


def test_a_row_of_calls_compiles_nothing():
    draw = np.random.default_rng(0)
    stats.reset()
    with host.work():
        for _ in range(20):
            x = torch.from_numpy(draw.random((8, 8, 3), np.float32)).permute(2, 0, 1)
            for _ in range(3):
                x = x.flip(-1) if draw.random() < 0.5 else (x - 0.5) * 2
            flush.boundary()
            assert x.shape == (3, 8, 8)
    assert stats.compiles == stats.programs == 0


def test_what_nobody_holds_is_not_worked_out():
    with host.work():
        x = torch.ones(3) * 2
        y = x + 1
        del x
        assert y.tolist() == [3, 3, 3]
        z = (y + 1).sub_(1).add_(y)
    assert z.tolist() == [6, 6, 6]


def test_numbers_that_change_are_inputs():
    with host.work():
        for i in range(4):
            assert (torch.ones(2) * (i + 0.5) + i).tolist() == [2 * i + 0.5] * 2
            assert (torch.arange(2) + i).tolist() == [i, i + 1]
