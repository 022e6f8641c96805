"""Orthogonal, weight-normalized and spectrally normalized layers beside torch, as parametrizations and as hooks."""

import copy
import warnings

import numpy as np
import pytest

from tests.oracle import same, same_error

FAR = {"grad_fn": False}


def trained(torch, m, x, steps=2):
    """Losses and parameters of a few steps of training, and the output in evaluation."""
    optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (m(x) ** 2).mean() + m(x + 1).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses, dict(m.state_dict()), m.eval()(x)


@pytest.mark.parametrize("old", [False, True])
def test_spectral_norm(old):
    def run(torch):
        found = []
        norm = torch.nn.utils.spectral_norm if old else torch.nn.utils.parametrizations.spectral_norm
        for make, shape, options in (
            (lambda: torch.nn.Linear(3, 4), (2, 3), {"n_power_iterations": 2}),
            (lambda: torch.nn.Conv2d(2, 3, 2), (1, 2, 3, 3), {"eps": 1e-6}),
            (lambda: torch.nn.ConvTranspose1d(2, 3, 2), (1, 2, 3), {}),
        ):
            torch.manual_seed(2)
            m = norm(make(), **options).double()
            found += [repr(m), type(m).__name__]
            found.append(trained(torch, m, torch.arange(float(np.prod(shape)), dtype=torch.float64).view(shape) / 9))
        return found

    same(run, **FAR)


def test_spectral_norm_of_a_vector():
    def run(torch):
        torch.manual_seed(2)
        m = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(3, 4), "bias")
        return m.bias, list(m.state_dict()), m(torch.ones(3))

    same(run, **FAR)


def test_removal_copies_and_metadata_of_the_hook():
    def run(torch):
        torch.manual_seed(2)
        m = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 4))
        with torch.no_grad():  # so that it can be copied: its weight is no leaf otherwise
            m(torch.ones(3))
        state = m.state_dict()
        other = copy.deepcopy(m)
        other.load_state_dict(state)
        loaded = other.eval()(torch.ones(3))
        torch.nn.utils.remove_spectral_norm(m)
        return state, state._metadata, loaded, m(torch.ones(3)), list(m.state_dict()), len(m._state_dict_hooks)

    same(run, **FAR)


def test_state_dicts_of_torchs_first_versions():
    def run(torch):
        torch.manual_seed(2)
        m = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 4)).double()
        state = {k: v.clone() for k, v in m.state_dict().items()}
        state["weight"] = state["weight_orig"] / 3
        del state["weight_v"]
        m.load_state_dict(state)
        missing = m.load_state_dict({"bias": m.bias}, strict=False)
        return m.weight_v, missing.missing_keys

    same(run, **FAR)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(dim):
    def run(torch):
        torch.manual_seed(2)
        m = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(2, 3, 2), dim=dim)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old = torch.nn.utils.weight_norm(torch.nn.Conv1d(2, 3, 2), dim=dim)
        keys = list(m.state_dict())
        m.load_state_dict(old.state_dict())
        x = torch.arange(8.0).view(1, 2, 4)
        result = m(x), old(x), keys, repr(m), m.weight.grad_fn.__class__.__name__
        torch.nn.utils.parametrize.remove_parametrizations(m, "weight")
        return result, list(m.state_dict()), m(x)

    same(run, **FAR)


