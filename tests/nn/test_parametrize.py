"""Parametrizations beside torch: values, gradients, keys, copies, what is refused."""

import copy
import pickle

import pytest

from tests.oracle import same, same_error, same_print


def kinds(torch):
    """Parametrizations by name."""

    class Symmetric(torch.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).mT

        def right_inverse(self, x):
            return x.triu()

    class RankOne(torch.nn.Module):
        def forward(self, x, y):
            return x.unsqueeze(-1) @ y.unsqueeze(-2)

        def right_inverse(self, z):
            return z[:, 0].clone(), z[0].clone()

    class Double(torch.nn.Module):
        def forward(self, x):
            return 2 * x

    class Refusing(Double):
        def right_inverse(self, x):
            raise NotImplementedError

    class Turned(torch.nn.Module):
        """What its functions return, whatever is given."""

        def __init__(self, out=None, back=None):
            super().__init__()
            self.out, self.back = out, back
            self.calls = 0

        def forward(self, *x):
            self.calls += 1
            return x[0] if self.out is None else self.out(x[0])

        def right_inverse(self, x):
            return x if self.back is None else self.back(x)

    return {cls.__name__: cls for cls in (Symmetric, RankOne, Double, Refusing, Turned)}


def put(torch, kind, *args, n=3, unsafe=False, m=None, **kwargs):
    """A linear layer with a parametrization on its weight."""
    torch.manual_seed(1)
    m = torch.nn.Linear(n, n) if m is None else m
    made = kinds(torch)[kind](*args, **kwargs)
    return torch.nn.utils.parametrize.register_parametrization(m, "weight", made, unsafe=unsafe)


def test_registered_read_and_written():
    def run(torch):
        found = []
        for kind in ("Symmetric", "RankOne", "Double", "Refusing"):
            m = put(torch, kind)
            y = m(torch.arange(6.0).view(2, 3))
            y.sin().sum().backward()
            found += [y, [p.grad for p in m.parameters()], list(m.state_dict()), [n for n, _ in m.named_parameters()]]
            if kind in ("Symmetric", "RankOne"):
                held = list(m.parameters())
                m.weight = torch.arange(9.0).view(3, 3) / 3
                found += [m.weight, m.state_dict(), [p is q for p, q in zip(held, m.parameters(), strict=True)]]
        return found

    same(run, grad_fn=False)


def test_printed_names_and_classes():
    def run(torch):
        m = put(torch, "Symmetric")
        P, names = torch.nn.utils.parametrize, [n for n in dir(m) if "weight" in n or n.startswith("para")]
        return [
            str(m), type(m).__name__, P.type_before_parametrizations(m).__name__, isinstance(m, torch.nn.Linear),
            [P.is_parametrized(m, n) for n in (None, "weight", "bias")], hasattr(m, "weight"), names,
            P.is_parametrized(torch.nn.Linear(1, 1)), P.type_before_parametrizations(torch.nn.ReLU()).__name__,
            m.eval().parametrizations.weight[0].training, "weight" in m.__dict__, m.double().weight.dtype,
        ]  # fmt: skip

    same_print(run)


def test_a_chain_of_them():
    def run(torch):
        m = put(torch, "Double", m=put(torch, "Symmetric"))
        before = m.weight
        m.register_buffer("scale", torch.ones(2))
        torch.nn.utils.parametrize.register_parametrization(m, "scale", kinds(torch)["Double"]())
        return before, m.scale, list(m.state_dict()), len(m.parametrizations.weight), repr(m)

    same(run, grad_fn=False)


def test_removal():
    def run(torch):
        P, found = torch.nn.utils.parametrize, []
        for kind, leave in (("Symmetric", True), ("Double", False), ("RankOne", True)):
            m = put(torch, kind)
            weight = next(iter(m.parametrizations.parameters()))
            P.remove_parametrizations(m, "weight", leave_parametrized=leave)
            found += [m.weight, m.weight is weight, list(m.state_dict()), type(m).__name__, list(m.parameters())]
        m = put(torch, "Double")
        P.register_parametrization(m, "bias", kinds(torch)["Double"]())
        P.remove_parametrizations(m, "weight")
        return found, m.bias, list(m.state_dict()), type(m).__name__, [n for n, _ in m.named_children()]

    same(run, grad_fn=False)


