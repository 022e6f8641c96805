"""Anomaly mode: which call is named, where it was made, and what raises."""

import warnings

import pytest
import torch

import jtorch
from tests.oracle import both, same_error


def zeros(module):
    return module.zeros(2, requires_grad=True)


def messages(fn, module):
    """The warnings of fn up to the traceback, whether they name the line in which it divides, and the error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fn(module)
            error = None
        except Exception as e:
            error = type(e).__name__, str(e)
    texts = [str(w.message).split(" (Triggered internally")[0] for w in caught]
    return [(t.split("\n  File")[0], "# here" in t) for t in texts], error


def same_messages(fn):
    expected, actual = messages(fn, torch), messages(fn, jtorch)
    assert actual == expected
    assert expected[1] is not None or expected[0]


def test_nan_in_a_gradient():
    def fn(module):
        x = zeros(module)
        with module.autograd.detect_anomaly():
            y = x / x  # here
            (y * 2).sum().backward()

    same_messages(fn)


def test_without_information_about_the_forward():
    def fn(module):
        x = zeros(module)
        y = x / x
        with module.autograd.set_detect_anomaly(True):
            y.sum().backward()

    same_messages(fn)


def test_an_error_in_a_users_backward():
    def fn(module):
        class Bad(module.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, grad):
                raise ValueError("bad")

        with module.autograd.set_detect_anomaly(True):
            Bad.apply(zeros(module)).sum().backward()  # here

    same_messages(fn)


def test_a_tensor_modified_in_place():
    def fn(module):
        with module.autograd.set_detect_anomaly(True):
            y = zeros(module) * 2
            z = y * y  # here
            y.add_(1)
            z.sum().backward()

    same_messages(fn)


def test_a_call_made_in_a_backward():
    def fn(module):
        x = zeros(module)
        with module.autograd.set_detect_anomaly(True):
            y = x**3 / x  # here
            (g,) = module.autograd.grad((y * 0).sum(), x, create_graph=True)
            g.sum().backward()

    same_error(fn, text=False)


def test_no_check():
    def fn(module):
        x = zeros(module)
        with module.autograd.detect_anomaly(check_nan=False):
            y = x / x
            noted = list(y.grad_fn.metadata), type(y.grad_fn.metadata["traceback_"]).__name__
            y.sum().backward()
        return noted, x.grad, module.is_anomaly_enabled()

    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        expected, actual = both(lambda module: str(fn(module)))
    assert actual == expected


def test_switches():
    def fn(module):
        found = [(module.is_anomaly_enabled(), module.is_anomaly_check_nan_enabled())]
        module.autograd.set_detect_anomaly(True, check_nan=False)
        found.append((module.is_anomaly_enabled(), module.is_anomaly_check_nan_enabled()))
        with module.autograd.set_detect_anomaly(False):
            found.append((module.is_anomaly_enabled(), module.is_anomaly_check_nan_enabled()))
        found.append((module.is_anomaly_enabled(), module.is_anomaly_check_nan_enabled()))
        module.autograd.set_detect_anomaly(False)
        found.append((module.is_anomaly_enabled(), module.is_anomaly_check_nan_enabled()))
        return found

    expected, actual = both(fn)
    assert actual == expected
    assert jtorch.modes.rare == 0


def test_the_traceback_ends_in_the_users_line():
    with jtorch.autograd.set_detect_anomaly(True):
        y = zeros(jtorch) * 2  # here
    last = y.grad_fn.metadata["traceback_"][-1]
    assert __file__ in last and "# here" in last
