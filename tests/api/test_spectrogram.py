"""stft and istft beside torch: frames, windows, borders, gradients, refusals."""

import numpy as np
import pytest

from tests.edges import ordinary
from tests.oracle import check

X, WINDOW = ordinary((2, 20), "float64"), np.hanning(10)[1:-1]
Z = ordinary((2, 20), "complex128")


def test_stft():
    def spectra(torch, x, window):
        def stft(x, *args, **kwargs):
            return torch.stft(x, 8, *args, window=window, return_complex=True, **kwargs)

        return (
            stft(x, 3, normalized=True), stft(x, center=False), stft(x, onesided=False),
            torch.stft(x[0], 10, window=window, win_length=8, pad_mode="constant", return_complex=False),
        )  # fmt: skip

    check(spectra, X, WINDOW, grad_fn=False)
    check("stft", Z, 8, grad_fn=False)
    check("Tensor.stft", X, 8, return_complex=True, grad=False)


def test_istft():
    def signals(torch, x, window):
        def back(z, **kwargs):
            return torch.istft(z, 8, window=window, **kwargs)

        z = torch.stft(x, 8, window=window, return_complex=True)
        whole = torch.stft(x, 8, window=window, onesided=False, return_complex=True)
        return back(z), back(z[0], length=15), back(whole, return_complex=True)

    check(signals, X, WINDOW, grad_fn=False)
    check(lambda torch, x: torch.istft(torch.stft(x, 8, return_complex=True), 8, length=50), X, grad=False)


WRONG = [
    {}, {"hop_length": 0}, {"win_length": 9}, {"window": np.ones(4)}, {"pad_mode": "x"}, {"align_to_window": True},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_stft_refuses(wrong):
    kwargs = {} if not wrong else {"return_complex": True, **wrong}
    check("stft", X, 8, **kwargs)


def test_stft_refuses_inputs():
    for x, n, kwargs in ((X[:1].reshape(1, 4, 5), 2, {}), (X, 50, {"center": False}), (X, 50, {}), (X, 0, {}),
                         (np.arange(20), 8, {}), (Z, 8, {"onesided": True}), (np.ones(()), 8, {})):  # fmt: skip
        check("stft", x, n, return_complex=True, **kwargs)


def test_istft_refuses():
    z = ordinary((5, 6), "complex128")
    for kwargs in ({"hop_length": 9}, {"win_length": 9}, {"window": np.zeros(8)}, {"window": np.ones(5)},
                   {"onesided": False}, {"return_complex": True}, {"window": WINDOW, "center": False}):  # fmt: skip
        check("istft", z, 8, **kwargs)
    check("istft", z.real.copy(), 8)
    check("istft", z, 10)
    check("istft", z[:, :0], 8)
    check("istft", z[None, None], 8)
