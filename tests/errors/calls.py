"""Calls that torch refuses, written as source: one line is one case.

    refused("torch.add(x, 'a')")

runs the line under torch and under jtorch and asserts that both raise the same class with the same words, that jtorch
raises at the line itself, and that nothing else of jtorch has changed by it: what was recorded before waits as before,
no storage has a new version, and (in every tenth case, for it compiles) a backward across the error comes out right.
"""

import traceback
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.utils.data

import jtorch
from jtorch.engine import flush, trace
from tests.oracle import same_error

_PLACE = "<a refused call>"
_LIBRARIES = str(Path(np.__file__).parents[1])  # NumPy, JAX
_PACKAGE = str(Path(jtorch.__file__).parent)


def lines(text):
    """The cases in a table: its lines that are neither empty nor titles."""
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


def refused(line):
    """Assert that both libraries refuse a line alike, and that jtorch is then as it was before."""
    __tracebackhide__ = True
    code = compile(line, _PLACE, "eval")
    watch = _Bystanders()

    def call(module):
        given = {"torch": module, "nn": module.nn, "F": module.nn.functional, "data": module.utils.data, "np": np}
        given["x"] = module.ones(2, 3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if module is torch:
                return eval(code, given)
            given["x"] = watch.x
            return watch.ask(code, given)

    call.__name__ = line
    same_error(call)
    watch.assert_untouched(line)


class _Bystanders:
    """Tensors, a tape and a trace that a failing call has no business with."""

    def __init__(self):
        flush.flush("sync")  # nobody holds what earlier cases recorded, so nothing runs
        self.x = jtorch.ones(2, 3)
        self.leaf = jtorch.ones(3, requires_grad=True)
        self.waiting = (self.leaf * 2 + 1).sum()

    def ask(self, code, given):
        self.path = trace.local.trace.node.path()
        self.before = self._state()
        try:
            return eval(code, given)
        except Exception as error:
            self.frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
            self.after = self._state()
            raise

    def _state(self):
        cells = [t._storage for t in (self.x, self.leaf, self.waiting)]
        return [(c.version, c.graph, c.ref) for c in cells], [t.grad for t in (self.x, self.leaf)], self.waiting.grad_fn

    def assert_untouched(self, line):
        __tracebackhide__ = True
        at = max(i for i, name in enumerate(self.frames) if name == _PLACE)
        own = [name for name in self.frames[at + 1 :] if name.startswith((_PACKAGE, "<jtorch"))]
        foreign = [name for name in self.frames[at + 1 :] if name.startswith(_LIBRARIES) and name not in own]
        assert not foreign, f"{line}: raised in {foreign[-1]}, not at the user's line"
        assert self.before == self.after, f"{line}: another tensor has changed"
        if self.waiting._storage.ref.value is None:
            now = trace.local.trace.node.path()
            assert now[: len(self.path)] == self.path, f"{line}: what was recorded before is gone"
        if len(line) % 10 == 0:
            self._go_on(line)

    def _go_on(self, line):
        __tracebackhide__ = True
        self.waiting.backward()
        total = self.x.sum()  # with what waits, this is one program
        assert (self.waiting.item(), self.leaf.grad.tolist(), total.item()) == (9.0, [2.0] * 3, 6.0), line


__all__ = ["lines", "refused"]
