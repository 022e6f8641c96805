"""torch.fx: programs read off by calling them with proxies, changed as graphs, and written as Python again.

jtorch needs no such graphs to be fast; this is for code that takes models apart, such as feature extractors.
"""

from jtorch.fx import graph, graph_module, interpreter, node, proxy, subgraph_rewriter
from jtorch.fx._symbolic_trace import Tracer, symbolic_trace, wrap
from jtorch.fx.graph import CodeGen, Graph
from jtorch.fx.graph_module import GraphModule
from jtorch.fx.interpreter import Interpreter, Transformer
from jtorch.fx.node import Node, has_side_effect, map_arg
from jtorch.fx.proxy import Proxy
from jtorch.fx.subgraph_rewriter import replace_pattern

__all__ = [
    "CodeGen", "Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer", "Transformer", "has_side_effect",
    "map_arg", "replace_pattern", "symbolic_trace", "wrap",
]  # fmt: skip
