"""Models that return what is inside of them: torchvision's feature extractors, on torch.fx."""

import math
import re
import warnings

from jtorch import fx
from jtorch.fx.graph_module import install
from jtorch.nn.modules.module import Module
from jtorch.vision import ops

__all__ = ["create_feature_extractor", "get_graph_node_names"]


class NodePathTracer(fx.Tracer):
    """Notes for each node the path of the module that it comes from: `layer1.0.relu`, then `layer1.0.relu_1`.

    leaf_modules: classes whose modules stay whole, beside those of torch.nn.
    """

    def __init__(self, *args, leaf_modules=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.leaf_modules = tuple(leaf_modules)
        self.node_to_qualname = {}
        self._here = ""

    def is_leaf_module(self, m, module_qualified_name):
        """Whether a module stays one node."""
        return isinstance(m, self.leaf_modules) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m, forward, args, kwargs):
        """As Tracer's, with the path of the module in mind."""
        before, self._here = self._here, self.path_of_module(m)
        try:
            return super().call_module(m, forward, args, kwargs)
        finally:
            self._here = before

    def create_proxy(self, kind, target, args, kwargs, *more, **named):
        """As Tracer's, and the node gets its path."""
        proxy = super().create_proxy(kind, target, args, kwargs, *more, **named)
        self.node_to_qualname[proxy.node] = self._path(proxy.node)
        return proxy

    def _path(self, node):
        path = self._here if node.op == "call_module" else f"{self._here}.{node}".lstrip(".")
        path = re.sub(r"(.)_[0-9]+$", r"\1", path)
        for known in reversed(self.node_to_qualname.values()):
            found = re.fullmatch(re.escape(path) + r"(?:_([0-9]+))?", known)
            if found:
                return f"{path}_{int(found[1] or 0) + 1}"
        return path


def _options(given):
    """The tracer's arguments: torchvision's own ops stay whole."""
    given = dict(given or {})
    whole = [kind for kind in vars(ops).values() if isinstance(kind, type) and issubclass(kind, Module)]
    given["autowrap_modules"] = (*given.get("autowrap_modules", ()), math, ops)
    given["leaf_modules"] = [*given.get("leaf_modules", ()), *whole]
    return given


def _traced(model, options, concrete_args):
    """The tracers of a model in training and in evaluation, and their graphs. The model is left as it was."""
    training, found = model.training, {}
    try:
        for mode in ("train", "eval"):
            tracer = NodePathTracer(**options)
            found[mode] = tracer, tracer.trace(model.train(mode == "train"), concrete_args)
    finally:
        model.train(training)
    return found


def _within(whole, part):
    """Whether a list is what is left of another when some of its items are taken out."""
    rest = iter(whole)
    return all(any(x == y for x in rest) for y in part)


def _warn_of_differences(train, evaluation):
    if train == evaluation:
        return
    less, more = ("eval", "train") if _within(train, evaluation) else ("train", "eval")
    if _within(train, evaluation) or _within(evaluation, train):
        found = (
            f"NOTE: The nodes obtained by tracing the model in {less} mode are a subsequence of those obtained in "
            f"{more} mode. "
        )
    else:
        found = "The nodes obtained by tracing the model in train mode are different to those obtained in eval mode. "
    warnings.warn(
        f"{found}When choosing nodes for feature extraction, you may need to specify output nodes for train and eval "
        "mode separately.",
        stacklevel=3,
    )


def get_graph_node_names(model, tracer_kwargs=None, suppress_diff_warning=False, concrete_args=None):
    """The names of the nodes of a model in training and in evaluation, in order: what an extractor can return.

    Raises: TraceError where the model asks for a value.
    """
    found = _traced(model, _options(tracer_kwargs), concrete_args)
    train, evaluation = (list(found[mode][0].node_to_qualname.values()) for mode in ("train", "eval"))
    if not suppress_diff_warning:
        _warn_of_differences(train, evaluation)
    return train, evaluation


