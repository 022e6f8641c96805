"""Derivatives of functions: grad, vjp, jvp and linearize."""

import functools

from jtorch import dtypes
from jtorch._tensor import Tensor, aval
from jtorch.autograd.apply import filled
from jtorch.autograd.forward_ad import _listed
from jtorch.autograd.grad_mode import enable_grad
from jtorch.autograd.level import box_of
from jtorch.autograd.levels import GradLevel, JvpLevel
from jtorch.func.arguments import need_list_of_tensors, need_tensors, picked, split_aux
from jtorch.utils._pytree import tree_flatten, tree_map, tree_unflatten


def _entered(tree, level):
    return tree_map(lambda x: level.enter(x) if isinstance(x, Tensor) else x, tree)


def _left(tree, level):
    return tree_map(lambda x: level.leave(x) if isinstance(x, Tensor) else x, tree)


def _leaf(x):
    """Let an argument of a level be one that gradients are taken for."""
    if not isinstance(x, Tensor):
        raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
    if aval(x).dtype.category < dtypes.FLOAT:
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    x._rg = True


class _Run:
    """A call of a function on a level of its own, whose outputs gradients can be taken of."""

    def __init__(self, func, args, kwargs, argnums):
        self.level = GradLevel()
        self.func = func
        self.given = (args, kwargs)
        self.argnums = argnums

    def call(self):
        """Enter the arguments and call the function: its output, on the level."""
        args, kwargs = _entered(self.given, self.level)
        self.inputs, self.spec = tree_flatten(picked(args, self.argnums))
        for x in self.inputs:
            _leaf(x)
        return self.func(*args, **kwargs)

    def pull(self, outputs, cotangents):
        """The gradients of weighted outputs, in the form of the arguments that they are taken for."""
        known = [(out, ct) for out, ct in zip(outputs, cotangents, strict=True) if out._rg]
        found = [None] * len(self.inputs)
        if known:
            found = self.level.pull([out for out, _ in known], [ct for _, ct in known], self.inputs)
        return tree_unflatten(
            [filled(aval(x), 0) if g is None else g for g, x in zip(found, self.inputs, strict=True)], self.spec
        )


def grad_and_value(func, argnums: int | tuple[int, ...] = 0, has_aux=False):
    """A function that returns (the gradient of func for these arguments, what func returns).

    Raises RuntimeError unless func returns one 0-d Tensor, or with has_aux a pair of one and anything.
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        run = _Run(func, args, kwargs, argnums)
        name = "grad_and_value(f)(*args)"
        with run.level, enable_grad():
            output, aux = split_aux(run.call(), has_aux, name, "if has_aux is True")
            if not isinstance(output, Tensor):
                raise RuntimeError(f"{name}: Expected f(*args) to return a Tensor, got {type(output)}")
            if aval(output).ndim:
                raise RuntimeError(
                    f"{name}: Expected f(*args) to return a scalar Tensor, got tensor with {aval(output).ndim} dims. "
                    "Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            found = run.pull([output], [filled(aval(output), 1)])
            value, aux = _left((output, aux), run.level)
        return found, (value, aux) if has_aux else value

    return wrapper


def grad(func, argnums: int | tuple[int, ...] = 0, has_aux=False):
    """A function that returns the gradient of func, which returns one 0-d Tensor, for these arguments.

    With has_aux func returns a pair, and this (gradient, aux). Raises as grad_and_value.
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return wrapper


def vjp(func, *primals, has_aux=False):
    """(func(*primals), a function from cotangents of it to a tuple of gradients); with has_aux also aux.

    Raises RuntimeError where func returns anything but floating Tensors.
    """
    return vjp_for(func, primals, None, has_aux)


def vjp_for(func, primals, argnums, has_aux):
    """vjp for chosen arguments."""
    run = _Run(func, primals, {}, argnums)
    with run.level, enable_grad():
        output, aux = split_aux(run.call(), has_aux, "vjp(f, *primals)", "if has_aux is True")
        outputs, spec = tree_flatten(output)
        need_tensors(outputs, "vjp(f, *primals)")
        result, aux = _left((output, aux), run.level)
        for x in outputs:
            if aval(x).dtype.category < dtypes.FLOAT:
                raise RuntimeError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
                    f"{aval(x).dtype}"
                )

    def pull(cotangents, retain_graph=True, create_graph=None):
        given, given_spec = tree_flatten(cotangents)
        if given_spec != spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {_shown(given_spec)}, primal output: {_shown(spec)}"
            )
        return run.pull(outputs, given)

    return (result, pull, aux) if has_aux else (result, pull)


