"""Whether values satisfy constraints, told with as few programs as can be: all checks of one constructor together."""

import contextlib
import threading

from jax.core import Tracer

from jtorch import _tensor, devices
from jtorch._tensor import Tensor
from jtorch.autograd.grad_mode import no_grad
from jtorch.engine import host
from jtorch.engine.ref import Box


class _Local(threading.local):
    waiting = None  # the checks left to the constructor under way, None outside


_local = _Local()


@contextlib.contextmanager
def left_to(checks):
    """Within it constructors put their checks into this list, instead of making them."""
    before, _local.waiting = _local.waiting, checks
    try:
        yield
    finally:
        _local.waiting = before


def require(checks):
    """Raise the ValueError of the first check that fails. checks: (constraint, value, function that gives the words).

    On the CPU, and where the values are at hand, the checks are no part of the step's programs: what is pending is run
    only for a value that waits in it. Values inside a JAX transform are not known and pass.
    """
    if _local.waiting is not None:
        _local.waiting.extend(checks)
        return
    if not checks:
        return
    with no_grad(), _place([x for constraint, value, _ in checks for x in (value, *vars(constraint).values())]):
        verdicts = [_verdict(constraint, value) for constraint, value, _ in checks]
        failed = next((i for i, verdict in enumerate(verdicts) if not _holds(verdict)), None)
    if failed is not None:
        raise ValueError(checks[failed][2]())


@contextlib.contextmanager
def _place(values):
    """Where the checks of these values are made: beside what is pending, or on accelerators as the end of it."""
    refs = [_tensor.read(value) for value in values if isinstance(value, Tensor)]
    with host.aside():
        found = [host.lead(ref) for ref in refs]
        if all(found) or all(ref.aval.device is devices.CPU for ref in refs):
            yield
            return
    yield


def _verdict(constraint, value):
    """Whether a value satisfies a constraint everywhere, as a Tensor; for all of a batch inside vmap."""
    verdict = constraint.check(value).all()
    box = _tensor.read(verdict).value
    while isinstance(box, Box):
        with box.level.outside():
            verdict = box.inner.all()
        box = _tensor.read(verdict).value
    return verdict


def _holds(verdict):
    return isinstance(_tensor.read(verdict).value, Tracer) or bool(_tensor.value(verdict))
