"""What the door does in a rare mode: inference, autocast, anomaly, hooks, watchers, forward mode, transforms."""

from jtorch import modes
from jtorch.autograd import anomaly_mode, casting, forward_ad, levels, saved_hooks, watch
from jtorch.autograd import apply as door
from jtorch.autograd.level import check_host
from jtorch.engine.storage import infer


def apply(op, operands, attrs):
    """As autograd.apply.apply, for a thread in which some rare mode may be on."""
    local = modes.local
    if local.casts is not None and not op.view:
        operands, attrs = casting.cast_call(op, operands, attrs)
    level = None
    if local.level:
        operands, level = levels.lift(operands)
        if op.host:
            check_host(op, operands)
    local.plain = True
    grad = local.grad
    try:
        if local.inference:
            local.grad = False
        result = door.apply(op, operands, attrs) if level is None else levels.apply_on(level, op, operands, attrs)
        if forward_ad.active():
            forward_ad.push(op, operands, attrs, result)
    finally:
        local.plain, local.grad = False, grad
    results = result if isinstance(result, tuple) else (result,)
    number, node, hooks = local.level, None, None
    for x in results:
        if number:
            x._storage.born = number
        node = node or x._grad_fn
    if node is not None:
        hooks = saved_hooks.current()
        if anomaly_mode.is_enabled():
            anomaly_mode.note(node)
    if hooks is not None:
        saved_hooks.pack(node, hooks, results=False)
    if local.watchers and not number:
        watch.tell(op, operands, attrs, results)
    if hooks is not None:
        saved_hooks.pack(node, hooks, results=True)
    if local.inference:
        for x in results:
            infer(x._storage)
    return result


door.above.apply = staticmethod(apply)