def test_training_keeps_the_optimizers_parameter():
    def run(torch):
        m = torch.nn.Linear(3, 3)
        optimizer = torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
        m = put(torch, "Symmetric", m=m)
        with torch.no_grad():
            m.weight = torch.eye(3)
            m.bias.zero_()
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = ((m(torch.arange(6.0).view(2, 3)) - 1) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return losses, m.weight

    same(run, grad_fn=False)


def test_the_cache():
    def run(torch):
        P, m = torch.nn.utils.parametrize, put(torch, "Turned")
        kind, found = m.parametrizations.weight[0], []
        with P.cached():
            with P.cached():
                found.append(m.weight is m.weight)
            m(torch.ones(3))
            found.append(kind.calls)
        found += [m.weight is m.weight, kind.calls]
        with P.cached():
            found.append(m.weight is m.weight)
        return found

    same(run)


def test_deepcopy_and_load():
    def run(torch):
        m = put(torch, "RankOne")
        other = copy.deepcopy(m)
        with torch.no_grad():
            other.parametrizations.weight.original0.fill_(2.0)
        before = m.weight, other.weight
        m.load_state_dict(other.state_dict())
        return before, m.weight, type(other) is type(m), other.bias is m.bias

    same(run, grad_fn=False)


def test_transfer():
    def run(torch):
        P, found = torch.nn.utils.parametrize, []
        for kind in ("Symmetric", "RankOne"):
            m, other = put(torch, kind), torch.nn.Linear(3, 3)
            P.transfer_parametrizations_and_params(m, other)
            plain = P.transfer_parametrizations_and_params(m, torch.nn.ReLU(), "weight")
            found += [other.weight, list(other.state_dict()), repr(other), plain.weight, list(plain.state_dict())]
        return found, P.transfer_parametrizations_and_params(torch.nn.ReLU(), torch.nn.Tanh()).training

    same(run, grad_fn=False)


REFUSED = {
    "no such member": lambda torch, P, k: P.register_parametrization(torch.nn.Linear(2, 2), "gone", k["Double"]()),
    "an attribute": lambda torch, P, k: P.register_parametrization(torch.nn.Linear(2, 2), "in_features", k["Double"]()),
    "no modules": lambda torch, P, k: P.ParametrizationList([], torch.ones(2)),
    "another dtype": lambda torch, P, k: put(torch, "Turned", lambda x: x.double()),
    "another shape": lambda torch, P, k: put(torch, "Turned", lambda x: x[0]),
    "no tensor": lambda torch, P, k: put(torch, "Turned", lambda x: 3),
    "another dtype back": lambda torch, P, k: put(torch, "Turned", None, lambda x: x.double()),
    "no tensor back": lambda torch, P, k: put(torch, "Turned", None, lambda x: 3),
    "no tensors back": lambda torch, P, k: put(torch, "Turned", None, lambda x: [x, 3]),
    "a chain with another dtype": lambda torch, P, k: put(
        torch, "Turned", lambda x: x.double(), m=put(torch, "Double")
    ),
    "a chain with another shape": lambda torch, P, k: put(torch, "Turned", lambda x: x[:1], m=put(torch, "Double")),
    "a chain of no tensors": lambda torch, P, k: put(torch, "Turned", lambda x: (x,), m=put(torch, "Double")),
    "a chain, another dtype back": lambda torch, P, k: put(
        torch, "Turned", None, lambda x: x.double(), m=put(torch, "Double")
    ),
    "a chain, another shape back": lambda torch, P, k: put(
        torch, "Turned", None, lambda x: x[0], m=put(torch, "Double")
    ),
    "a chain, several back": lambda torch, P, k: put(torch, "Turned", None, lambda x: (x, x), m=put(torch, "Double")),
    "no right_inverse": lambda torch, P, k: setattr(put(torch, "Double"), "weight", torch.ones(3, 3)),
    "a value of another dtype": lambda torch, P, k: setattr(put(torch, "Turned"), "weight", torch.ones(3, 3).double()),
    "a Parameter": lambda torch, P, k: setattr(put(torch, "Turned"), "weight", torch.nn.Parameter(torch.ones(3, 3))),
    "removal of none": lambda torch, P, k: P.remove_parametrizations(torch.nn.Linear(2, 2), "weight"),
    "removal without a value": lambda torch, P, k: P.remove_parametrizations(put(torch, "RankOne"), "weight", False),
    "pickling": lambda torch, P, k: pickle.dumps(put(torch, "Double")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    same_error(lambda torch: REFUSED[name](torch, torch.nn.utils.parametrize, kinds(torch)))


@pytest.mark.parametrize("turn", ["tensor", "short", "number", "dtype", "none"])
def test_values_that_do_not_go_back(turn):
    def run(torch):
        backs = {
            "tensor": lambda x: x, "short": lambda x: (x,), "number": lambda x: (x, 3),
            "dtype": lambda x: (x, x.double()), "none": lambda x: None,
        }  # fmt: skip
        m = put(torch, "Turned", None, lambda x: (x, x.clone()))
        m.parametrizations.weight[0].back = backs[turn]
        m.weight = torch.ones(3, 3)

    same_error(run)


def test_unsafe_ones_may_change_the_shape():
    def run(torch):
        m = put(torch, "Turned", lambda x: x[:2].double(), unsafe=True)
        return m.weight, m.parametrizations.weight.unsafe, put(torch, "Double", m=m, unsafe=True).weight

    same(run, grad_fn=False)