CASES = {
    "square": (3, 3, None, True), "tall": (2, 4, None, True), "wide": (4, 2, None, True),
    "tall exp": (2, 4, "matrix_exp", True), "wide cayley": (4, 2, "cayley", True), "cayley": (3, 3, "cayley", True),
    "square householder": (3, 3, "householder", True), "plain": (2, 4, "householder", False),
    "plain wide": (4, 2, "householder", False), "plain exp": (3, 3, "matrix_exp", False),
    "plain cayley": (2, 4, "cayley", False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_orthogonal(name):
    def run(torch):
        torch.manual_seed(3)
        n, k, kind, trivial = CASES[name]
        m = torch.nn.Linear(n, k).double()
        m = torch.nn.utils.parametrizations.orthogonal(m, orthogonal_map=kind, use_trivialization=trivial)
        first = dict(m.state_dict())
        with torch.no_grad():
            m.parametrizations.weight.original += torch.arange(n * k).view(k, n) / 20
        m.weight.sin().sum().backward()
        result = first, m.weight, m.parametrizations.weight.original.grad, repr(m)
        if trivial or kind == "householder":
            with torch.no_grad():
                m.weight = torch.nn.init.orthogonal_(torch.empty(k, n, dtype=torch.float64))
            return result, m.weight
        return result

    same(run, **FAR)


def test_orthogonal_batches_and_unitary_matrices():
    def run(torch):
        torch.manual_seed(3)
        m = torch.nn.Module()
        m.a = torch.nn.Parameter(torch.randn(2, 3, 3, dtype=torch.float64))
        m.b = torch.nn.Parameter(torch.randn(2, 3, dtype=torch.complex128))
        for name in "ab":
            torch.nn.utils.parametrizations.orthogonal(m, name)
        return m.a, m.b, dict(m.state_dict())

    same(run, **FAR)


REFUSED = {
    "no such map": "P.orthogonal(torch.nn.Linear(2, 2), orthogonal_map='x')",
    "a vector": "P.orthogonal(torch.nn.Linear(2, 2), 'bias')",
    "no such member": "P.orthogonal(torch.nn.Linear(2, 2), 'gone')",
    "complex reflections": "P.orthogonal(torch.nn.Linear(2, 2).to(torch.cfloat), orthogonal_map='householder')",
    "a value of another shape": "setattr(P.orthogonal(torch.nn.Linear(2, 2)), 'weight', torch.ones(3))",
    "no way back": "setattr(P.orthogonal(torch.nn.Linear(2, 2), use_trivialization=False), 'weight', torch.ones(2, 2))",
    "no iterations": "P.spectral_norm(torch.nn.Linear(2, 2), n_power_iterations=0)",
    "no such dim": "P.spectral_norm(torch.nn.Linear(2, 2), dim=2)",
    "no such weight": "P.spectral_norm(torch.nn.Linear(2, 2), 'gone')",
    "weight norm of none": "P.weight_norm(torch.nn.Linear(2, 2), 'gone')",
    "old: no iterations": "U.spectral_norm(torch.nn.Linear(2, 2), n_power_iterations=0)",
    "old: twice": "U.spectral_norm(U.spectral_norm(torch.nn.Linear(2, 2)))",
    "old: no such weight": "U.spectral_norm(torch.nn.Linear(2, 2), 'gone')",
    "old: None": "U.spectral_norm(torch.nn.Linear(2, 2, bias=False), 'bias')",
    "old: lazy": "U.spectral_norm(torch.nn.LazyLinear(2))",
    "old: removal of none": "U.remove_spectral_norm(torch.nn.Linear(2, 2))",
}


@pytest.mark.filterwarnings("ignore:Complex modules", "ignore:Lazy modules")
@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    def run(torch):
        eval(REFUSED[name], {"torch": torch, "P": torch.nn.utils.parametrizations, "U": torch.nn.utils})

    same_error(run)


def test_memory_formats_of_convolutions():
    def run(torch):
        torch.manual_seed(1)
        flat, solid = torch.channels_last, torch.channels_last_3d
        m = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 2), torch.nn.Sequential(torch.nn.ConvTranspose3d(3, 2, 2)))
        before = m[0].weight
        same_one = torch.nn.utils.convert_conv2d_weight_memory_format(m, flat) is m
        torch.nn.utils.convert_conv3d_weight_memory_format(m, solid)
        return same_one, before is m[0].weight, m[0].weight, m[1][0].weight

    same(run, strides=True)
