"""What calls do on each kind of level: gradients kept on a tape, tangents pushed along, batches mapped over."""

from jtorch import _tensor, dtypes, modes
from jtorch._tensor import Tensor, View, aval, read, strides
from jtorch.autograd.apply import NUMBERS, apply, call, refresh, taped, wrap_all
from jtorch.autograd.backward import pull_back
from jtorch.autograd.carry import FAST, GRAPH
from jtorch.autograd.forward_ad import Jvp
from jtorch.autograd.inplace import overwrite
from jtorch.autograd.layout import is_dense, lay_out
from jtorch.autograd.level import Level, box_of
from jtorch.autograd.mapped import Mapped
from jtorch.engine import ref as refs
from jtorch.engine import trace, trie
from jtorch.engine.ref import Box, Ref
from jtorch.engine.storage import Storage
from jtorch.recordable import Lift
from jtorch.shapes import contiguous_strides, numel


class Linked(Storage):
    """The storage of a transform's argument: what is written to it is written to the tensor below, too."""

    def __init__(self, ref, level, target):
        super().__init__(ref)
        self.born = level.number
        self.level = level
        self.target = target

    def put(self, ref):
        """Write, here and below."""
        super().put(ref)
        if self.level.alive:
            with self.level.outside():
                overwrite(self.target, self.level.lowered(ref, self.target))
                self.ref = self.level.boxed(snapshot(self.target), ref.aval)


def snapshot(x):
    """A tensor with the value and the place in the graph that x has now, which no later write to x changes."""
    ref = refresh(x)
    if x._rg and x._grad_fn is None:
        return x  # a leaf is where its gradient goes
    t = object.__new__(Tensor)
    t._storage = Storage(ref)
    if x._rg:
        t._grad_fn, t._out_nr, t._rg = x._grad_fn, x._out_nr, True
    return t


def _plain(ref):
    """A Tensor on a Ref, as constant as can be."""
    t = object.__new__(Tensor)
    t._storage = Storage(ref)
    return t


class _Kind(Level):
    """What the kinds of levels have in common."""

    box = Box

    def boxed(self, inner, seen):
        """A Ref of this Aval for what stands for it below."""
        return Ref(seen, self.box(self, inner))

    def enter(self, x):
        """An argument as a tensor of this level that shares x's memory."""
        return self._linked(x, self.boxed(snapshot(x), aval(x)), strides(x))

    def _linked(self, target, ref, steps):
        t = object.__new__(Tensor)
        t._storage = Linked(ref, self, target)
        if steps != contiguous_strides(ref.aval.shape):
            t._view = View((), tuple(steps), 0, None, ref, ref, 0)
        return t

    def constant(self, x):
        """A tensor of a level below as one of this level, through which no gradient of this level goes."""
        return _plain(self.boxed(snapshot(x), aval(x)))

    def lower(self, ref):
        """An operand one level below, as a Tensor."""
        box = ref.value
        return box.inner if isinstance(box, Box) and box.level is self else _plain(ref)

    def lowered(self, ref, like):
        """The tensor below that is to be written where `like` is."""
        return self.lower(ref)

    def leave(self, t):
        """A result as a tensor of the level below."""
        ref = refresh(t)
        box = ref.value
        if not isinstance(box, Box) or box.level is not self:
            return t
        inner = box.inner
        if t._view is not None and inner._view is None and is_dense(aval(t).shape, strides(t)):
            lay_out(inner, self._below(tuple(strides(t)), aval(t).shape))
        return strip(inner)

    def _below(self, steps, shape):
        """The strides below of a tensor of this level with these strides and sizes."""
        return steps


