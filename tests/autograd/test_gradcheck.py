"""autograd.gradcheck and gradgradcheck: what passes, what fails and in which words."""

import importlib
import re
import warnings

import pytest
import torch as oracle

import jtorch
from tests.oracle import same, same_error, same_warnings


def double(torch, values=(0.5, -1.5, 2.0), dtype="float64"):
    return torch.tensor(values, dtype=getattr(torch, dtype), requires_grad=True)


def twisted(torch, name):
    """A Function x ** 2 whose backward or jvp has the fault of this name."""

    class Twisted(torch.autograd.Function):
        calls = 0

        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(name != "undefined")
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            Twisted.calls += 1
            faults = {
                "factor": lambda: 3 * x * g, "constant": lambda: 2 * x * g + 1e-7,
                "random": lambda: 2 * x * g * (1 + 1e-6 * Twisted.calls), "undefined": lambda: 2 * x * g,
                "drift": lambda: 2 * x * g * (1 + 1e-3 * Twisted.calls),
            }  # fmt: skip
            return faults.get(name, lambda: 2 * x * g)()

        @staticmethod
        def jvp(ctx, t):
            (x,) = ctx.saved_tensors
            return (3 if name == "jvp" else 2) * x * t

    return Twisted.apply


PASSING = [
    (lambda torch: (lambda x: x.exp() * x, double(torch)), {}),
    (lambda torch: (lambda x, y: (x * y, (x / y).sum()), (double(torch), double(torch, (1.0, 2.0, 3.0)))), {}),
    (lambda torch: (lambda x, n: x**n, (double(torch, (0.5, 2.0)), 3)), {}),
    (lambda torch: (lambda x: (x.sort()[0], x.sort()[1]), double(torch)), {}),
    (lambda torch: (lambda x: x * x.conj() + x, double(torch, (1 + 2j, 0.5 - 1j), "complex128")), {}),
    (lambda torch: (lambda x: torch.complex(x, x * x), double(torch)), {}),
    (lambda torch: (lambda x: torch.ones(2).double(), double(torch)), {}),
    (lambda torch: (twisted(torch, ""), double(torch)), {"nondet_tol": 1e-9}),
    (lambda torch: (lambda x: x.t() @ x, double(torch, [[1.0, 2.0], [3.0, 4.0]]).t()), {}),
]


@pytest.mark.parametrize("options", [{}, {"fast_mode": True}, {"check_forward_ad": True, "check_batched_grad": True}])
def test_right_gradients_pass(options):
    def fn(torch):
        return [torch.autograd.gradcheck(*case(torch), **options, **more) for case, more in PASSING]

    assert all(fn(jtorch))
    same(fn)


FAILING = [
    ("factor", {}), ("constant", {}), ("random", {}), ("undefined", {}), ("jvp", {"check_forward_ad": True}),
]  # fmt: skip


def of(name, options, check="gradcheck"):
    return lambda torch: getattr(torch.autograd, check)(twisted(torch, name), double(torch), **options)


@pytest.mark.parametrize(("name", "options"), FAILING)
def test_what_is_wrong_is_named(name, options):
    def silent(torch):
        return of(name, {"raise_exception": False, **options})(torch)

    same_error(of(name, options))
    same(silent)


@pytest.mark.parametrize(
    ("name", "options", "varies"),
    [
        ("factor", {"fast_mode": True}, r"(numerical:|analytical:|is: )\S+"),  # all digits of rounding errors
        ("drift", {"check_batched_grad": True, "nondet_tol": 1.0, "rtol": 0.5}, r"(?s)(Got:).*"),  # how far it drifted
    ],
)
def test_what_is_wrong_is_explained(name, options, varies):
    texts = []
    for torch in (oracle, jtorch):
        with pytest.raises(RuntimeError) as raised:
            of(name, options)(torch)
        texts.append(re.sub(varies, r"\1", str(raised.value)))
    assert texts[0] == texts[1]


def test_faults_of_arguments():
    def gradcheck(given, **options):
        return lambda torch: torch.autograd.gradcheck(lambda x: x * x, given(torch), **options)

    for options in (
        {"check_backward_ad": False}, {"check_forward_ad": True, "check_backward_ad": False,
         "check_batched_grad": True},
        {"check_batched_forward_grad": True},
    ):  # fmt: skip
        same_error(gradcheck(double, **options))
    same_error(gradcheck(lambda torch: double(torch).detach()))
    same_error(gradcheck(lambda torch: torch.ones(1).double().requires_grad_().expand(3)))
    same_error(lambda torch: torch.autograd.gradcheck(lambda x: x[x > 0.5 - 1e-8], double(torch, (0.5, 0.1))))
    for options in ({"check_rev_over_rev": False}, {"check_rev_over_rev": False, "check_fwd_over_rev": True}):
        same_error(of("", options, "gradgradcheck"))
    same_warnings(lambda torch: torch.autograd.gradcheck(lambda x: x * 2, double(torch, dtype="float32"), eps=1e-2))


@pytest.mark.parametrize("options", [{}, {"fast_mode": True}, {"check_fwd_over_rev": True, "check_batched_grad": True}])
def test_gradgradcheck(options):
    def fn(torch):
        torch.manual_seed(3)
        check = torch.autograd.gradgradcheck
        weights = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
        found = (
            check(lambda x: x.sin() * x, double(torch), **options),
            check(lambda x, y: x**3 * y, (double(torch), double(torch)), weights, **options),
            check(lambda x: x**2, double(torch), gen_non_contig_grad_outputs=True, **options),
            check(twisted(torch, "factor"), double(torch), raise_exception=False, **options),
        )
        return found, torch.rand(2)

    same(fn)


def jacobians(torch, name, *args, **kwargs):
    """A function of autograd.gradcheck that torch has deprecated, without the warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return getattr(importlib.import_module(f"{torch.__name__}.autograd.gradcheck"), name)(*args, **kwargs)


def test_jacobians():
    def fn(torch):
        x, w = double(torch, [[1.0, 2.0], [3.0, 4.0]]), double(torch, [2.0, 3.0])
        numerical, specific = "get_numerical_jacobian", "get_numerical_jacobian_wrt_specific_input"

        def several(x, w):
            return x.exp(), (x**2).sum(0), w

        return [
            jacobians(torch, numerical, lambda given: (given[0] ** 2 @ given[1], given[0]), (x, w.detach())),
            jacobians(torch, numerical, lambda given: given[0] ** 2 * w, (x.detach(),), target=w, eps=1e-4),
            jacobians(torch, specific, several, 0, (x, w), several(x, w), 1e-6),
            jacobians(torch, "get_analytical_jacobian", (x, w), x**2 @ w),
        ]

    same(fn)


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: jacobians(torch, "get_numerical_jacobian", lambda x: x, double(torch), grad_out=2.0),
        lambda torch: jacobians(torch, "get_analytical_jacobian", double(torch), double(torch), grad_out=2.0),
        lambda torch: jacobians(torch, "get_analytical_jacobian", (), torch.ones(2) * 1j),
        lambda torch: jacobians(
            torch, "get_numerical_jacobian_wrt_specific_input", lambda x: x, 0, (torch.ones(2),), (), 1e-6
        ),
    ],
)
def test_errors_of_jacobians(fn):
    same_error(fn)


def test_jacobians_are_deprecated():
    def fn(torch):
        module = importlib.import_module(f"{torch.__name__}.autograd.gradcheck")
        module.get_numerical_jacobian(lambda given: given[0], (double(torch),))

    same_warnings(fn)
