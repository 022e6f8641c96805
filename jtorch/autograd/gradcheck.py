"""gradcheck and gradgradcheck: gradients compared with numerical ones, and with what backward must keep to."""

import functools
import itertools
import warnings

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, from_host, host
from jtorch.autograd import analytical, gradcheck_rules, numerical
from jtorch.autograd.analytical import needing_grad, unit_vectors
from jtorch.autograd.apply import call
from jtorch.autograd.backward import grad
from jtorch.autograd.numerical import as_tuple, is_floating
from jtorch.autograd.old_jacobians import (
    get_analytical_jacobian,
    get_numerical_jacobian,
    get_numerical_jacobian_wrt_specific_input,
)
from jtorch.errors import GradcheckError
from jtorch.rng.generator import Generator

__all__ = [
    "GradcheckError", "get_analytical_jacobian", "get_numerical_jacobian", "get_numerical_jacobian_wrt_specific_input",
    "gradcheck", "gradgradcheck",
]  # fmt: skip


def gradcheck(func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0,
              check_undefined_grad=True, check_grad_dtypes=False, check_batched_grad=False,
              check_batched_forward_grad=False, check_forward_ad=False, check_backward_ad=True, fast_mode=False,
              masked=None):  # fmt: skip
    """True when the gradients of func at these inputs are, within atol + rtol * |numerical|, the numerical ones.

    As torch.autograd.gradcheck. fast_mode compares one product with the Jacobian instead of all of it. Raises
    GradcheckError, or returns False without raise_exception, when they are not, or when backward is not linear in the
    output's gradient, not the same twice, or fails when that is missing; ValueError when no input requires grad.
    """
    _demand(check_forward_ad or check_backward_ad,
            "Expected at least one of check_forward_ad or check_backward_ad to be True")  # fmt: skip
    _demand(check_backward_ad or not check_batched_grad,
            "Setting check_batched_grad=True requires check_backward_ad to be True")  # fmt: skip
    _demand(check_forward_ad or not check_batched_forward_grad,
            "Setting check_batched_forward_grad=True requires check_forward_ad to be True")  # fmt: skip
    inputs = as_tuple(inputs)
    rules = _Rules(eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode)
    try:
        _check_inputs(inputs)
        outputs = _differentiable(func(*inputs))
        if check_backward_ad:
            _check_backward(rules, func, inputs)
        if check_forward_ad:
            _check_forward(rules, func, inputs, check_undefined_grad)
        if check_batched_forward_grad:
            gradcheck_rules.batched_forward(func, inputs)
        if check_backward_ad:
            for i, out in enumerate(outputs if check_batched_grad else ()):
                gradcheck_rules.batched(inputs, out, i)
            gradcheck_rules.multiplied(outputs, inputs, masked)
        if check_backward_ad and check_undefined_grad:
            gradcheck_rules.undefined(lambda: _differentiable(func(*inputs)), inputs)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func, inputs, grad_outputs=None, *, eps=1e-6, atol=1e-5, rtol=1e-3,
                  gen_non_contig_grad_outputs=False, raise_exception=True, nondet_tol=0.0, check_undefined_grad=True,
                  check_grad_dtypes=False, check_batched_grad=False, check_fwd_over_rev=False, check_rev_over_rev=True,
                  fast_mode=False, masked=False):  # fmt: skip
    """gradcheck of the gradients that func's backward makes of grad_outputs: random ones when None is given.

    As torch.autograd.gradgradcheck. Raises as gradcheck.
    """
    _demand(check_fwd_over_rev or check_rev_over_rev,
            "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")  # fmt: skip
    _demand(check_rev_over_rev or not check_undefined_grad,
            "Setting check_undefined_grad=True requires check_rev_over_rev to be True")  # fmt: skip
    _demand(check_rev_over_rev or not check_batched_grad,
            "Setting check_batched_grad=True requires check_rev_over_rev to be True")  # fmt: skip
    inputs = as_tuple(inputs)
    if grad_outputs is None:
        weights = tuple(_drawn_like(out, gen_non_contig_grad_outputs) for out in _differentiable(func(*inputs)))
    else:
        weights = as_tuple(grad_outputs)
    require = [getattr(x, "requires_grad", False) for x in (*inputs, *weights)]

    def gradients(*args):
        args = [x.requires_grad_() if rg else x for x, rg in zip(args, require, strict=True)]
        given = args[: len(inputs)]
        outputs = _differentiable(func(*given))
        wanted = [x for x, rg in zip(given, require, strict=False) if rg]
        found = grad(outputs, wanted, args[len(inputs) :], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradients, inputs + weights, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, fast_mode=fast_mode, check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev, masked=masked,
    )  # fmt: skip


def _demand(holds, text):
    if not holds:
        raise AssertionError(text)


