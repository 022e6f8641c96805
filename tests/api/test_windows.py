"""Windows of signal processing."""

import pytest

from tests.oracle import same, same_error

NAMES = ("hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window")


@pytest.mark.parametrize("name", NAMES)
def test_windows(name):
    def run(torch):
        make = getattr(torch, name)
        plain = [make(n, periodic=p) for n in (0, 1, 2, 3, 6, 7) for p in (True, False)]
        return [*plain, make(9, dtype=torch.float64), make(5, requires_grad=True)]

    same(run)


def test_their_parameters():
    same(lambda torch: [torch.hamming_window(5, True, 0.6, 0.4), torch.kaiser_window(5, False, 3.0)])


@pytest.mark.parametrize("name", NAMES)
def test_refusals(name):
    same_error(lambda torch: getattr(torch, name)(-1))
    same_error(lambda torch: getattr(torch, name)(3, dtype=torch.int64))
