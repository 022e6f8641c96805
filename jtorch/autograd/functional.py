"""torch.autograd.functional: the Jacobian and the Hessian of a function of Tensors, and products with them."""

from jtorch._tensor import aval
from jtorch.autograd import functional_checks as checks
from jtorch.autograd import jacobians
from jtorch.autograd.functional_checks import as_tuple, finished, fresh, gradients, shaped_like, zeros_for_none
from jtorch.autograd.grad_mode import enable_grad, is_grad_enabled, set_grad_enabled
from jtorch.shapes import numel

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


class _Call:
    """A call of the user's function on fresh leaves: inputs and outputs as tuples, with whether they came as such."""

    def __init__(self, name, func, inputs, v, create_graph, strict):
        self.strict, self.create_graph = strict, create_graph
        self.several_in, inputs = as_tuple(inputs, "inputs", name)
        self.inputs = fresh(inputs, create_graph, True)
        self.v = v
        if name != "vjp":
            self.take_v(name, self.inputs, self.several_in)
        self.several_out, self.outputs = as_tuple(func(*self.inputs), "outputs of the user-provided function", name)
        checks.require_grad(self.outputs, "outputs", strict)
        if name == "vjp":
            self.take_v(name, self.outputs, self.several_out)

    def take_v(self, name, like, several):
        """Take the vector, of the shapes of these. Raises RuntimeError when it is missing or does not fit."""
        if self.v is not None:
            self.v = fresh(as_tuple(self.v, "v", name)[1], self.create_graph, False)
            checks.same_sizes(self.v, like, several)
        elif len(like) != 1 or numel(aval(like[0]).shape) != 1:
            raise RuntimeError(checks.NO_V[name])

    def demand_one_number(self, name):
        """Raise RuntimeError unless the function returned a single Tensor of one element."""
        if self.several_out:
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        if numel(aval(self.outputs[0]).shape) != 1:
            raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")

    def grad_mode(self):
        """The grad mode of the last step."""
        return set_grad_enabled(True if self.create_graph else is_grad_enabled())

    def answer(self, found, several):
        """The function's value and the product, in the form of the outputs and of what the product is like."""
        outputs, found = finished(self.outputs, self.create_graph), finished(found, self.create_graph)
        return (outputs if self.several_out else outputs[0]), (found if several else found[0])


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), v · Jacobian). v: a weight per output, of its shape; None for a single output of one element."""
    with enable_grad():
        run = _Call("vjp", func, inputs, v, create_graph, strict)
    with run.grad_mode():
        found = gradients(run.outputs, run.inputs, run.v, create_graph=create_graph)
        found = zeros_for_none(found, run.inputs, strict, create_graph, "back")
    return run.answer(found, run.several_in)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), Jacobian · v), by differentiating the vjp, which is linear in its weights."""
    with enable_grad():
        run = _Call("jvp", func, inputs, v, create_graph, strict)
        weights = tuple(shaped_like(out) for out in run.outputs)
        back = gradients(run.outputs, run.inputs, weights, create_graph=True)
        checks.require_grad(back, "grad_inputs", strict)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(back, weights, run.v, create_graph=create_graph)
        found = zeros_for_none(found, run.outputs, strict, create_graph, "back_trick")
    return run.answer(found, run.several_out)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), v · Hessian) of a function that returns one number."""
    with enable_grad():
        run = _Call("vhp", func, inputs, v, create_graph, strict)
        run.demand_one_number("vhp")
        jac = gradients(run.outputs, run.inputs, create_graph=True)
        checks.require_grad(jac, "jacobian", strict)
    with run.grad_mode():
        found = gradients(jac, run.inputs, run.v, create_graph=create_graph)
        found = zeros_for_none(found, run.inputs, strict, create_graph, "double_back")
    return run.answer(found, run.several_in)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), Hessian · v) of a function that returns one number."""
    with enable_grad():
        run = _Call("hvp", func, inputs, v, create_graph, strict)
        run.demand_one_number("hvp")
        jac = gradients(run.outputs, run.inputs, create_graph=True)
        checks.require_grad(jac, "jacobian", strict)
        weights = tuple(shaped_like(x) for x in run.inputs)
        twice = gradients(jac, run.inputs, weights, create_graph=True)
        checks.require_grad(jac, "hessian", strict)
    with run.grad_mode():
        found = gradients(twice, weights, run.v, create_graph=create_graph)
        found = zeros_for_none(found, run.inputs, strict, create_graph, "double_back_trick")
    return run.answer(found, run.several_in)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of func: per output and input a Tensor of shape (*output.shape, *input.shape).

    strategy: "forward-mode" pushes tangents, with vectorize=True only. strict: raise where an output is independent
    of an input, instead of giving zeros.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    several_in, given = as_tuple(inputs, "inputs", "jacobian")
    if strategy == "forward-mode":
        checks.forward_mode(create_graph, strict, vectorize)
        several_out, rows = jacobians.forward(func, given)
    else:
        with enable_grad():
            leaves = fresh(given, create_graph, True)
            outputs = func(*leaves)
            several_out, outputs = as_tuple(outputs, "outputs of the user-provided function", "jacobian")
            checks.require_grad(outputs, "outputs", strict)
            if vectorize and strict:
                raise RuntimeError(
                    "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported "
                    "together. Please either set `strict=False` or `vectorize=False`."
                )
            rows = jacobians.reverse(outputs, leaves, create_graph, strict)
        rows = tuple(finished(row, create_graph) for row in rows)
    rows = rows if several_in else tuple(row[0] for row in rows)
    return rows if several_out else rows[0]


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """The Hessian of a function that returns one number: per two inputs a Tensor of both shapes.

    Raises RuntimeError when it returns something else.
    """
    several, given = as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def number(*args):
        out = func(*args)
        several_out, outs = as_tuple(out, "outputs of the user-provided function", "hessian")
        checks.require_grad(outs, "outputs", strict)
        if several_out:
            raise RuntimeError("The function given to hessian should return a single Tensor")
        if numel(aval(out).shape) != 1:
            raise RuntimeError("The Tensor returned by the function given to hessian should contain a single element")
        return out.squeeze()

    def first(*args):
        if outer_jacobian_strategy == "forward-mode":
            args = tuple(x.requires_grad_(True) for x in args)
        found = jacobian(number, args, create_graph=True)
        checks.require_grad(found, "jacobian", strict)
        return found

    rows = jacobian(first, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return rows if several else rows[0][0]