def _drawn_like(out, apart):
    shape = tuple(out.shape)
    apart = apart and out.numel() > 1
    made = out.detach().new_empty((*shape[:-1], 2 * shape[-1]) if apart else shape)
    (call("view_as_real", made) if made.is_complex() else made).uniform_(-1, 1)
    made = made[..., 1::2] if apart else made
    return made.requires_grad_()


def _differentiable(outputs):
    return tuple(out for out in as_tuple(outputs) if out.requires_grad)


def _check_inputs(inputs):
    for i, x in enumerate(inputs):
        if not getattr(x, "requires_grad", False):
            continue
        if aval(x).dtype not in (dtypes.float64, dtypes.complex128):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=3,
            )
        if any(stride <= 0 and size > 1 for stride, size in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous "
                "on the input before passing it to gradcheck."
            )
    if not needing_grad(inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )


def _check_backward(rules, func, inputs):
    outputs = as_tuple(func(*inputs))
    if not any(out.is_complex() for out in outputs):
        return rules.backward(func, inputs, (), "")
    whole = {i for i, out in enumerate(_differentiable(outputs)) if out.is_complex()}
    for attribute, part in (("imag", "imaginary"), ("real", "real")):

        def one_part(*args, attribute=attribute):
            outputs = as_tuple(func(*args))
            return tuple(getattr(out, attribute) if out.is_complex() else out for out in outputs)

        rules.backward(one_part, inputs, whole, part)


def _check_forward(rules, func, inputs, check_undefined):
    whole = {i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.is_complex()}
    if not whole:
        rules.forward(func, inputs, (), "")
        if check_undefined:
            gradcheck_rules.undefined_forward(func, inputs, rules.vectors(needing_grad(inputs)))
        return
    join = {"imag": lambda x, all_of_it: all_of_it.real + x * 1j, "real": lambda x, all_of_it: x + all_of_it.imag * 1j}
    parts = []
    for attribute, part in (("imag", "imaginary"), ("real", "real")):

        def of_part(*args, attribute=attribute):
            return func(*(join[attribute](x, inputs[i]) if i in whole else x for i, x in enumerate(args)))

        given = tuple(getattr(x, attribute) if i in whole else x for i, x in enumerate(inputs))
        rules.forward(of_part, given, whole, part)
        parts.append((of_part, given))
    for of_part, given in parts if check_undefined else ():
        gradcheck_rules.undefined_forward(of_part, given, rules.vectors(needing_grad(given)))