class DualGraphModule(fx.GraphModule):
    """A GraphModule with one graph for training and one for evaluation; `train()` and `eval()` choose."""

    def __init__(self, root, train_graph, eval_graph, class_name="GraphModule"):
        Module.__init__(self)
        type(self).__name__ = class_name
        for graph in (train_graph, eval_graph):
            for node in graph.nodes:
                if node.op in ("get_attr", "call_module"):
                    install(root, self, node.target)
        self.train_graph, self.eval_graph = train_graph, eval_graph
        self.graph = train_graph

    def train(self, mode=True):
        """Choose the graph of training, or that of evaluation."""
        if mode != self.training:
            self.graph = self.train_graph if mode else self.eval_graph
        return super().train(mode)


def _named(nodes):
    """{node's name: name in the result} of what the caller asked for."""
    return {str(k): str(v) for k, v in nodes.items()} if isinstance(nodes, dict) else {str(n): str(n) for n in nodes}


def _cut(tracer, graph, wanted):
    """Let a graph return {name: result} of the nodes that were asked for."""
    outputs, rest = {}, dict(wanted)
    for node in reversed(graph.nodes):
        path = tracer.node_to_qualname.get(node)
        if path is None or node.op == "output":
            continue
        for query in rest:
            if f"{path}.".startswith(f"{query}."):
                outputs[rest.pop(query)] = node
                break
    for node in graph.find_nodes(op="output"):
        graph.erase_node(node)
    graph.output(dict(reversed(outputs.items())))  # torchvision: in the order in which they are computed
    graph.eliminate_dead_code()


def create_feature_extractor(
    model, return_nodes=None, train_return_nodes=None, eval_return_nodes=None, tracer_kwargs=None,
    suppress_diff_warning=False, concrete_args=None,
):  # fmt: skip
    """A GraphModule that returns {name: result} of nodes of a model.

    return_nodes: a list of nodes' names, or {node's name: name in the result}; a module's path means its last node.
    train_return_nodes, eval_return_nodes: the same for training and evaluation apart.
    Raises: ValueError for names that are not there or arguments that do not go together, TraceError as
    get_graph_node_names.
    """
    if return_nodes is train_return_nodes is eval_return_nodes is None:
        raise ValueError(
            "Either `return_nodes` or `train_return_nodes` and `eval_return_nodes` together, should be specified"
        )
    if (train_return_nodes is None) != (eval_return_nodes is None):
        raise ValueError(
            "If any of `train_return_nodes` and `eval_return_nodes` are specified, then both should be specified"
        )
    if (return_nodes is None) == (train_return_nodes is None):
        raise ValueError("If `train_return_nodes` and `eval_return_nodes` are specified, then both should be specified")
    wanted = {"train": _named(train_return_nodes if return_nodes is None else return_nodes)}
    wanted["eval"] = _named(eval_return_nodes if return_nodes is None else return_nodes)
    training = model.training
    found = _traced(model, _options(tracer_kwargs), concrete_args)
    for mode, (tracer, _) in found.items():
        _check(wanted[mode], list(tracer.node_to_qualname.values()))
    if not suppress_diff_warning:
        _warn_of_differences(*(list(found[mode][0].node_to_qualname.values()) for mode in ("train", "eval")))
    for mode, (tracer, graph) in found.items():
        _cut(tracer, graph, wanted[mode])
    extractor = DualGraphModule(model, found["train"][1], found["eval"][1], type(model).__name__)
    return extractor.train(training)


def _check(wanted, there):
    """Raises: ValueError for the name of no node."""
    for query in wanted:
        if not any(f"{path}.".startswith(f"{query}.") for path in there):
            raise ValueError(
                f"node: '{query}' is not present in model. Hint: use `get_graph_node_names` to make sure the "
                "`return_nodes` you specified are present. It may even be that you need to specify "
                "`train_return_nodes` and `eval_return_nodes` separately."
            )
