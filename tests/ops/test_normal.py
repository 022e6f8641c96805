"""The normal distribution's functions, entropy and zeta beside torch: values, gradients, edges."""

import numpy as np
import pytest

from tests.oracle import check, const

POINTS = np.array([-9.5, -3.1, -1.01, -0.99, -0.4, 0.1, 0.7, 1.6, 4.4, 9.0, 26.0])
EDGES = np.array([0.0, 1.0, -1.0, np.inf, -np.inf, np.nan])
NAMES = ["erfcx", "log_ndtr", "ndtr", "entr", "i0e", "i1", "i1e"]


@pytest.mark.parametrize("name", NAMES)
def test_values(name):
    def values(torch, x, y, edges):
        return [getattr(torch.special, name)(given) for given in (x, y, edges, torch.arange(3))]

    check(values, POINTS, POINTS[1:-1].astype(np.float32), const(EDGES), grad=2)


def test_ndtri():
    x = np.array([1e-12, 0.01, 0.3, 0.5, 0.77, 0.999])
    check("special.ndtri", x)
    check("special.ndtri", np.array([0.0, 1.0, -0.1, 1.1, np.nan]), grad=False)
    check("special.ndtri", x.astype(np.float16))


@pytest.mark.parametrize("name", ["xlog1py", "zeta"])
def test_two_operands(name):
    x, y = np.array([0.0, 2.0, 1.5, 3.0]), np.array([0.5, 2.5, 7.0, np.nan])
    check(f"special.{name}", 2, y)
    check(f"special.{name}", x, 2, grad=name != "zeta")
    check(f"special.{name}", x, y, grad=name != "zeta")
    check(f"special.{name}", np.arange(4), np.arange(4), grad=False)


def test_zeta_below_0():
    check("special.zeta", np.array([[2.0], [3.5], [1.0], [0.5]]), np.array([-8.4, -3.0, -0.5, 0.0, 20.0]), grad=False)
    check("special.zeta", np.array([2.0]), np.array([3.0]))  # has no gradient along the first
    check("polygamma", 2, np.array([-8.4, -30.3]))


ALIASES = {
    "expit": (), "psi": (), "gammaln": (), "multigammaln": (2,), "exp2": (), "expm1": (), "log1p": (), "erf": (),
    "softmax": (0,), "log_softmax": (0,), "logsumexp": (0,), "round": (), "sinc": (), "logit": (0.1,), "i0": (),
}  # fmt: skip


@pytest.mark.parametrize("name", ALIASES)
def test_other_names(name):
    check(f"special.{name}", np.array([1.6, 2.4]), *ALIASES[name], grad=False)


def test_other_names_of_two():
    for name in ("gammainc", "gammaincc", "xlogy"):
        check(f"special.{name}", np.array([1.6, 2.4]), np.array([[0.5], [3.0]]), grad=False)
    check("special.polygamma", 1, np.array([1.6, 2.4]))
