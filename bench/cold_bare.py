"""The first step of a training loop as a bare jax.jit would have it: traced, compiled and run by JAX's own defaults.

python -m bench.cold_bare gpt
"""

import sys
import time

import jax
import numpy as np

import jtorch
from bench import cases, cold_cases
from jtorch.engine import flush, trace, trie


def recorded(name):
    """(the path of a case's first step, the slots it makes, its numbers). Nothing of it has run."""
    _, step = cases.trainer(jtorch, cold_cases.FIRST[name])
    flush.flush()
    loss = step(0)
    (pending,) = (tr for tr in trace.local.traces.values() if tr.count)
    live, _ = flush.liveness(pending)
    del loss
    return pending.node.path(), live, np.array(pending.numbers, np.float64)


def seconds(path, live, numbers):
    """Seconds from a step's functions to its results."""
    entered = [pair for step in path for pair in step.entered]
    given = [np.zeros(a.shape, a.dtype.numpy) for _, a in entered]

    def replay(numbers, *arrays):
        values = {slot: array for (slot, _), array in zip(entered, arrays, strict=True)}
        for step in path:
            ins = tuple(
                values[at] if type(at) is int else at.read(numbers) if type(at) is trie.Number else None
                for at in step.ins
            )
            for i, out in enumerate(step.sig.op.call(ins, step.sig.attrs, step.sig.compute)):
                values[step.first + i] = out
        return [values[slot] for slot in live]

    start = time.perf_counter()
    jax.block_until_ready(jax.jit(replay)(numbers, *given))
    return time.perf_counter() - start


if __name__ == "__main__":
    jax.config.update("jax_enable_compilation_cache", False)
    print(seconds(*recorded(sys.argv[1])))
