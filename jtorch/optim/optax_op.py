"""The one op by which optimizers step: an Optax transformation on all parameters of all groups at once."""

import functools
import inspect
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax

from jtorch._tensor import Tensor, aval, from_host, read, record, wrap
from jtorch.autograd.apply import call
from jtorch.autograd.inplace import assign, store
from jtorch.engine import log
from jtorch.ops.op import Arrays, Inputs, op
from jtorch.optim.again import Again
from jtorch.optim.clock import Clock
from jtorch.optim.optimizer import Optimizer, evaluate, with_grad_mode
from jtorch.optim.rows import Rows
from jtorch.recordable import Lift
from jtorch.shards.dtensor import part_like

_is_sparse = attrgetter("is_sparse")
_HALVES = (jnp.float16, jnp.bfloat16)
_FUSED = ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]


class Group(NamedTuple):
    """How the arrays and numbers of a group lie: params, gradients, each field of the state, then tensor numbers.

    tensors: which numbers come as tensors. index: the count (Adam's step) each parameter goes by, of `counts` ones.
    sparse: how many sparse dims each gradient has, 0 for a dense one; () where all are dense.
    """

    options: tuple
    size: int
    fields: tuple[str, ...]
    tensors: tuple[bool, ...]
    index: tuple[int, ...]
    counts: int
    sparse: tuple[int, ...] = ()


class Layout:
    """The groups of one step: hashable, the hash worked out once."""

    __slots__ = ("groups", "_hash")

    def __init__(self, groups):
        self.groups = groups
        self._hash = hash(groups)

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        return self is other or (isinstance(other, Layout) and self.groups == other.groups)

    def told(self):
        """What it is in every process."""
        return self.groups

    def __repr__(self):
        return f"Layout({', '.join(f'{group.size} params' for group in self.groups)})"


_layout = functools.lru_cache(maxsize=1024)(Layout)


@op("optimizer_step", door=None)
def optimizer_step(arrays: Arrays, hypers: Inputs, *, rule, layout):
    """The new parameters and states of every group, in the order in which they came.

    rule(options, numbers, counts, dtype) is the Optax transformation of a group: `numbers` are its hyperparameters as
    0-d float64 arrays, `counts` one such array per parameter, `dtype` the one it computes in.
    """
    arrays, hypers = iter(arrays), iter(hypers)
    return [new for group in layout.groups for new in _step(rule, group, arrays, hypers)]


@op("optimizer_step_unless", door=None, differentiable=False)
def optimizer_step_unless(arrays: Arrays, hypers: Inputs, *, rule, layout, clocks):
    """As `optimizer_step`, but everything stays as it is where arrays[0] is not 0.

    The next `clocks` arrays are the steps so far, which each group's `index` counts through; the new ones come last.
    """
    bad, steps, rest = arrays[0] != 0, arrays[1 : 1 + clocks], iter(arrays[1 + clocks :])
    counts, hypers = [_number(step) + 1 for step in steps], iter(hypers)
    news = [new for group in layout.groups for new in _step(rule, group, rest, hypers, counts, bad)]
    return news + [jnp.where(bad, step, step + 1) for step in steps]


def _step(rule, group, arrays, hypers, counts=(), bad=None):
    params, grads, *states = (list(islice(arrays, group.size)) for _ in range(2 + len(group.fields)))
    rows = Rows(group.sparse, arrays, params, grads, states) if group.sparse else None
    numbers = [_number(next(arrays) if held else next(hypers)) for held in group.tensors]
    counts = [_number(count) for count in islice(hypers, group.counts)] or counts
    counts = [counts[i] for i in group.index]
    results = [params, *states]
    for dtype, members in _by_dtype(params).items():
        here = [counts[i] for i in members] if counts else ()
        given = [[_as_computed(x[i], dtype) for i in members] for x in (params, grads, *states)]
        news = transform(rule(group.options, numbers, here, dtype), group.fields, *given)
        for old, new in zip(results, news, strict=True):
            for i, value in zip(members, new, strict=True):
                value = _as_kept(value, old[i].dtype)
                old[i] = value if bad is None else jnp.where(bad, old[i], value)
    if rows is not None:
        rows.put_back(results)
    return [x for kind in results for x in kind]


def _number(value):
    return jnp.asarray(value, jnp.float64).reshape(())


def _by_dtype(params):
    """The places of the parameters by the dtype that torch computes them in: half precision in float32."""
    places = {}
    for i, param in enumerate(params):
        real = jnp.finfo(param.dtype).dtype
        places.setdefault(np.dtype(np.float32) if real in _HALVES else real, []).append(i)
    return places


