"""Containers against torch's: every method, printed form and error."""

from collections import OrderedDict

import pytest

from tests.nn.paths import raises
from tests.oracle import same, same_print


def chain(torch):
    return torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(2, 2), torch.nn.Tanh())


def named_chain(torch):
    return torch.nn.Sequential(OrderedDict(a=torch.nn.ReLU(), b=torch.nn.Tanh(), c=torch.nn.ELU()))


def row(torch):
    layers = [torch.nn.Linear(2, 2) for _ in range(3)]
    return torch.nn.ModuleList([*layers, torch.nn.ReLU(), torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)])


def table(torch):
    return torch.nn.ModuleDict({"a": torch.nn.Linear(1, 1), "b": torch.nn.ReLU()})


def values(torch):
    return torch.nn.ParameterList(
        [torch.ones(2), torch.nn.Parameter(torch.ones(2, 3)), 3, "a", torch.nn.ReLU(), torch.tensor(2.0)]
    )


def named_values(torch):
    return torch.nn.ParameterDict(
        {"a": torch.ones(2), "c": 4, "b": torch.nn.Parameter(torch.ones(1)), "m": torch.nn.ReLU()}
    )


def after(make, change):
    """The printed form of the container after a change, and what the change returned."""

    def run(torch):
        container = make(torch)
        returned = change(torch, container)
        return f"{container!r}\n{returned!r}\n{list(container.state_dict())}".replace("jtorch.", "torch.")

    return run


@pytest.mark.parametrize(
    "change",
    [
        lambda torch, m: None,
        lambda torch, m: m[0],
        lambda torch, m: m[-1],
        lambda torch, m: m[torch.tensor(1)],
        lambda torch, m: m[0:2],
        lambda torch, m: m[::-1],
        lambda torch, m: len(m),
        lambda torch, m: list(m),
        lambda torch, m: m.append(torch.nn.ELU()),
        lambda torch, m: m.pop(0),
        lambda torch, m: m.pop(-1),
        lambda torch, m: m.pop(slice(0, 2)),
        lambda torch, m: m.__delitem__(1),
        lambda torch, m: m.__delitem__(slice(0, 2)),
        lambda torch, m: m.__setitem__(-1, torch.nn.Sigmoid()),
    ],
)
@pytest.mark.parametrize("make", [chain, named_chain, row])
def test_rows(make, change):
    same_print(after(make, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda torch, m: m + torch.nn.Sequential(torch.nn.Sigmoid()),
        lambda torch, m: m.__iadd__(torch.nn.Sequential(torch.nn.Sigmoid())),
        lambda torch, m: m * 2,
        lambda torch, m: 3 * m,
        lambda torch, m: m.__imul__(2),
        lambda torch, m: m.insert(1, torch.nn.ELU()),
        lambda torch, m: m.insert(-1, torch.nn.ELU()),
        lambda torch, m: m.insert(3, torch.nn.ELU()),
        lambda torch, m: m.extend(torch.nn.Sequential(torch.nn.GELU())),
        lambda torch, m: m.extend([torch.nn.GELU(), torch.nn.ELU()]),
    ],
)
def test_chains(change):
    same_print(after(chain, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda torch, m: m + [torch.nn.Sigmoid()],
        lambda torch, m: m.__iadd__([torch.nn.Sigmoid()]),
        lambda torch, m: m.insert(1, torch.nn.ELU()),
        lambda torch, m: m.insert(6, torch.nn.ELU()),
        lambda torch, m: m.extend(layer for layer in [torch.nn.GELU(), torch.nn.GELU()]),
        lambda torch, m: torch.nn.ModuleList(),
        lambda torch, m: m[1:1],
    ],
)
def test_lists(change):
    same_print(after(row, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda torch, m: m["a"],
        lambda torch, m: m.a,
        lambda torch, m: list(m),
        lambda torch, m: (list(m.keys()), list(m.items()), list(m.values())),
        lambda torch, m: ("a" in m, "z" in m, len(m)),
        lambda torch, m: m.pop("a"),
        lambda torch, m: m.clear(),
        lambda torch, m: m.__delitem__("b"),
        lambda torch, m: m.__setitem__("a", torch.nn.Tanh()),
        lambda torch, m: m.update({"z": torch.nn.Tanh(), "a": torch.nn.ELU()}),
        lambda torch, m: m.update([("y", torch.nn.Tanh())]),
        lambda torch, m: m.update(torch.nn.ModuleDict({"k": torch.nn.ReLU()})),
        lambda torch, m: torch.nn.ModuleDict(),
        lambda torch, m: torch.nn.ModuleDict([("u", torch.nn.ReLU())]),
    ],
)
def test_dicts(change):
    same_print(after(table, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda torch, m: m[0],
        lambda torch, m: m[-1],
        lambda torch, m: m[0:2],
        lambda torch, m: (len(m), list(m)),
        lambda torch, m: list(m.parameters()),
        lambda torch, m: m.append(torch.zeros(1)),
        lambda torch, m: m.extend([torch.zeros(1), 1.5]),
        lambda torch, m: m.__iadd__([torch.zeros(1)]),
        lambda torch, m: m.__setitem__(0, torch.zeros(3)),
        lambda torch, m: m.__setitem__(2, torch.zeros(3)),
        lambda torch, m: torch.nn.ParameterList(),
        lambda torch, m: m.double(),
    ],
)
def test_parameter_lists(change):
    same_print(after(values, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda torch, m: m["a"],
        lambda torch, m: m.a,
        lambda torch, m: (list(m.keys()), list(m.items()), list(m.values()), list(m), list(reversed(m))),
        lambda torch, m: ("a" in m, "z" in m, len(m)),
        lambda torch, m: m.pop("a"),
        lambda torch, m: m.popitem(),
        lambda torch, m: m.clear(),
        lambda torch, m: m.copy(),
        lambda torch, m: m.copy()["a"] is m["a"],
        lambda torch, m: m.setdefault("n", torch.ones(1)),
        lambda torch, m: m.setdefault("a"),
        lambda torch, m: m.setdefault("e"),
        lambda torch, m: (m.get("z"), m.get("b", 3)),
        lambda torch, m: m.fromkeys(["x", "y"], torch.ones(1)),
        lambda torch, m: m | torch.nn.ParameterDict({"o": torch.ones(1)}),
        lambda torch, m: m | {"o": 1},
        lambda torch, m: {"o": 1} | m,
        lambda torch, m: m.__ior__(torch.nn.ParameterDict({"o": torch.ones(1)})),
        lambda torch, m: m.update({"z": torch.ones(1), "y": torch.ones(1)}),
        lambda torch, m: m.update(OrderedDict(z=torch.ones(1), y=torch.ones(1))),
        lambda torch, m: m.update([("y", torch.ones(1))]),
        lambda torch, m: m.__delitem__("b"),
        lambda torch, m: torch.nn.ParameterDict(),
        lambda torch, m: torch.nn.ParameterDict([("u", torch.ones(1))]),
    ],
)
def test_parameter_dicts(change):
    same_print(after(named_values, change))


