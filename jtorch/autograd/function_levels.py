"""A Function on a level of jtorch.func: as one call below, and what that means for the tape, tangents and rows."""

from jtorch import _tensor, modes
from jtorch._tensor import Tensor, aval
from jtorch.autograd.apply import call, filled
from jtorch.autograd.function_rows import Rows, by_own_rule, need_rule
from jtorch.autograd.inplace import store
from jtorch.autograd.level import box_of, mapping
from jtorch.autograd.levels import GradLevel, JvpLevel, snapshot
from jtorch.engine.ref import Ref


def highest(args):
    """The highest level that a tensor among the arguments is on, or None."""
    boxes = [box_of(x) for x in args if isinstance(x, Tensor)]
    return max((b.level for b in boxes if b is not None), key=lambda level: level.number, default=None)


def need_setup_context(cls):
    """Raise torch's RuntimeError for a Function that mixes forward with what it leaves for backward."""
    if not cls.split():
        raise RuntimeError(
            "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must "
            "override the setup_context staticmethod. For more details, please see "
            "https://pytorch.org/docs/main/notes/extending.func.html"
        )


class Below:
    """The arguments of a call one level below, and its outputs brought back up."""

    def __init__(self, level, args):
        self.level = level
        self.args = args
        self.boxes = [box_of(x, level) if isinstance(x, Tensor) else None for x in args]
        self.inner = [x if b is None else snapshot(b.inner) for x, b in zip(args, self.boxes, strict=True)]
        self.versions = [x._storage.version if isinstance(x, Tensor) else 0 for x in self.inner]

    def run(self, fn):
        """fn() with all that it calls being made below."""
        local = modes.local
        before = local.plain, local.level, local.grad
        local.plain = False
        if self.level.alive:
            local.level = self.level.below
            if isinstance(self.level, GradLevel):
                local.grad = local.grad and self.level.grad
        try:
            return fn()
        finally:
            local.plain, local.level, local.grad = before

    def up(self, out, make):
        """An output on the level: the argument itself where it is one, else make(out)."""
        if not isinstance(out, Tensor):
            return out
        for x, box, inner, version in zip(self.args, self.boxes, self.inner, self.versions, strict=True):
            if out is inner and box is not None:
                if inner._storage.version != version:
                    store(x, _tensor.read(make(out)))
                return x
        made = make(out)
        made._storage.born = self.level.number
        return made


def call_below(cls, level, args):
    """Make a call on a level with a tape as one call below; a function that sets ctx up and gives the outputs."""
    below = Below(level, args)
    found = below.run(lambda: cls.apply(*below.inner))
    single = not isinstance(found, tuple)
    outs = tuple(
        below.up(out, lambda t: _tensor.wrap(level.boxed(snapshot(t), aval(t))))
        for out in ((found,) if single else found)
    )
    result = outs[0] if single else outs

    def finish(ctx):
        cls.setup_context(ctx, tuple(args), result)
        return result

    return finish


def apply_pushed(cls, level, args):
    """Function.apply where tensors carry tangents: the user's jvp makes those of the outputs."""
    below = Below(level, args)
    found = below.run(lambda: cls.apply(*below.inner))
    single = not isinstance(found, tuple)
    outs = (found,) if single else found
    tangents = [None] * len(outs)
    if any(b is not None and b.tangent is not None for b in below.boxes):
        tangents = below.run(lambda: _jvp(cls, below, found))
    given = iter(tangents)
    results = []
    for out in outs:
        tangent = next(given)
        results.append(
            below.up(out, lambda t, tangent=tangent: _tensor.wrap(Ref(aval(t), level.box(level, snapshot(t), tangent))))
        )
    return results[0] if single else tuple(results)


def _jvp(cls, below, found):
    ctx = cls._backward_cls()
    ctx.note_inputs(below.inner)
    cls.setup_context(ctx, tuple(below.inner), found)
    given = []
    for x, box in zip(below.inner, below.boxes, strict=True):
        tangent = None if box is None else box.tangent
        if tangent is None and isinstance(x, Tensor) and ctx.materialize_grads:
            tangent = filled(aval(x), 0)
        given.append(tangent)
    pushed = cls.jvp(ctx, *given)
    return pushed if isinstance(pushed, tuple) else (pushed,)


def apply_mapped(cls, level, args, overridden):
    """Function.apply on rows."""
    below = Below(level, args)
    batched = tuple(b is not None and b.batched for b in below.boxes)
    if not any(batched):
        return below.run(lambda: cls.apply(*below.inner))
    if overridden:
        in_dims = tuple(0 if b else None for b in batched)
        found, dims = below.run(lambda: by_own_rule(cls, level, in_dims, below.inner))
    else:
        rows = Rows(cls, level.size, level.randomness, batched)
        found = below.run(lambda: rowwise(cls, rows).apply(*below.inner))
        dims = tuple(0 if b else None for b in rows.out_batched)
        dims = dims[0] if rows.single else dims
    single = not isinstance(found, tuple)
    outs = (found,) if single else found
    made = tuple(
        below.up(
            out, lambda t, dim=dim: t if dim is None else level.row(call("movedim", t, dim, 0) if dim else snapshot(t))
        )
        for out, dim in zip(outs, (dims,) if single else dims, strict=True)
    )
    return made[0] if single else made


def rowwise(cls, rows):
    """The Function that a Function is for all rows at once."""
    members = {name: staticmethod(getattr(rows, name)) for name in ("forward", "setup_context", "backward", "jvp")}
    return type(cls)(cls.__name__, (cls.__mro__[-2],), {**members, "generate_vmap_rule": True})


def apply(cls, args, overridden):
    """Function.apply in a transform, where the highest level has no tape; None where it has one, or there is none."""
    if modes.local.level:
        need_setup_context(cls)
    if mapping() is not None:
        need_rule(cls, overridden)
    level = highest(args)
    if isinstance(level, JvpLevel):
        return apply_pushed(cls, level, args)
    if level is not None and level.maps:
        return apply_mapped(cls, level, args, overridden)
    return None


__all__ = ["apply", "call_below", "highest"]