class _Rules:
    """How close is close, and the comparisons that go by it."""

    def __init__(self, eps, atol, rtol, nondet_tol, check_grad_dtypes, fast):
        self.eps, self.atol, self.rtol = eps, atol, rtol
        self.nondet_tol, self.check_grad_dtypes, self.fast = nondet_tol, check_grad_dtypes, fast

    def backward(self, fn, inputs, whole, part):
        """Compare the gradients of backward with the numerical ones. whole: which outputs were complex."""
        outputs = as_tuple(fn(*inputs))
        wanted = _differentiable(outputs)
        name = functools.partial(_mismatch, whole=whole, part=part, forward=False)
        if self.fast:
            return self._fast_backward(fn, inputs, outputs, wanted, name)
        found = self._numerical(fn, inputs, outputs, bool(wanted))
        for i, out in enumerate(wanted):
            rows = self._rows(inputs, out, self.nondet_tol, self.check_grad_dtypes)
            for j, (a, n) in enumerate(zip(rows, found, strict=True)):
                if not np.allclose(a, n[i], self.rtol, self.atol):
                    raise GradcheckError(name(a, n[i], i, j))

    def forward(self, fn, inputs, whole, part):
        """Compare the tangents of forward mode with the numerical ones. whole: which inputs were complex."""
        outputs = as_tuple(fn(*inputs))
        wanted = _differentiable(outputs)
        name = functools.partial(_mismatch, whole=whole, part=part, forward=True)
        if self.fast:
            return self._fast_forward(fn, inputs, outputs, name)
        found = self._numerical(fn, inputs, outputs, bool(wanted))
        if not wanted:
            return
        kept = [k for k, out in enumerate(filter(is_floating, outputs)) if out.requires_grad]
        pushed = [self._pushed(fn, inputs, at) for at in _places(inputs)]
        for i, j in itertools.product(range(len(kept)), range(len(found))):
            a, n = np.stack([row[kept[i]] for row in pushed[j]]), found[j][i]
            if not np.allclose(a, n, self.rtol, self.atol):
                raise GradcheckError(name(a, n, i, j))

    def _numerical(self, fn, inputs, outputs, differentiable):
        """Per input, per output that requires grad the Jacobian; it must be 0 where no output does."""
        found = [numerical.jacobian(fn, inputs, outputs, x, self.eps) for x in needing_grad(inputs)]
        if not differentiable and any(np.any(n != 0) for n in itertools.chain(*found)):
            raise GradcheckError("Numerical gradient for function expected to be zero")
        kept = [out.requires_grad for out in outputs if is_floating(out)]
        return [[n for n, rg in zip(of_one, kept, strict=True) if rg] for of_one in found]

    def _rows(self, inputs, out, nondet_tol=np.inf, check_grad_dtypes=False):
        weights = list(unit_vectors(aval(out).shape))
        return analytical.backward(inputs, out, weights, nondet_tol, check_grad_dtypes)

    def _pushed(self, fn, inputs, at):
        return analytical.forward(
            fn, inputs, [(at, unit) for unit in unit_vectors(aval(inputs[at]).shape)], self.check_grad_dtypes
        )

    def vectors(self, tensors):
        """Random flat NumPy vectors of length 1, a pair of them for a complex tensor: the same at each call."""
        draw = functools.partial(_unit_vector, Generator())
        return [(draw(x), draw(x)) if x.is_complex() else draw(x) for x in tensors]

    def _fast_backward(self, fn, inputs, outputs, wanted, name):
        directions = self.vectors([*needing_grad(inputs), *wanted])
        directions, weights = directions[: -len(wanted) or None], directions[len(directions) - len(wanted) :]
        found = self._directional(fn, inputs, outputs, directions, bool(wanted))
        for i, (out, v) in enumerate(zip(wanted, weights, strict=True)):
            shaped = [v.reshape(tuple(aval(out).shape))]
            pulled = analytical.backward(inputs, out, shaped, self.nondet_tol, self.check_grad_dtypes)
            for j, (g, u) in enumerate(zip(pulled, directions, strict=True)):
                g = g[:, 0]
                a = g.real @ u[0] + 1j * (g.imag @ u[1]) if isinstance(u, tuple) else g @ u
                n = (v * found[j][i]).sum()
                if not np.allclose(a, n, self.rtol, self.atol * _total(u) * float(v.sum())):
                    text = self._slowly(fn, inputs, outputs, j, i, self._rows(inputs, out)[j])
                    raise GradcheckError(name(a, n, i, j) + text)

    def _fast_forward(self, fn, inputs, outputs, name):
        directions = self.vectors(needing_grad(inputs))
        found = self._directional(fn, inputs, outputs, directions, True, every=True)
        pairs = list(zip(_places(inputs), directions, strict=True))
        pushed = analytical.forward(fn, inputs, pairs, self.check_grad_dtypes)
        for j, (a_row, n_row, u) in enumerate(zip(pushed, found, directions, strict=True)):
            for i, (a, n) in enumerate(zip(a_row, n_row, strict=True)):
                if not np.allclose(a, n, self.rtol, self.atol * _total(u)):
                    slow = np.stack([row[i] for row in self._pushed(fn, inputs, _places(inputs)[j])])
                    raise GradcheckError(name(a, n, i, j) + self._slowly(fn, inputs, outputs, j, i, slow))

    def _directional(self, fn, inputs, outputs, directions, differentiable, every=False):
        found = [numerical.directional(fn, inputs, x, u, self.eps)
                 for x, u in zip(needing_grad(inputs), directions, strict=True)]  # fmt: skip
        if not differentiable and any(n.size and np.abs(n).max() > self.nondet_tol for n in itertools.chain(*found)):
            raise GradcheckError("Numerical gradient for function expected to be zero")
        kept = [every or out.requires_grad for out in outputs if is_floating(out)]
        return [[n for n, rg in zip(of_one, kept, strict=True) if rg] for of_one in found]

    def _slowly(self, fn, inputs, outputs, at, number, a):
        """What the whole Jacobians say about a mismatch of the fast mode."""
        n = numerical.jacobian(fn, inputs, outputs, needing_grad(inputs)[at], self.eps)[number]
        return gradcheck_rules.slow_text(*map(_tensor, (n, a, np.abs(n - a).max()))) + (
            gradcheck_rules.FAST_ONLY if np.allclose(a, n, self.rtol, self.atol) else ""
        )


def _places(inputs):
    return [i for i, x in enumerate(inputs) if getattr(x, "requires_grad", False)]


def _unit_vector(generator, x):
    drawn = from_host(np.empty(x.numel(), np.float32), device="cpu").uniform_(generator=generator)
    drawn = host(drawn).astype(np.float32 if aval(x).dtype in (dtypes.float32, dtypes.complex64) else np.float64)
    return drawn / np.linalg.norm(drawn)


def _total(u):
    return float(u[0].sum()) + float(u[1].sum()) if isinstance(u, tuple) else float(u.sum())


def _tensor(array):
    return from_host(np.array(array, order="C"), device="cpu")


def _mismatch(a, n, output, input, whole, part, forward):
    what = "inputs" if forward else "outputs"
    start = f"While considering the {part} part of complex {what} only, "
    mode = "computed with forward mode " if forward else ""
    return (
        f"{start if (input if forward else output) in whole else ''}"
        f"Jacobian {mode}mismatch for output {output:d} with respect to input {input:d},\n"
        f"numerical:{_tensor(n)}\nanalytical:{_tensor(a)}\n"
    )
