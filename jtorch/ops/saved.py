"""Which operands the gradient of an op reads, found from its jaxpr."""

import jax
import jax.numpy as jnp


def read_by_gradient(op, attrs, compute, avals, needs, results):
    """One bool per operand: whether its value, not only its shape, is read when the cotangents are pulled back.

    avals: per operand a jax.ShapeDtypeStruct, or a plain value. needs: operands a gradient is wanted for.
    results: jax.ShapeDtypeStruct of each output.
    """
    arrays = [i for i, a in enumerate(avals) if isinstance(a, jax.ShapeDtypeStruct)]
    floating = [jnp.issubdtype(r.dtype, jnp.inexact) for r in results]

    def pull(operands, cotangents):
        ins = list(avals)
        for i, x in zip(arrays, operands, strict=True):
            ins[i] = x
        given = iter(cotangents)
        cts = tuple(next(given) if f else None for f in floating)
        return op.pullback(tuple(ins), attrs, compute, cts, needs, None)

    closed = jax.make_jaxpr(pull)([avals[i] for i in arrays], [r for r, f in zip(results, floating, strict=True) if f])
    used = _used(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
    answer = [False] * len(avals)
    for i, u in zip(arrays, used[: len(arrays)], strict=True):
        answer[i] = u
    return tuple(answer)


def _used(jaxpr, wanted):
    """Which inputs of a jaxpr its wanted outputs depend on."""
    alive = {id(v) for v, w in zip(jaxpr.outvars, wanted, strict=True) if w}
    for eqn in reversed(jaxpr.eqns):
        outs = [id(v) in alive for v in eqn.outvars]
        if not any(outs):
            continue
        inner = eqn.params.get("jaxpr") if eqn.primitive.name in ("jit", "pjit") else None
        reads = _used(inner.jaxpr, outs) if inner is not None else [True] * len(eqn.invars)
        alive.update(id(v) for v, r in zip(eqn.invars, reads, strict=True) if r)
    return [id(v) in alive for v in jaxpr.invars]