@pytest.mark.parametrize(
    "fn",
    [
        lambda torch: chain(torch)[5],
        lambda torch: chain(torch)[-4],
        lambda torch: chain(torch)["0"],
        lambda torch: chain(torch)[1.5],
        lambda torch: chain(torch).__delitem__(3),
        lambda torch: chain(torch) + 3,
        lambda torch: chain(torch).__iadd__(3),
        lambda torch: chain(torch) * 0,
        lambda torch: chain(torch) * 1.5,
        lambda torch: chain(torch).__imul__("a"),
        lambda torch: chain(torch).insert(9, torch.nn.ReLU()),
        lambda torch: chain(torch).insert(0, 3),
        lambda torch: chain(torch).append(3),
        lambda torch: chain(torch).extend(3),
        lambda torch: chain(torch)(1, 2),
        lambda torch: torch.nn.Sequential(3),
        lambda torch: torch.nn.Sequential({"a": torch.nn.ReLU()}),
        lambda torch: row(torch)[9],
        lambda torch: row(torch)["x"],
        lambda torch: row(torch).append(3),
        lambda torch: row(torch).extend(3),
        lambda torch: row(torch)(1),
        lambda torch: [1] + row(torch),
        lambda torch: torch.nn.ModuleList(3),
        lambda torch: table(torch)["z"],
        lambda torch: table(torch).pop("z"),
        lambda torch: table(torch).update(3),
        lambda torch: table(torch).update([3]),
        lambda torch: table(torch).update([("x",)]),
        lambda torch: table(torch).update({"k": 3}),
        lambda torch: torch.nn.ModuleDict({"keys": torch.nn.ReLU()}),
        lambda torch: torch.nn.ModuleDict({"a.b": torch.nn.ReLU()}),
        lambda torch: torch.nn.ModuleDict({3: torch.nn.ReLU()}),
        lambda torch: values(torch)[9],
        lambda torch: values(torch)[1.0],
        lambda torch: values(torch).extend(4),
        lambda torch: values(torch)(1),
        lambda torch: torch.nn.ParameterList(3),
        lambda torch: torch.nn.ParameterList(torch.ones(2, 2)),
        lambda torch: named_values(torch)["zz"],
        lambda torch: named_values(torch).__delitem__("zz"),
        lambda torch: named_values(torch).update(3),
        lambda torch: named_values(torch).update([3]),
        lambda torch: named_values(torch).update([(1, 2, 3)]),
        lambda torch: named_values(torch)(1),
        lambda torch: torch.nn.ParameterDict({3: torch.ones(1)}),
    ],
)
def test_errors(fn):
    raises(fn)


def test_a_chain_calls_its_modules_in_order():
    def run(torch):
        torch.manual_seed(0)
        m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
        x = torch.tensor([[1.0, -1.0]])
        return m(x), torch.nn.Sequential()(5), torch.nn.Sequential(*list(m.children())[:-1])(x)

    same(run)