def _as_computed(x, dtype):
    """x in the computing dtype; a complex array as its real and imaginary parts, as torch steps it."""
    return jnp.stack([x.real, x.imag], -1) if jnp.iscomplexobj(x) else x.astype(dtype)


def _as_kept(x, dtype):
    """What was computed of an array of this dtype, as such an array."""
    return x[..., 0] + 1j * x[..., 1] if jnp.issubdtype(dtype, jnp.complexfloating) else x.astype(dtype)


def transform(transformation, fields, params, grads, *states):
    """New params and states: `states` stand in the transformation's own state under the names `fields`."""
    state = transformation.init(params)
    if fields:
        state = optax.tree.set(state, **dict(zip(fields, states, strict=True)))
    updates, state = transformation.update(grads, state, params)
    return [optax.apply_updates(params, updates), *(optax.tree.get(state, field) for field in fields)]


class Plan:
    """What one call of the op is given. ticks: what moves the clocks on, see Clock.

    clocks: the steps so far, where the program decides whether to step. starts: where each group's counts begin.
    """

    __slots__ = ("arrays", "targets", "numbers", "groups", "ticks", "clocks", "starts")

    def __init__(self):
        self.arrays, self.targets, self.numbers, self.groups, self.ticks = [], [], [], [], []
        self.clocks, self.starts = [], []


