"""Showing a trace or a program as readable Python."""

from jtorch.engine import program
from jtorch.engine.ref import Aval
from jtorch.engine.trace import local
from jtorch.engine.trie import Number


def _name(slot):
    return f"v{slot}"


def _operand(at):
    if type(at) is int:
        return _name(at)
    if type(at) is Number:
        return repr(at.value) if at.index is None else f"numbers[{at.index}]"
    return "None"


def path(nodes, live=()):
    """Python text of the calls on a path of the trie, inputs first; `live` slots are returned."""
    lines = ["def program(numbers, " + ", ".join(_name(s) for n in nodes for s, _ in n.entered) + "):"]
    for node in nodes:
        for slot, aval in node.entered:
            lines.append(f"    # {_name(slot)}: {aval}")
        outs = [_name(node.first + i) for i in range(len(node.sig.outs))]
        args = [_operand(at) for at in node.ins] + [repr(a) for a in node.sig.attrs]
        kinds = ", ".join(map(repr, node.sig.outs))
        where = f"  {node.where}" if node.where else ""
        lines.append(f"    {', '.join(outs)} = {node.sig.op.name}({', '.join(args)})  # {kinds}{where}")
    lines.append(f"    return {', '.join(map(_name, live)) or 'None'}")
    return "\n".join(lines)


def difference(node):
    """In words: how the first call that was new to the trie differs from the closest one known at its place."""
    if node is None:
        return "known calls, now in full or for other values held or donated"
    known = [child for child in node.parent.children.values() if child is not node]
    what = f"call {node.depth}, {node.sig.op.name}" + (f" at {node.where}" if node.where else "")
    if not known:
        return f"{what}, goes beyond what was known"
    like = next((child for child in reversed(known) if child.sig.op is node.sig.op), None)
    if like is None:
        return f"{what}, stands where {known[-1].sig.op.name} was known"
    parts = []
    if like.sig.attrs != node.sig.attrs:
        parts.append(f"attributes {node.sig.attrs} instead of {like.sig.attrs}")
    for i, (new, old) in enumerate(zip(node.ins, like.ins, strict=False)):
        if _operand(new) != _operand(old):
            parts.append(f"operand {i} is {_operand(new)} instead of {_operand(old)}")
    for new, old in zip(node.sig.avals, like.sig.avals, strict=False):
        if new is not old and type(new) is Aval:
            parts.append(f"{new} instead of {old}")
    return f"{what}, has " + "; ".join(parts[:3] or ["other modes"])


def pending(device=None):
    """Text of what this thread has recorded and not run, on one device or on the one used last."""
    trace = local.trace if device is None else local.traces.get(device)
    if trace is None or trace.node is trace.root:
        return "# nothing is pending"
    live = [slot for slot, weak in enumerate(trace.refs) if weak() is not None]
    inputs = {slot for slot, _ in trace.inputs}
    return path(trace.node.path(), [s for s in live if s not in inputs])


def last():
    """Text of the program that ran last."""
    recent = program.most_recent()
    return "# no program has run" if recent is None else path(program.path(recent), recent.live)
