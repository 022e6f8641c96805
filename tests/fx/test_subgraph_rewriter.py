"""torch.fx.replace_pattern beside torch's own: what it finds, the code afterwards, and what that computes."""

import torch
import torch.fx

import jtorch
import jtorch.fx
from tests.oracle import same
from tests.scripts import as_jtorch

# Per name: a program, a pattern and a replacement, made for either library.
CASES = {
    "twice": lambda torch: (
        lambda x, w1, w2: x + torch.max(torch.cat([torch.neg(w1), w2]).sum()) + torch.cat([torch.neg(w1), w2]).sum(),
        lambda a, b: torch.cat([torch.neg(a), b]).sum(),
        lambda a, b: torch.stack([a, b]),
    ),
    "chained": lambda torch: (
        lambda x: torch.relu(torch.relu(torch.relu(x + 1) + 1) + 1),
        lambda x: torch.relu(x + 1),
        lambda x: torch.sigmoid(x),
    ),
    "overlapping": lambda torch: (
        lambda x: x.neg().neg().neg(), lambda x: x.neg().neg(), lambda x: x * 1,
    ),
    "used outside": lambda torch: (
        lambda x: (torch.sin(torch.cos(x)) + torch.cos(x), torch.sin(torch.cos(x))),
        lambda x: torch.sin(torch.cos(x)),
        lambda x: x - 1,
    ),
    "shared": lambda torch: (
        lambda x: (lambda y: (torch.sin(y), y))(torch.cos(x)), lambda x: torch.sin(torch.cos(x)), lambda x: x - 1,
    ),
    "literals": lambda torch: (
        lambda x: (x.sum(1), x.sum(0), torch.add(x, 1, alpha=2), torch.add(x, 1, alpha=3)),
        lambda x: torch.add(x, 1, alpha=2),
        lambda x: x * 5,
    ),
    "number for a parameter": lambda torch: (
        lambda x: torch.add(x, 3) * 2, lambda x, y: torch.add(x, y), lambda x, y: x - y,
    ),
    "two results": lambda torch: (
        lambda x, y: torch.sin(x) * torch.cos(x + 1) + y,
        lambda x: (torch.sin(x), torch.cos(x + 1)),
        lambda x: (torch.cos(x), torch.sin(x)),
    ),
    "nothing": lambda torch: (lambda x: x + 1, lambda x: x * 1, lambda x: x),
    "same input": lambda torch: (
        lambda x, y: (torch.mul(x, x), torch.mul(x, y)), lambda x: torch.mul(x, x), lambda x: x**2,
    ),
}  # fmt: skip


def rewritten(lib, make):
    """The code, the places found and the results of a program that is rewritten."""
    program, pattern, replacement = make(lib)
    traced = lib.fx.symbolic_trace(program)
    found = lib.fx.replace_pattern(traced, pattern, replacement)
    traced.graph.lint()
    count = sum(n.op == "placeholder" for n in traced.graph.nodes)
    given = [lib.arange(6.0).reshape(2, 3) + i for i in range(count)]
    return traced.code, [[str(n) for n in (m.anchor, *m.nodes_map.values())] for m in found], traced(*given)


def test_patterns():
    for make in CASES.values():
        theirs, ours = rewritten(torch, make), rewritten(jtorch, make)
        assert ours[0] == theirs[0]
        assert [m[0] for m in ours[1]] == [m[0] for m in theirs[1]]
        assert [sorted(m) for m in ours[1]] == [sorted(m) for m in theirs[1]]
        same(lambda lib, make=make: rewritten(lib, make)[2])


def test_modules():
    def program(torch):
        nn = torch.nn
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.ReLU())
        traced = torch.fx.symbolic_trace(model)

        class Replacement(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.full((2,), 3.0))
                self.inner = nn.Linear(2, 2, bias=False)

            def forward(self, x):
                return self.inner(x) * self.scale

        class Pattern(nn.Module):
            def __init__(self):
                super().__init__()
                self.add_module("1", nn.ReLU())

            def forward(self, x):
                return getattr(self, "1")(x)

        class Whole(torch.fx.Tracer):
            def is_leaf_module(self, m, name):
                return True

        pattern = torch.fx.GraphModule(*(lambda m: (m, Whole().trace(m)))(Pattern()))
        found = torch.fx.replace_pattern(traced, pattern, Replacement())
        return traced.code, len(found), sorted(traced.state_dict()), traced(torch.ones(3, 2))

    same(program)


def test_wrapped_functions_stay_calls_in_the_code():
    source = """
import torch
import torch.fx

def low(x, y):
    return x * 2 + y

torch.fx.wrap(low)
torch.fx.wrap("len")
traced = torch.fx.symbolic_trace(lambda x: low(x, 1) + low(x.sin(), len(x)))
again = torch.fx.symbolic_trace(traced)
results = [traced.code, again.code, [n.meta for n in traced.graph.nodes], traced(torch.ones(3)), again(torch.ones(2))]
"""
    both = []
    for text in (source, as_jtorch(source)):
        scope = {"__name__": "program"}
        exec(compile(text, "program", "exec"), scope)
        both.append(scope["results"])
    assert both[0][:3] == both[1][:3]
    same(lambda lib: both[lib is jtorch][3:])
