"""Walking the tape backwards: the vjp calls are recorded like any other call, so the gradients are part of the step."""

from heapq import heappop, heappush

from jtorch import modes
from jtorch._tensor import Tensor
from jtorch.autograd.carry import FAST, total
from jtorch.autograd.full_walk import FullWalk, accumulate
from jtorch.engine import trace


def walk_to_leaves(roots, keep):
    """Add the roots' gradients to `.grad` of all leaves: the fast way, until something on the way wants to watch.

    roots: [((node or leaf, output number), gradient), ...]. keep: whether saved values stay.
    """
    if modes.rare:
        FullWalk(FAST, keep).start(roots).run()
        return
    arrived, leaves, leaf_of, heap = {}, {}, {}, []
    try:
        finished = _run(roots, keep, arrived, leaves, leaf_of, heap)
    except BaseException:
        # torch: leaves whose last gradient has come by then have it.
        FullWalk(FAST, keep).take_over(heap, arrived, leaves, leaf_of).finish_ready()
        raise
    if finished:
        for key, gradient in leaves.items():
            accumulate(leaf_of[key], gradient, FAST)
    else:
        FullWalk(FAST, keep).take_over(heap, arrived, leaves, leaf_of).run()


def _run(sent, keep, arrived, leaves, leaf_of, heap):
    """Pull gradients from the roots to the leaves; False when a node or leaf with hooks is reached."""
    watched = False
    while True:
        for (target, number), gradient in sent:
            slots = arrived.get(target)
            if slots is not None:
                slots[number] = gradient if slots[number] is None else total(slots[number], gradient)
            elif isinstance(target, Tensor):
                key = id(target)
                if key in leaves:
                    leaves[key] = total(leaves[key], gradient)
                else:
                    leaves[key] = gradient
                    leaf_of[key] = target
                    watched = watched or target._hooks is not None
            else:
                slots = arrived[target] = [None] * len(target.tape.outs if target.hooks is None else target.outs)
                slots[number] = gradient
                heappush(heap, (-target.sequence, target))
        if not heap:
            return not watched
        node = heap[0][1]
        if watched or node.hooks is not None:
            return False
        gradients = _pull(node, arrived[node])
        heappop(heap)
        del arrived[node]
        if not keep:
            if node.tape.frees:
                node.saved = None
            node.versions = ()
        sent = zip(node.edges, gradients, strict=True)


def _pull(node, cotangents):
    """The gradients of a recorded call's operands that need one. Raises as Call.check does."""
    saved = node.saved
    if saved is None:
        node.check()
    for storage, version, _, _ in node.versions:
        if storage.version != version:
            node.check()
    kept = node.tape
    if len(cotangents) == 1:
        attrs, ins = kept.single, cotangents + saved
    else:
        attrs = kept.attrs(tuple([c is not None for c in cotangents]))
        ins = [c for c in cotangents if c is not None] + saved
    try:
        return trace.record(kept.vjp, attrs, ins, kept.device)[0]
    except trace.Inline:
        return trace.run_inline(kept.vjp, attrs, ins, kept.device)[0]