def _shown(spec):
    """A structure with stars for its leaves."""
    return str(tree_unflatten([_Star()] * spec.num_leaves, spec))


class _Star:
    def __repr__(self):
        return "*"


_JVP = "jvp(f, primals, tangents)"


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(func(*primals), the tangents of that which the primals' tangents make); with has_aux also aux.

    Raises RuntimeError where primals and tangents differ in structure or shape; with strict where an output does not
    depend on the primals.
    """
    return jvp_for(func, primals, tangents, None, strict, has_aux)


def jvp_for(func, primals, tangents, argnums, strict=False, has_aux=False):
    """jvp for chosen arguments."""
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{_JVP}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    moving = picked(primals, argnums)
    moving = (moving,) if isinstance(argnums, int) else moving
    given, spec = tree_flatten(moving)
    pushed, pushed_spec = tree_flatten(tangents)
    if spec != pushed_spec:
        raise RuntimeError(
            f"{_JVP}: Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Got primals with structure {spec} and tangents with structure "
            f"{pushed_spec}"
        )
    need_list_of_tensors(given, _JVP, "primals")
    need_list_of_tensors(pushed, _JVP, "tangents")
    level = JvpLevel()
    with level:
        duals = tree_unflatten([_dual(level, x, t) for x, t in zip(given, pushed, strict=True)], spec)
        output, aux = split_aux(func(*_placed(level, primals, duals, argnums)), has_aux, _JVP, "if has_aux is True")
        outputs, out_spec = tree_flatten(output)
        need_tensors(outputs, _JVP)
        found = [_tangent(level, x, strict) for x in outputs]
        result, aux = _left((output, aux), level)
    answer = result, tree_unflatten(found, out_spec)
    return (*answer, aux) if has_aux else answer


def _placed(level, primals, duals, argnums):
    """All arguments on the level: those with tangents in their places, the others without."""
    if argnums is None:
        return duals
    args = list(_entered(primals, level))
    wanted = argnums if isinstance(argnums, tuple) else (argnums,)
    for place, dual in zip(wanted, duals, strict=True):
        args[place] = dual
    return args


def _dual(level, x, tangent):
    for name, t in (("primal", x), ("tangent", tangent)):
        if aval(t).dtype.category < dtypes.FLOAT:
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {aval(t).dtype!r}")
    if aval(x).shape != aval(tangent).shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {_listed(aval(x).shape)} while the given forward gradient is of size "
            f"{_listed(aval(tangent).shape)}."
        )
    return level.enter_dual(x, tangent)


def _tangent(level, x, strict):
    found = level.tangent(x)
    if found is None and strict:
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed "
            "with strict=True."
        )
    return filled(aval(x), 0) if found is None else found


def linearize(func, *primals):
    """(func(*primals), a function from tangents of the primals to those of the output, for these primals).

    func runs once: its graph is pulled back for cotangents that are variables, and that is linear in them.
    Raises RuntimeError for tangents of another structure, shape, dtype or device.
    """
    given, spec = tree_flatten(primals)
    output, pull, *_ = vjp(func, *primals)
    zeros = tree_map(lambda x: filled(aval(x), 0), output)
    push = vjp(pull, zeros)[1]

    def pushed(*tangents):
        flat, tangent_spec = tree_flatten(tangents)
        if tangent_spec != spec:
            raise RuntimeError(f"Expected the tangents {tangent_spec} to have the same argspec as the primals {spec}")
        for i, (t, x) in enumerate(zip(flat, given, strict=True)):
            for what in ("shape", "device", "dtype"):
                have, want = getattr(t, what), getattr(x, what)
                if have != want:
                    raise RuntimeError(
                        f"tangent:{i} with {what} {have} in flattened pytree doesn't match the {what} {want} of the "
                        "corresponding primal."
                    )
        return push(tangents)[0]

    return output, pushed


def debug_unwrap(tensor, *, recurse=True):
    """What stands for a tensor on the level below, or on none: for looking at it inside a transform."""
    box = box_of(tensor)
    while box is not None:
        tensor = box.inner
        box = box_of(tensor) if recurse else None
    return tensor
