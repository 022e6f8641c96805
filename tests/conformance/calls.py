"""What is called for one sample: the function and its other forms, and its gradients, on one module at a time."""

import random
import warnings

import numpy as np
import torch

import jtorch
from tests.conformance import counterpart, edged, entries
from tests.conformance.given import Given, Unfit, strided, tensors
from tests.oracle import Outcome, differentiate
from tests.sides import to_numpy, to_tensor

FORMS = {
    "forward": "op",
    "method": "method_variant",
    "operator": "operator_variant",
    "inplace": "inplace_variant",
    "inplace operator": "inplace_operator_variant",
}
COUNTED = ("topk", "kthvalue")  # of those that choose elements, these are told how many before the dim
TWICE = ("float64", "complex64")  # dtypes in which gradients of gradients are compared


class Call:
    """One form of an entry on one sample. `run` makes it; errors are part of the outcome."""

    def __init__(self, entry, kind, sample, dtype):
        self.entry, self.kind, self.sample, self.dtype = entry, kind, sample, dtype
        self.exact = False

    def true(self):
        """The Outcome on torch, worked out in double precision from the numbers of the sample."""
        self.exact = True
        try:
            return self.run(torch)
        finally:
            self.exact = False

    def run(self, module):
        """The Outcome on a module."""
        outcome = Outcome()
        seed()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._run(module, outcome)
        except Exception as error:
            outcome.error = error
        return outcome

    def _run(self, module, outcome):
        if self.kind == "gradient":
            return self._gradient(module, outcome)
        given = Given(module, self.sample, exact=self.exact)
        outcome.inputs = given.inputs
        fn = self.callable(module, getattr(self.entry.info, FORMS.get(self.kind, "op")))
        kwargs = dict(given.kwargs)
        if self.kind == "out":
            outcome.inputs = []
            kwargs["out"] = self._room(module)
        value = fn(given.input, *given.args, **kwargs)
        if self.kind == "out":
            value = kwargs["out"] if value is None else value  # torch returns nothing from some with several results
            found = tensors(module, kwargs["out"])
            outcome.stage = [a is b for a, b in zip(tensors(module, value), found, strict=False)]
        if self.kind.startswith("inplace"):
            outcome.stage = value is given.input
        _check_fit(value)
        outcome.value = self._processed(module, value) if self.entry.ambiguous else value
        if self._ties and self.entry.name != "msort":
            outcome.value = _chosen(given, value, self._dim(given))
        return None

    @property
    def _ties(self):
        return self.entry.ties and not self.sample.kwargs.get("stable")

    def _dim(self, given):
        """The dim along which elements are chosen or ordered."""
        if self.entry.name == "msort":
            return 0
        counted = 1 if self.entry.name in COUNTED else 0
        return given.kwargs.get("dim", (*given.args[counted:], -1)[0])

    def _gradient(self, module, outcome):
        given = Given(module, self.sample, requires_grad=True, exact=self.exact)
        fn = self.callable(module, self.entry.info.op)
        wrapper = self.callable(module, self.entry.info.gradcheck_wrapper)
        value = wrapper(fn, given.input, *given.args, **given.kwargs)
        _check_fit(value)
        outcome.value = self._processed(module, value)
        outcome.leaves = given.leaves
        rounded = getattr(torch, self.dtype).to_real() if self.exact else None
        differentiate(module, outcome, self.entry.info.supports_gradgrad and self.dtype in TWICE, rounded)
        if self._ties and outcome.grads:
            outcome.grads[0] = _without_order(module, given.input, outcome.grads[0], self._dim(given))

    def callable(self, module, fn):
        """A function of the database as the module has it."""
        return fn if module is torch else counterpart.find(fn)

    def _processed(self, module, value):
        """What torch makes of a result before it differentiates, so that nothing ambiguous is left."""
        return self.callable(module, self.sample.output_process_fn_grad)(value)

    def _room(self, module):
        """Tensors of a result's shape and dtype, for out=."""
        seed()
        given = Given(torch, self.sample, exact=self.exact)
        with torch.no_grad():
            made = self.entry.info.op(given.input, *given.args, **given.kwargs)
        blank = [to_tensor(module, np.zeros(tuple(t.shape), strided(t).dtype))[1] for t in tensors(torch, made)]
        return blank[0] if isinstance(made, torch.Tensor) else tuple(blank)


def _check_fit(value):
    if any(t.dtype == torch.complex32 for t in tensors(torch, value)):
        raise Unfit("a result in complex32")


def _chosen(given, value, dim):
    """A result with what its indices choose of the input in their place."""
    *values, index = value if isinstance(value, tuple) else (value,)
    keep = index if index.ndim == given.input.ndim else index.unsqueeze(dim)
    return *values, index.dtype, given.input.gather(dim, keep)


def _without_order(module, given, grad, dim):
    """A gradient with those of equal elements along a dim in order of size, whichever of these was chosen."""
    if not given.ndim:
        return grad
    keys = [to_numpy(module, x.detach()).astype(np.float64) for x in (grad, given)]
    order = np.lexsort(keys, axis=dim)
    return grad.detach().gather(dim, module.tensor(order))


def seed():
    """Every generator from its start."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    jtorch.manual_seed(0)


def samples(entry, dtype, most=None):
    """torch's samples for a dtype; where there are more than `most`, that many spread over them."""
    seed()
    made = list(entry.info.sample_inputs("cpu", entries.number(dtype), requires_grad=entry.differentiable(dtype)))
    if dtype == entries.EDGES:
        return edged.samples(entry, made, most)
    return spread(made, most)


def spread(made, most):
    """At most so many of a list, from its first to its last; None is all."""
    if most is None or len(made) <= most:
        return made
    return [made[i] for i in sorted({round(i * (len(made) - 1) / max(most - 1, 1)) for i in range(most)})]


def kinds(entry, sample, dtype):
    """The kinds of calls that a sample is good for."""
    info = entry.info
    found = ["forward"]
    if dtype == entries.EDGES:
        return found + ["gradient"] * entry.differentiable(dtype)
    if info.method_variant is not None:
        found.append("method")
    if info.operator_variant is not None and not sample.kwargs and len(sample.args) == 1:
        found.append("operator")
    if info.inplace_variant is not None and not sample.broadcasts_input:
        found.append("inplace")
        if info.inplace_operator_variant is not None and not sample.kwargs and len(sample.args) == 1:
            found.append("inplace operator")
    if info.supports_out:
        found.append("out")
    if entry.differentiable(dtype):
        found.append("gradient")
    return found


def refused(entry):
    """(sample, torch's own pattern for the words) of each input that torch must refuse."""
    if entry.info.error_inputs_func is None:
        return []
    seed()
    return [(e.sample_input, e.error_regex) for e in entry.info.error_inputs("cpu")]