class OptaxOptimizer(Optimizer):
    """An optimizer whose step is one recorded op.

    A subclass gives `rule`, the Optax transformation (see `optimizer_step`), `_describe` and, where parameters count
    their steps, `_count`.
    """

    rule = None
    _found = None  # a 0-d Tensor while the program is to decide whether to step

    def __init__(self, params, defaults):
        self._clock = Clock()
        super().__init__(params, defaults)

    def __setstate__(self, state):
        self.__dict__.setdefault("_clock", Clock())
        super().__setstate__(state)

    def _describe(self, group, params):
        """(options that decide the form, numbers that move, {name in torch's state: name in Optax's}) of a group."""
        raise NotImplementedError

    def _take_sparse(self, group, grads):
        """Gradients, some of them sparse, as the step takes them: rows alone are stepped by those that stay sparse."""
        raise RuntimeError(f"{type(self).__name__} does not support sparse gradients")

    def _forms(self, group, params, grads):
        """The parameters that step and their gradients, apart where their states have not the same fields."""
        return [(params, grads)]

    def _begin(self, name, param, group):
        """The NumPy array with which a field of a parameter's state begins."""
        return np.zeros(aval(param).shape, param.dtype.numpy)

    def _count(self, plan, group, params, states, options):
        """(distinct counts, which of them, or of the plan's clocks, each parameter goes by)."""
        return [], ()

    def _can_decide(self):
        """Whether the step is the one below, so that its op can decide whether to step."""
        return inspect.unwrap(type(self).step) is inspect.unwrap(OptaxOptimizer.step)

    def step_unless(self, found, *args, **kwargs):
        """step(), unless `found`, a 0-d Tensor, is not zero: the program decides."""
        if args or kwargs or self.defaults.get("differentiable") or not self._can_decide():
            return super().step_unless(found, *args, **kwargs)
        self._found = found
        try:
            return self.step()
        finally:
            self._found = None

    @with_grad_mode
    def step(self, closure=None):
        """Update all parameters that have a gradient. closure: computes the loss anew and returns it."""
        loss = evaluate(closure)
        steps = {}
        for group in self.param_groups:
            for key, (params, grads) in _stepping(group["params"]).items():
                steps.setdefault(key, []).append((group, params, grads))
        for parts in steps.values():
            self._run(parts)
        return loss

    def _run(self, parts):
        """Record the op for some groups: (group, its parameters that step, their gradients) each."""
        plan = Plan()
        for group, params, grads in parts:
            self._check(group, params)
            if any(map(_is_sparse, grads)):
                grads = self._take_sparse(group, grads)
            for form in self._forms(group, params, grads):
                self._add(plan, group, *form)
        layout = _layout(tuple(plan.groups))
        if self.defaults.get("differentiable"):
            log.bind()
            news = call("optimizer_step", plan.arrays, plan.numbers, rule=self.rule, layout=layout)
            for target, new in zip(plan.targets, [news] if isinstance(news, Tensor) else news, strict=True):
                assign(target, new)
        elif self._found is None:
            self._note(parts, plan, layout)
            _record(optimizer_step, plan.arrays, plan, (self.rule, layout))
        else:
            self._record_unless(parts, plan, layout)
            return
        self._tick(plan.ticks)

    def _tick(self, ticks):
        """Move the clocks on; the new steps of each tick."""
        return [self._clock.advance(*tick) for tick in ticks]

    def _note(self, parts, plan, layout):
        """Say where the numbers come from, to a call that is recorded as a whole."""
        if not log.active():
            return
        if any(group.sparse for group in plan.groups):
            log.bind()
            return
        decided = self._found
        forms = [(group, params, params) for group, params, _ in parts]  # old gradients are not to be kept

        def anew():
            new, self._found = Plan(), decided
            try:
                for form in forms:
                    for split in self._forms(*form):
                        self._add(new, form[0], *split)
            finally:
                self._found = None
            return new

        again = Again(anew, [form[0] for form in forms], layout, decided is not None, self._tick)
        moved = [] if decided is not None else [s["step"]._storage for tick in plan.ticks for s in tick[0]]
        log.note(aval(plan.arrays[0]).device, plan.numbers, again, moved)

    def _record_unless(self, parts, plan, layout):
        found = self._found.to(aval(plan.arrays[0]).device)
        clocks = list(map(wrap, plan.clocks))
        attrs = self.rule, layout, len(clocks)
        self._note(parts, plan, layout)
        steps = _record(optimizer_step_unless, [found, *clocks, *plan.arrays], plan, attrs)
        for states, index in plan.ticks:
            self._clock.put(states, index, steps)

    def _add(self, plan, group, params, grads):
        options, numbers, fields = self._describe(group, params)
        states = [self.state[param] for param in params] if fields else ()
        counts, index = self._count(plan, group, params, states, options)
        places = [g.raw[0] for g in grads if g.is_sparse]
        plan.arrays += params
        plan.arrays += [g.raw[1] if g.is_sparse else g for g in grads] if places else grads
        plan.targets += params
        for name in fields:
            held = self._held(states, name, params, group)
            plan.arrays += held
            plan.targets += held
        plan.arrays += places
        sparse = tuple([aval(g.raw[0]).shape[0] if g.is_sparse else 0 for g in grads]) if places else ()
        device = aval(params[0]).device
        tensors = tuple([isinstance(number, Tensor) and aval(number).device is device for number in numbers])
        for number, held in zip(numbers, tensors, strict=True):
            if held:
                plan.arrays.append(number)
            else:
                plan.numbers.append(float(number))
        plan.starts.append(len(plan.numbers))
        plan.numbers += counts
        plan.groups.append(Group(options, len(params), tuple(fields.values()), tensors, index, len(counts), sparse))

    def _held(self, states, name, params, group):
        """One field of the states. It begins as real arrays, so that step 1 and step 2 are the same program."""
        try:
            return [state[name] for state in states]
        except KeyError:
            for state, param in zip(states, params, strict=True):
                if name not in state:
                    state[name] = part_like(from_host(self._begin(name, param, group), device=param.device), param)
            return [state[name] for state in states]

    def _check(self, group, params):
        """Raise torch's error where these parameters can't be stepped as the group's flags say."""
        if group.get("fused"):
            for param in params:
                if not (param.device.type in _FUSED and param.is_floating_point()):
                    raise RuntimeError(
                        "`fused=True` requires all the params to be floating point Tensors of supported devices: "
                        f"{_FUSED} but {param.dtype} and {param.device.type}"
                    )

    def _check_fused(self, foreach, differentiable, fused):
        if fused:
            if differentiable:
                raise RuntimeError("`fused` does not support `differentiable`")
            if foreach:
                raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def _record(op, arrays, plan, attrs):
    """Record an op off the tape and write its results into the targets: `update`, for hundreds of operands.

    Returns the Refs of further results.
    """
    ins = [x._storage.ref if x._view is None else read(x) for x in arrays]
    device = ins[0].aval.device
    ins += map(Lift, plan.numbers)
    outs = record(op, (len(arrays), len(plan.numbers), *attrs), ins, device)[0]
    for target, ref in zip(plan.targets, outs, strict=False):
        store(target, ref)
    return outs[len(plan.targets) :]


def _stepping(params):
    """The parameters that have a gradient, and the gradients, by device; a repeated parameter in a step of its own."""
    found, turns = {}, {}
    repeated = len(set(map(id, params))) != len(params)
    turn = 0
    for param in params:
        grad = param._grad
        if grad is not None:
            if repeated:
                turn = turns[id(param)] = turns.get(id(param), -1) + 1
            key = (turn, id(aval(param).device))
            kind = found.get(key)
            if kind is None:
                kind = found[key] = ([], [])
            kind[0].append(param)
            kind[1].append(grad)
    return found


def is_zero(number):
    """Whether an option is 0. A Tensor counts as nonzero: its value may move."""
    return not isinstance(number, Tensor) and number == 0
