"""torch.fx beside torch's own: the graphs and the code that are read off, what they compute, how they are changed."""

import copy
import math
import operator
import pickle

import pytest
import torch

import jtorch
import jtorch.fx
from tests.oracle import same, same_error


def model(module, seed=0):
    nn = module.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.seq = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
            self.w = nn.Parameter(module.ones(4))
            self.register_buffer("b", module.arange(4.0))

        def forward(self, input, y=None, *, k=2):
            a = self.seq(input) + self.w * 2 - self.b
            d = a.sum(dim=1, keepdim=True)
            e = d.view(d.size(0), -1)
            f = e.shape[0]
            g = module.cat([e, e], 1)
            h = math.sqrt(2) * -g
            i = (h > 0) & (h < 3)
            t = module.add(1 - h.T, 1, alpha=2)
            return (
                {"a": g, "b": (h, 3.5)},
                i,
                t.relu_(),
                h @ h.t(),
                h // 2,
                f + 1,
                a[:, 1:3],
                abs(h) ** 2,
                module.float32,
            )

    module.manual_seed(seed)
    return Net()


PROGRAMS = {
    "two": lambda torch: lambda x, y: x + y,
    "stars": lambda torch: lambda *a, **k: a[0] + k["z"],
    "constant": lambda torch: lambda x: x + torch.ones(2),
    "shapes": lambda torch: lambda x: torch.zeros(x.shape[0], device=x.device),
    "index": lambda torch: lambda x: x.transpose(0, 1)[..., None, ::2],
    "dtype": lambda torch: lambda x: x.to(torch.float64, copy=True),
    "device": lambda torch: lambda x: x.to(torch.device("cpu")),
    "unused": lambda torch: lambda x: (x * 2, x.sin())[0],
    "names": lambda torch: lambda x, add, sum_1: add + sum_1 + x.sum() + x.sum(),
    "nested": lambda torch: lambda x: torch.stack([x, (x, x)[1]], dim=0).unbind(),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_code_of_a_function_is_torchs(name):
    def run(torch):
        traced = torch.fx.symbolic_trace(PROGRAMS[name](torch))
        nodes = [(n.op, n.name, [*map(str, n.users)], str(n.args), str(n.kwargs)) for n in traced.graph.nodes]
        return traced.code, nodes, str(traced.graph)

    same(run)


def test_a_module_is_read_off_and_computes_the_same():
    def run(torch):
        net = model(torch)
        traced = torch.fx.symbolic_trace(net)
        x = torch.linspace(-1, 2, 6).reshape(2, 3)
        traced.seq[0].load_state_dict({"weight": torch.linspace(-1, 1, 12).reshape(4, 3), "bias": torch.ones(4)})
        out = traced(x)
        out[3].sum().backward()
        again = torch.fx.Interpreter(traced).run(x)
        copies = [copy.deepcopy(traced)(x)[3]]
        return traced.code, str(traced), out[:-1], again[:-1], copies, traced.w.grad, [*traced.state_dict()]

    same(run)
    traced = jtorch.fx.symbolic_trace(model(jtorch))
    x = jtorch.ones(1, 3)
    back = pickle.loads(pickle.dumps(traced))
    assert back.code == traced.code and jtorch.equal(back(x)[3], traced(x)[3])


def test_what_cannot_be_read_off():
    same_error(lambda torch: torch.fx.symbolic_trace(lambda x: x if x.sum() > 0 else -x))
    same_error(lambda torch: torch.fx.symbolic_trace(lambda x: list(x)))
    same_error(lambda torch: torch.fx.symbolic_trace(lambda x: len(x)))
    same_error(lambda torch: torch.fx.wrap(3))


def test_a_graph_is_changed_by_hand():
    def run(torch):
        traced = torch.fx.symbolic_trace(lambda x: torch.relu(x) + 1)
        graph = traced.graph
        for node in graph.nodes:
            if node.target is torch.relu:
                with graph.inserting_after(node):
                    new = graph.call_function(torch.sigmoid, (node,))
                node.replace_all_uses_with(new)
                new.args = (node,)
            elif node.target is operator.add:
                node.update_arg(1, 5)
        with graph.inserting_before(graph.output_node() if hasattr(graph, "output_node") else None):
            dead = graph.call_method("cos", (new,))
        graph.lint()
        before = [*map(str, graph.nodes)]
        graph.eliminate_dead_code()
        traced.recompile()
        shown = traced.code, before, [*map(str, graph.nodes)], len(graph.nodes), str(dead)
        return shown, traced(torch.tensor([1.0])), [*map(str, graph.find_nodes(op="call_function", target=torch.relu))]

    same(run)
    same_error(lambda torch: _erase_first(torch))


def _erase_first(module):
    graph = module.fx.symbolic_trace(lambda x: module.relu(x)).graph
    graph.erase_node(next(iter(graph.nodes)))


def test_a_graph_by_hand_and_a_transformer():
    def run(torch):
        graph = torch.fx.Graph()
        x = graph.placeholder("x")
        w = graph.get_attr("w")
        graph.output(graph.call_module("lin", (graph.call_function(torch.mul, (x, w)),)))
        lin = torch.nn.Linear(2, 2, bias=False)
        torch.nn.init.ones_(lin.weight)
        made = torch.fx.GraphModule({"w": torch.tensor([2.0, 3.0]), "lin": lin}, graph)

        class Swap(torch.fx.Transformer):
            def call_function(self, target, args, kwargs):
                return super().call_function(torch.add if target is torch.mul else target, args, kwargs)

        swapped = Swap(made).transform()
        x = torch.tensor([[1.0, 2.0]])
        return (
            made(x),
            swapped(x),
            made.code,
            swapped.code,
            made.delete_submodule("lin"),
            made.add_submodule("a.b", lin),
        )

    same(run)
    same_error(lambda torch: torch.fx.GraphModule({}, _needs_w(torch)))


def _needs_w(module):
    graph = module.fx.Graph()
    graph.output(graph.get_attr("w"))
    return graph


def test_a_tracer_of_ones_own_keeps_modules_whole():
    def run(torch):
        class Whole(torch.fx.Tracer):
            def is_leaf_module(self, m, name):
                return isinstance(m, torch.nn.Sequential) or super().is_leaf_module(m, name)

        net = model(torch)
        graph = Whole().trace(net, {"y": None})
        return [n.target for n in graph.find_nodes(op="call_module")], [n.name for n in graph.nodes][-3:]

    same(run)


def helper(x, n):
    return x * n if n > 1 else x


helper_of = {"jtorch": jtorch.fx.wrap("helper"), "torch": torch.fx.wrap("helper")}


def test_a_wrapped_function_is_one_node():
    same(lambda torch: [n.name for n in torch.fx.symbolic_trace(lambda x: helper(x, 2) + 1).graph.nodes])
    assert jtorch.fx.symbolic_trace(lambda x: helper(x, 2) + 1)(3) == 7
    assert helper(3, 2) == 6
