"""Windows beside torch: every shape, symmetric and periodic, both floats; refusals."""

import pytest
import torch

from tests.oracle import same, same_error

NAMES = torch.signal.windows.__all__
OWN = {
    "exponential": {"tau": 2.0},
    "gaussian": {"std": 1.5},
    "kaiser": {"beta": 5.0},
    "general_hamming": {"alpha": 0.6},
}


@pytest.mark.parametrize("name", NAMES)
def test_windows(name):
    needed = {"a": [0.4, 0.3, 0.3]} if name == "general_cosine" else {}

    def windows(torch):
        made = getattr(torch.signal.windows, name)
        return [
            made(length, sym=sym, dtype=dtype, **needed, **kwargs)
            for length in (0, 1, 2, 7, 8)
            for sym in (True, False)
            for dtype in (None, torch.float64)
            for kwargs in ({}, OWN.get(name, {}))
        ]

    same(windows)
    for kwargs in ({"M": -1}, {"M": 3, "dtype": "float16"}, {"M": 3, "layout": "sparse_coo"}):
        same_error(lambda torch, kwargs=kwargs: getattr(torch.signal.windows, name)(
            **needed, **{k: getattr(torch, v) if isinstance(v, str) else v for k, v in kwargs.items()}))  # fmt: skip


def test_other_arguments():
    same(lambda torch: torch.signal.windows.exponential(5, center=1.0, sym=False))
    same_error(lambda torch: torch.signal.windows.exponential(5, center=1.0))
    same_error(lambda torch: torch.signal.windows.exponential(5, tau=0))
    same_error(lambda torch: torch.signal.windows.gaussian(5, std=0))
    same_error(lambda torch: torch.signal.windows.kaiser(5, beta=-1))
    same_error(lambda torch: torch.signal.windows.general_cosine(5, a=[]))
    same_error(lambda torch: torch.signal.windows.general_cosine(5, a=3))
