"""torch.fft's helpers beside torch."""

import pytest

from tests.edges import ordinary
from tests.oracle import check, same, same_error


def test_frequencies():
    same(lambda torch: [torch.fft.fftfreq(n, d) for n in (0, 1, 5, 6) for d in (1.0, 0.3)])
    same(lambda torch: [torch.fft.rfftfreq(n, 2.0, dtype=torch.float64) for n in (1, 5, 6)])
    same(lambda torch: torch.fft.fftfreq(4, 0))


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_refusals(name):
    same_error(lambda torch: getattr(torch.fft, name)(3, dtype=torch.int64))
    same_error(lambda torch: getattr(torch.fft, name)(3, dtype=torch.complex64))


def test_shifts():
    def shifted(torch, x):
        both = torch.fft.fftshift, torch.fft.ifftshift
        return [f(x, *dim) for f in both for dim in ((), (0,), ((0, 1),))]

    check(shifted, ordinary((4, 5), "float64"))
    check("fft.fftshift", ordinary((4, 5), "float64"), 2)