class GradLevel(_Kind):
    """A level whose tensors have a tape of their own: grad, vjp and what is made of them."""

    class box(Box):
        """Stands for a tensor of the level below as it is."""

        __slots__ = ()

        def array(self):
            return _tensor.value(self.inner)

    def run(self, op, attrs, sig, operands, boxes):
        """The Refs of the results of a call."""
        grad = modes.local.grad
        modes.local.grad = grad and (self.grad or not self.alive)
        try:
            results = apply(op, operands, attrs)
        finally:
            modes.local.grad = grad
        results = results if isinstance(results, tuple) else (results,)
        return [self.boxed(t, a) for t, a in zip(results, sig.outs, strict=True)]

    def pull(self, outputs, cotangents, inputs):
        """The gradients of outputs of this level, weighted, for arguments of it: one level below, None where unused."""
        above = any(self._is_below(ct) for ct in cotangents)
        mode = GRAPH if above else FAST
        sent = [self.constant(ct) if ct._rg and not self._is_below(ct) else ct for ct in cotangents]
        found = pull_back(mode, outputs, sent, inputs)
        return [None if g is None else strip(g if above else _plain(g), self) for g in found]

    def _is_below(self, x):
        """Whether a tensor is one of a level that was opened later and keeps a tape."""
        box = box_of(x)
        while box is not None and box.level.number > self.number:
            if isinstance(box.level, GradLevel):
                return True
            box = box_of(box.inner)
        return False


class JvpLevel(_Kind):
    """A level whose tensors carry tangents."""

    class box(Box):
        """Stands for a tensor of the level below, with a tangent of that level, or None."""

        __slots__ = ("tangent",)

        def __init__(self, level, inner, tangent=None):
            super().__init__(level, inner)
            self.tangent = tangent

        def array(self):
            return _tensor.value(self.inner)

    def enter_dual(self, x, tangent):
        """An argument as a tensor of this level with a tangent."""
        return self._linked(x, Ref(aval(x), self.box(self, snapshot(x), snapshot(tangent))), strides(x))

    def run(self, op, attrs, sig, operands, boxes):
        """The Refs of the results of a call, each with the tangent that those of the operands make."""
        results = apply(op, operands, attrs)
        results = results if isinstance(results, tuple) else (results,)
        moves = tuple(b is not None and b.tangent is not None for b in boxes)
        floating = [i for i, a in enumerate(sig.outs) if a.dtype.category >= dtypes.FLOAT]
        tangents = {}
        if any(moves) and floating and op.differentiable:
            pushed = [b.tangent for b, m in zip(boxes, moves, strict=True) if m]
            found = apply(Jvp.of(op), (*operands, *pushed), (attrs, sig.compute, moves, False))
            tangents = dict(zip(floating, found if isinstance(found, tuple) else (found,), strict=True))
        return [
            Ref(a, self.box(self, t, None if i in op.constant else tangents.get(i)))
            for i, (t, a) in enumerate(zip(results, sig.outs, strict=True))
        ]

    def tangent(self, t):
        """The tangent of a result, one level below, or None."""
        refresh(t)
        box = read(t).value
        return box.tangent if isinstance(box, Box) and box.level is self else None


ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, "
    "please try to rewrite what you're doing with other operations. If error is occurring somewhere inside PyTorch "
    "internals, please file a bug report."
)


class VmapLevel(_Kind):
    """A level whose tensors are each one of a batch: the first dim of the tensor below."""

    maps = True

    class box(Box):
        """Stands for a tensor of the level below: one of the rows of it, or, where it is not batched, it itself."""

        __slots__ = ("batched",)

        def __init__(self, level, inner, batched=True):
            super().__init__(level, inner)
            self.batched = batched

        def array(self):
            if self.batched:
                raise RuntimeError(ITEM)
            return _tensor.value(self.inner)

    def __init__(self, size, randomness):
        self.size = size
        self.randomness = randomness

    def enter_dim(self, x, dim):
        """An argument's rows along a dim, as a tensor of this level."""
        moved = call("movedim", x, dim, 0) if dim else x
        a = aval(moved)
        seen = refs.aval(a.shape[1:], a.dtype, a.device)
        return self._linked(moved, self.boxed(snapshot(moved), seen), strides(moved)[1:])

    def constant(self, x):
        return _plain(Ref(aval(x), self.box(self, snapshot(x), False)))

    def lowered(self, ref, like):
        inner = self.lower(ref)
        return inner if aval(inner).ndim == aval(like).ndim else call("expand", inner, aval(like).shape)

    def run(self, op, attrs, sig, operands, boxes):
        """The Refs of the results of a call on every row."""
        axes = tuple(b is not None and b.batched for b in boxes)
        batched = any(axes)
        results = apply(Mapped.of(op), operands, (attrs, sig.compute, axes)) if batched else apply(op, operands, attrs)
        results = results if isinstance(results, tuple) else (results,)
        return [Ref(a, self.box(self, t, batched)) for t, a in zip(results, sig.outs, strict=True)]

    def row(self, below):
        """A tensor below as one row of it on this level."""
        a = aval(below)
        t = _plain(self.boxed(below, refs.aval(a.shape[1:], a.dtype, a.device)))
        t._storage.born = modes.local.level
        return t

    def rows(self, x):
        """A tensor below with a row for each one of the batch. Levels further in are passed by."""
        while (box := box_of(x)) is not None and box.level.number > self.number:
            x = box.inner
        if box is not None and box.level is self and box.batched:
            return box.inner
        x = x if box is None or box.level is not self else box.inner
        return call("expand", x, (self.size, *aval(x).shape))

    def is_batched(self, t):
        """Whether a tensor is one of this level's batch."""
        box = read(t).value
        return isinstance(box, Box) and box.level is self and box.batched

    def _below(self, steps, shape):
        return (numel(shape), *steps)


