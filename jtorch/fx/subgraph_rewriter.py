"""replace_pattern: parts of a graph that look like a pattern give way to another piece of graph."""

from collections import namedtuple

from jtorch.fx._symbolic_trace import symbolic_trace
from jtorch.fx.graph import Graph
from jtorch.fx.graph_module import GraphModule, attribute, install
from jtorch.fx.node import Node
from jtorch.nn.modules.module import Module

__all__ = ["Match", "replace_pattern"]

Match = namedtuple("Match", "anchor nodes_map")


def replace_pattern(gm, pattern, replacement):
    """Put a replacement in the place of all parts of a graph that look like a pattern and do not overlap.

    pattern, replacement: functions, modules or graphs with the same parameters; a parameter of the pattern stands for
    whatever is there. What only the inside of a match makes must not be used outside. Changes gm in place; a Match for
    each place: the pattern's last node, and {node of the pattern: node of the graph}.
    """
    wanted, new = _graph(pattern), _graph(replacement)
    inputs = [n for n in wanted.nodes if n.op == "placeholder"]
    others = [n for n in new.nodes if n.op == "placeholder"]
    shape = _Pattern(wanted, pattern)
    changed, found = {}, _matches(shape, gm)
    for match in found:
        match.update({n: changed[match[n]] for n in inputs if isinstance(match[n], Node) and match[n] in changed})
        given = {other: match[one] for one, other in zip(inputs, others, strict=True)}
        results = [match[n] for n in wanted.output_node().all_input_nodes]
        users = {user for result in results for user in result.users}
        first = next(n for n in gm.graph.nodes if n in users) if users else results[-1].next
        with gm.graph.inserting_before(first):
            made = gm.graph.graph_copy(new, given)
        for old, now in zip(results, made if isinstance(made, tuple) else (made,), strict=True):
            old.replace_all_uses_with(now)
            changed[old] = now
        for node in reversed(wanted.nodes):
            if node.op not in ("placeholder", "output"):
                gm.graph.erase_node(match[node])
    gm.recompile()
    if isinstance(replacement, Module):
        for node in new.nodes:
            if node.op in ("get_attr", "call_module"):
                install(replacement, gm, node.target)
    return [Match(shape.ends[0], match) for match in found]  # torch: the pattern's own node


def _graph(given):
    if isinstance(given, GraphModule):
        return given.graph
    return given if isinstance(given, Graph) else symbolic_trace(given).graph


def _matches(pattern, gm):
    """The matches, as they come in the graph; one that shares a node with an earlier one is left out."""
    found, taken = [], set()
    for node in gm.graph.nodes:
        for match in pattern.at(node, gm):
            inside = pattern.inside(match)
            if taken.isdisjoint(inside):
                taken |= inside
                found.append(match)
    return found


class _Pattern:
    """A graph to be found in another."""

    def __init__(self, graph, owner):
        self.graph, self.owner = graph, owner
        self.results = graph.output_node().all_input_nodes
        self.ends = [n for n in self.results if len(n.users) == 1]  # nothing else of the pattern reads them

    def at(self, node, gm):
        """The matches whose first end is this node."""
        matches = [m for m in [self._meet(self.ends[0], node, {}, gm)] if m is not None]
        for end in self.ends[1:]:
            matches = [m for old in matches for n in gm.graph.nodes if (m := self._meet(end, n, old, gm)) is not None]
        return [m for m in matches if self._is_closed(m)]

    def inside(self, match):
        """The nodes of the graph that the pattern's own nodes stand for."""
        return {match[n] for n in self.graph.nodes if n.op not in ("placeholder", "output")}

    def _is_closed(self, match):
        inside = self.inside(match)
        hidden = inside - {match[n] for n in self.results}
        return all(user in inside for node in hidden for user in node.users)

    def _meet(self, wanted, node, known, gm):
        """The match with one more pair in it and all that leads to it, or None."""
        if wanted in known:
            return known if known[wanted] is node else None
        if wanted.op == "placeholder":
            return known | {wanted: node}
        if node.op != wanted.op or node in known.values() or not self._is_same(wanted, node, gm):
            return None
        return self._meet_all((wanted.args, wanted.kwargs), (node.args, node.kwargs), known | {wanted: node}, gm)

    def _is_same(self, wanted, node, gm):
        if wanted.op == "get_attr" and isinstance(self.owner, Module):
            return attribute(self.owner, wanted.target) is attribute(gm, node.target)
        return wanted.target == node.target

    def _meet_all(self, wanted, given, known, gm):
        if isinstance(wanted, Node):
            if isinstance(given, Node):
                return self._meet(wanted, given, known, gm)
            return known | {wanted: given} if wanted.op == "placeholder" else None
        if isinstance(wanted, (list, tuple)) and isinstance(given, (list, tuple)):
            pairs = zip(wanted, given, strict=True) if len(wanted) == len(given) else None
        elif isinstance(wanted, dict) and isinstance(given, dict):
            pairs = [(wanted[k], given[k]) for k in wanted] if wanted.keys() == given.keys() else None
        else:
            return known if type(wanted) is type(given) and wanted == given else None
        for one, other in pairs or ():
            known = self._meet_all(one, other, known, gm)
            if known is None:
                return None
        return known if pairs is not None else None
