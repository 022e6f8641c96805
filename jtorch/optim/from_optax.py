"""from_optax: any Optax transformation as a torch-style optimizer, stepped in one recorded op."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jtorch import devices
from jtorch._tensor import Tensor, aval, from_array, value
from jtorch.autograd.inplace import update
from jtorch.ops.op import Arrays, Inputs, op
from jtorch.optim.optimizer import Optimizer, evaluate, with_grad_mode

LR = "learning_rate"


def from_optax(params, transformation):
    """An optimizer that steps by an Optax transformation: `from_optax(model.parameters(), optax.lion(1e-4))`.

    params: Tensors, or pairs of name and Tensor; the transformation then sees a dict by name, else a list. All of them
    make one tree: a parameter without gradient has a gradient of zeros and stays as it is. With
    `optax.inject_hyperparams` the learning rate is the group's "lr", for torch's schedules to move.
    Raises: what torch.optim.Optimizer raises.
    """
    return OptaxTransformation(params, transformation)


@dataclass(frozen=True)
class Form:
    """What stays of a step: how its arrays make the trees that the transformation sees.

    names: of the params, or None. treedef, keys: of the state; keys has, for each leaf, the kind of random key it is,
    or None. present: which params have a gradient. extras: (name, whether it is a tensor) of each further argument.
    unless: whether the last array says, by not being 0, that everything stays as it is.
    """

    transformation: optax.GradientTransformation
    names: tuple | None
    treedef: Any
    keys: tuple
    present: tuple = ()
    extras: tuple = ()
    unless: bool = False


@op("optax_step", door=None)
def optax_step(arrays: Arrays, hypers: Inputs, *, form):
    """New params, then new leaves of the transformation's state.

    arrays: params, gradients of those that have one, leaves of the state, tensors among the further arguments. hypers:
    numbers among them, and the learning rate where it is injected.
    """
    given, numbers = iter(arrays), iter(hypers)
    params = [next(given) for _ in form.present]
    grads = [next(given) if here else jnp.zeros_like(p) for p, here in zip(params, form.present, strict=True)]
    leaves = [next(given) for _ in form.keys]
    state = jax.tree.unflatten(form.treedef, map(_opened, leaves, form.keys))
    more = {name: next(given) if tensor else next(numbers) for name, tensor in form.extras}
    for lr in numbers:
        state = optax.tree.set(state, **{LR: lr.astype(optax.tree.get(state, LR).dtype)})
    tree = _tree(form.names, params)
    stepped = optax.with_extra_args_support(form.transformation)
    updates, state = stepped.update(_tree(form.names, grads), state, tree, **more)
    news = _flat(form.names, optax.apply_updates(tree, updates))
    news = [new if here else old for new, old, here in zip(news, params, form.present, strict=True)]
    states = [_closed(new).astype(old.dtype) for new, old in zip(jax.tree.leaves(state), leaves, strict=True)]
    if form.unless:
        bad = next(given) != 0
        return [jnp.where(bad, old, new) for old, new in zip([*params, *leaves], [*news, *states], strict=True)]
    return [*news, *states]


def _tree(names, items):
    return list(items) if names is None else dict(zip(names, items, strict=True))


def _flat(names, tree):
    return tree if names is None else [tree[name] for name in names]


def _opened(leaf, kind):
    return leaf if kind is None else jax.random.wrap_key_data(leaf, impl=kind)


def _closed(leaf):
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf


def _is_key(leaf):
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


class OptaxTransformation(Optimizer):
    """What `from_optax` makes: its state is one list of Tensors, the leaves of the transformation's state."""

    _found = None  # a 0-d Tensor while the program is to decide whether to step

    def __init__(self, params, transformation):
        self.transformation = transformation
        super().__init__(params, {})
        self._form, self.state["optax"], lr = self._begin()
        if lr is not None:
            for group in self.param_groups:
                group.setdefault("lr", float(lr))

    def _begin(self):
        """(form of the steps, the state's leaves as Tensors, the injected learning rate or None) of a fresh start."""
        params = [param for group in self.param_groups for param in group["params"]]
        names = tuple(name for group in self.param_groups for name in group.get("param_names", ())) or None
        device = aval(params[0]).device
        state = self.transformation.init(_tree(names, [jnp.asarray(value(param)) for param in params]))
        leaves, treedef = jax.tree.flatten(state)
        leaves = [jnp.asarray(leaf) for leaf in leaves]
        keys = tuple(str(jax.random.key_impl(leaf)) if _is_key(leaf) else None for leaf in leaves)
        # Copies: the state may hold the parameters themselves, and each buffer is given away on its own.
        tensors = [from_array(devices.copied(_closed(leaf), device), device) for leaf in leaves]
        return Form(self.transformation, names, treedef, keys), tensors, optax.tree.get(state, LR, None)

    def __getstate__(self):
        return {**super().__getstate__(), "transformation": self.transformation}

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_form" not in self.__dict__:
            self._form = self._begin()[0]

    def add_param_group(self, param_group):
        """Add a group; only while the optimizer is made. Raises RuntimeError later on."""
        if "_form" in self.__dict__:
            raise RuntimeError(
                "the Optax transformation's state was made for the present parameters; make a new from_optax instead"
            )
        super().add_param_group(param_group)

    @with_grad_mode
    def step(self, closure=None, **extra):
        """Update the parameters. closure: computes the loss anew and returns it; the transformation sees it as `value`.

        extra: further arguments of the transformation's update, Tensors or numbers.
        """
        loss = evaluate(closure)
        if loss is not None:
            extra.setdefault("value", loss)
        params = [param for group in self.param_groups for param in group["params"]]
        grads = [param.grad if param.grad is None else param.grad.to_dense() for param in params]
        state = self.state["optax"]
        tensors = [item for item in extra.values() if isinstance(item, Tensor)]
        numbers = [float(item) for item in extra.values() if not isinstance(item, Tensor)]
        if "lr" in self.param_groups[0]:
            numbers.append(float(self.param_groups[0]["lr"]))
        form = replace(
            self._form,
            present=tuple([grad is not None for grad in grads]),
            extras=tuple((name, isinstance(item, Tensor)) for name, item in extra.items()),
            unless=self._found is not None,
        )
        tensors += [] if self._found is None else [self._found]
        update(
            "optax_step",
            [*params, *state],
            [*params, *(grad for grad in grads if grad is not None), *state, *tensors],
            numbers,
            form=form,
        )
        return loss

    def step_unless(self, found, *args, **kwargs):
        """step(*args, **kwargs), unless `found`, a 0-d Tensor, is not zero: the program decides."""
        if args:
            return super().step_unless(found, *args, **kwargs)
        self._found = found
        try:
            return self.step(**kwargs)
        finally:
            self._found = None