def lift(operands):
    """(the operands of a call, their highest level or None): those on a tape of a lower one are constants of it."""
    top, tracked = None, False
    for x in operands:
        if isinstance(x, Tensor):
            box = x._storage.ref.value
            if isinstance(box, Box) and (top is None or box.level.number > top.number):
                top = box.level
            tracked = tracked or x._rg
    if top is None or not tracked:
        return operands, top
    return [top.constant(x) if isinstance(x, Tensor) and x._rg and box_of(x, top) is None else x for x in operands], top


def apply_on(level, op, operands, attrs):
    """As the door's apply, for operands of which some are on this level; what is out of the way goes to the door."""
    ins, needs, bit, device = [], 0, 1, None
    for x in operands:
        if isinstance(x, Tensor):
            ref = x._storage.ref if x._view is None else refresh(x, False, op)
            if x._rg:
                needs |= bit
            device = device or ref.aval.device
            if ref.aval.device is not device or (op.follows and x._view is not None):
                return apply(op, operands, attrs)
            ins.append(ref)
        elif x is None or type(x) in NUMBERS or type(x) is Lift:
            ins.append(x)
        else:
            return apply(op, operands, attrs)
        bit <<= 1
    grad = needs and modes.local.grad and op.differentiable
    if op.host or (grad and _tensor.Made.pending):
        return apply(op, operands, attrs)
    outs, sig = _run_on(level, op, attrs, ins, device)
    return taped(sig, needs, operands, ins, outs) if grad else wrap_all(outs)


def strip(t, level=None):
    """A tensor without the boxes of levels that are closed, and of this one."""
    box = read(t).value
    while isinstance(box, Box) and not box.level.maps and (box.level is level or not box.level.alive):
        t = box.inner
        box = read(t).value
    return t


def run(op, attrs, ins, device):
    """Run a call on boxed operands one level below the highest of theirs: (Refs of its outputs, its Signature)."""
    level = None
    for x in ins:
        if type(x) is Ref and isinstance(x.value, Box) and (level is None or x.value.level.number > level.number):
            level = x.value.level
    return _run_on(level, op, attrs, ins, device)


def _run_on(level, op, attrs, ins, device):
    local = modes.local
    kind = level.box
    seen, boxes, operands = [], [], []
    for x in ins:
        if type(x) is Ref:
            box = x.value
            seen.append(x.aval)
            if type(box) is kind and box.level is level:
                boxes.append(box)
                operands.append(box.inner)
            else:
                boxes.append(None)
                operands.append(_plain(x))
        else:
            seen.append(x if x is None else trie.Number(x.value, 0) if type(x) is Lift else trie.Number(x))
            boxes.append(None)
            operands.append(x)
    sig = trie.signature(op, attrs, seen, device, local.token)
    plain, number = local.plain, local.level
    local.plain = False
    if level.alive:
        local.level = level.below
    try:
        return level.run(op, attrs, sig, operands, boxes), sig
    finally:
        local.plain, local.level = plain, number


trace.hooks.boxed = staticmethod(run)


def detached(t):
    """A tensor outside the graphs of all levels. torch: detach reaches through every transform."""
    box = read(t).value
    if not isinstance(box, Box):
        return _tensor.alias(t)
    inner = detached(box.inner)
    made = box.level.box(box.level, inner, box.batched) if box.level.maps else box.level.box(box.level, inner)
    return _plain(Ref(aval(t), made))
