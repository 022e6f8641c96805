"""L-BFGS: a quasi-Newton method whose step calls a closure several times and reads what it returns."""

import jax.numpy as jnp
from jax import lax

from jtorch._tensor import Tensor
from jtorch.autograd.apply import call
from jtorch.autograd.grad_mode import enable_grad, no_grad
from jtorch.ops.op import Arrays, op
from jtorch.optim.counted import check_lr
from jtorch.optim.line_search import Point, strong_wolfe
from jtorch.optim.optimizer import Optimizer


@op("lbfgs_direction", door=None, differentiable=False)
def lbfgs_direction(arrays: Arrays, *, count):
    """The gradient turned by the last `count` steps (the two-loop recursion), and the share of each step in it.

    arrays: gradient (n,), scale of the first guess (), then `count` gradient changes (n,), steps (n,) and 1 / products.
    """
    gradient, scale, *kept = arrays
    if not count:
        return -gradient * scale
    changes, steps, inverse = (jnp.stack(kept[i * count : (i + 1) * count]) for i in range(3))

    def back(q, past):
        change, step, product = past
        share = jnp.dot(step, q) * product
        return q - share * change, share

    def forth(d, past):
        change, step, product, share = past
        return d + step * (share - jnp.dot(change, d) * product), None

    q, shares = lax.scan(back, -gradient, (changes, steps, inverse), reverse=True)
    d, _ = lax.scan(forth, q * scale, (changes, steps, inverse, shares))
    return d, *shares


def _several(results):
    return results if isinstance(results, tuple) else (results,)


class LBFGS(Optimizer):
    """L-BFGS: https://pytorch.org/docs/stable/generated/torch.optim.LBFGS.html, Nocedal & Wright's book, section 7.2.

    The state is that of the first parameter. Raises: ValueError for several groups and for a learning rate below zero.
    """

    _of_whole_params = True

    def __init__(
        self,
        params,
        lr: float = 1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    @no_grad()
    def step(self, closure):
        """Go up to max_iter steps down. closure: computes the loss anew and returns it; the first one is returned."""
        group = self.param_groups[0]
        closure = enable_grad()(closure)
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        state["func_evals"] += 1
        gradient = self._gradient()
        if gradient.abs().max() <= group["tolerance_grad"]:
            return first
        self._descend(closure, group, state, float(first), gradient)
        return first

    def _descend(self, closure, group, state, loss, gradient):
        lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
        evaluations = 1
        for turn in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            self._turn(state, gradient, group["history_size"])
            direction = state["d"]
            state["prev_flat_grad"] = gradient
            state["prev_loss"] = before = loss
            fresh = state["n_iter"] == 1
            state["t"] = t = min(1.0, 1.0 / gradient.abs().sum()) * lr if fresh else lr
            slope = gradient.dot(direction)
            if slope > -group["tolerance_change"]:
                break
            start = Point(t, loss, gradient, slope)
            last = turn == group["max_iter"]
            end, taken = self._move(closure, group, direction, start, group["max_eval"] - evaluations, last)
            state["t"], loss, gradient = end.t, end.loss, end.gradient
            evaluations += taken
            state["func_evals"] += taken
            if last or evaluations >= group["max_eval"] or gradient.abs().max() <= group["tolerance_grad"]:
                break
            if (direction * end.t).abs().max() <= group["tolerance_change"]:
                break
            if abs(loss - before) < group["tolerance_change"]:
                break

    def _turn(self, state, gradient, most):
        """Put the next direction into the state: the gradient, turned by what past steps tell of the curvature."""
        if state["n_iter"] == 1:
            state.update(d=gradient.neg(), t=None, old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return
        change, step = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = change.dot(step)
        changes, steps, inverse = state["old_dirs"], state["old_stps"], state["ro"]
        if curvature > 1e-10:
            if len(changes) == most:
                for kept in (changes, steps, inverse):
                    kept.pop(0)
            changes.append(change)
            steps.append(step)
            inverse.append(1.0 / curvature)
            state["H_diag"] = curvature / change.dot(change)
        ins = [
            gradient,
            gradient.new_tensor(1.0) if state["H_diag"] == 1 else state["H_diag"],
            *changes,
            *steps,
            *inverse,
        ]
        state["d"], *shares = _several(call("lbfgs_direction", ins, count=len(changes)))
        state["al"] = [*shares, *[None] * (most - len(shares))]

    def _move(self, closure, group, direction, start, most, last):
        """Go along the direction: (the Point reached, evaluations). Without a search it is the first guess itself."""
        search = group["line_search_fn"]
        if search is None:
            self._go(start.t, direction)
            # torch: what the last of all steps led to is not looked at.
            return (start, 0) if last else (Point(start.t, float(closure()), self._gradient(), None), 1)
        if search != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        here = [param.clone() for param in self._params]

        def evaluate(t):
            self._go(t, direction)
            loss = float(closure())
            for param, value in zip(self._params, here, strict=True):
                param.copy_(value)
            return loss, self._gradient()

        found = strong_wolfe(evaluate, direction, start, start.t, group["tolerance_change"], most)
        self._go(found[0].t, direction)
        return found

    def _gradient(self):
        """The gradients of all parameters as one vector."""
        parts = [
            param.new_zeros(param.shape) if param.grad is None else param.grad.to_dense() for param in self._params
        ]
        return call("cat", [_real(part).reshape(-1) for part in parts], 0)

    def _go(self, t, direction):
        """Move the parameters along a vector of all of them."""
        start = 0
        for param in self._params:
            param = _real(param)
            end = start + param.numel()
            param.add_(direction[start:end].view_as(param) * t)
            start = end


def _real(tensor):
    return call("view_as_real", tensor) if tensor.is_complex() else tensor
