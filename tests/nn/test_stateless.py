"""functional_call with torch's: which tensors a module sees during a call, and what is refused."""

import warnings

import pytest

from tests.oracle import same, same_error, same_warnings


def call(torch, *args, **kwargs):
    """torch.nn.utils.stateless.functional_call without its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return torch.nn.utils.stateless.functional_call(*args, **kwargs)


def tied(torch):
    """A module with a tied weight, a buffer, a plain tensor and a module below it."""

    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Parameter(torch.ones(2))
            self.b = self.a
            self.register_buffer("count", torch.zeros(()))
            self.plain = torch.full((2,), 3.0)
            self.below = torch.nn.Linear(2, 2, bias=False)
            torch.nn.init.ones_(self.below.weight)
            self.number = 5

        def forward(self, x, scale=1.0):
            self.count = self.count + 1
            return (self.below(x) + self.a - 2 * self.b + self.plain + self.count) * scale

    return Tied()


def test_tensors_of_a_call():
    def run(torch):
        m, x = tied(torch), torch.arange(2.0)
        w = torch.full((2, 2), 0.5, requires_grad=True)
        given = {"a": torch.full((2,), 7.0), "below.weight": w, "count": torch.tensor(4.0)}
        out = call(torch, m, given, x, {"scale": 2.0})
        out.sum().backward()
        plain = call(torch, m, {"plain": torch.zeros(2)}, (x,))
        alone = call(torch, m, {"a": torch.zeros(2)}, x, tie_weights=False)
        nothing = call(torch, m, {}, (x, 0.5))
        return out, w.grad, given, plain, alone, nothing, list(m.named_parameters()), m.count, m.plain

    same(run)


def test_an_attribute_that_was_not_there():
    def run(torch):
        m = torch.nn.ReLU()
        given = {"new": torch.ones(1)}
        with torch.nn.utils.stateless._reparametrize_module(m, given):
            seen = m.new
        return seen, hasattr(m, "new"), list(given)

    same(run)


def test_tied_names_with_one_tensor():
    def run(torch):
        m, t = tied(torch), torch.zeros(2)
        with torch.nn.utils.stateless._reparametrize_module(m, {"a": t, "b": t}, tie_weights=True):
            return m.a is t, m.b is t, call(torch, m, {"b": torch.zeros(2)}, torch.arange(2.0))

    same(run)


def test_members_come_back_after_an_error():
    def run(torch):
        m = tied(torch)
        before = m.a
        found = []
        for given in ({"a": torch.ones(3)}, {"a": torch.zeros(2), "below.weight": 3}):
            try:
                call(torch, m, given, torch.arange(2.0))
            except Exception as error:
                found.append(type(error).__name__)
            found.append(m.a is before and m.b is before)
        return found

    same(run)


REFUSED = {
    "different tensors for tied names": lambda torch: ({"a": torch.ones(2), "b": torch.ones(2)}, {}),
    "missing": lambda torch: ({"a": torch.ones(2)}, {"strict": True}),
    "unexpected": lambda torch: (dict(tied(torch).state_dict()) | {"zz": torch.ones(1), "y": None}, {"strict": True}),
    "missing and unexpected": lambda torch: ({"zz": torch.ones(1)}, {"strict": True, "tie_weights": False}),
    "no tensor": lambda torch: ({"a": 3}, {}),
    "no such module": lambda torch: ({"gone.weight": torch.ones(1)}, {}),
    "no module": lambda torch: ({"number.weight": torch.ones(1)}, {}),
    "no name": lambda torch: ({"below.": torch.ones(1)}, {}),
    "an attribute that is no tensor": lambda torch: ({"number": torch.ones(1)}, {}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    def run(torch):
        given, options = REFUSED[name](torch)
        call(torch, tied(torch), given, torch.arange(2.0), **options)

    same_error(run)


def test_it_is_deprecated():
    same_warnings(lambda torch: torch.nn.utils.stateless.functional_call(torch.nn.ReLU(), {}, torch.ones(1)))
