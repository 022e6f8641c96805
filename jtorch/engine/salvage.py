"""When a program can't be compiled, or misses an input: its calls run one by one, and one that fails fails alone."""

import jax
import numpy as np

from jtorch import devices
from jtorch.engine import program, trie
from jtorch.engine.trie import Number


def is_deleted(array):
    """Whether the memory of an input is gone."""
    return not isinstance(array, np.ndarray) and array.is_deleted()


def calls(node, numbers, arrays):
    """({slot: array} of what the calls of a path make, {slot: error} of what could not be made).

    A result that needs one that could not be made has the same error.
    """
    made = dict(zip((slot for step in node.path() for slot, _ in step.entered), arrays, strict=True))
    lost = {slot: _gone() for slot, array in made.items() if is_deleted(array)}
    known = {}
    for step in node.path():
        slots = range(step.first, step.first + len(step.sig.outs))
        error = next((lost[at] for at in step.ins if type(at) is int and at in lost), None)
        if error is None:
            try:
                made.update(zip(slots, _call(step, numbers, made, known), strict=True))
            except Exception as raised:  # whatever the op raises
                error = raised.with_traceback(None)  # its frames hold arrays
        if error is not None:
            lost.update(dict.fromkeys(slots, error))
    return made, lost


def _gone():
    return RuntimeError(
        "Array has been deleted: a JAX function that donates its arguments was given the memory of a Tensor. Give it a "
        "copy, as of jax.tree.map(jnp.copy, params)."
    )


def _call(step, numbers, made, known):
    sig = step.sig
    call = known.get(sig)
    if call is None:
        function, _ = trie.alone(sig.op, sig.attrs, sig.avals, sig.compute)
        place = devices.sharding(program.device(step))
        call = known[sig] = jax.jit(function, out_shardings=place)
    given = [
        at.read(numbers) if type(at) is Number else made[at]
        for at in step.ins
        if at is not None and not (type(at) is Number and at.index is None)
    ]
    return call(*given)
