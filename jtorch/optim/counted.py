"""What optimizers share whose parameters each count their steps: the count, where it lies, flags, checks of numbers."""

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, from_host
from jtorch.optim.optax_op import OptaxOptimizer

CAPTURABLE = ("cuda", "xpu", "hpu", "privateuseone")


class CountedOptimizer(OptaxOptimizer):
    """An optimizer whose states begin with `step`.

    later: the options that older checkpoints lack, with what they stand for. stepping: what must lie on the device, in
    the words of torch's error. on_xla: whether that error names XLA, without and with foreach. beside: whether `step`
    always lies beside its parameter.
    """

    later: dict = {}
    stepping = "params and state_steps"
    on_xla = (True, False)
    beside = False

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self.later.items():
                group.setdefault(name, value)
            for param in group["params"]:
                step = self.state.get(param, {}).get("step")
                if step is not None and not isinstance(step, Tensor):
                    self.state[param]["step"] = self._new_step(group, param, float(step))

    def _new_step(self, group, param, value=0.0):
        device, dtype = self._step_place(group, param)
        return from_host(value, dtype=dtype, device=device)

    def _step_place(self, group, param):
        """Device and dtype of a new `step`."""
        if group.get("fused"):
            return param.device, dtypes.float32
        dtype = dtypes.float64 if dtypes.Default.float is dtypes.float64 else dtypes.float32
        return (param.device if self.beside or group.get("capturable") else "cpu"), dtype

    def _count(self, plan, group, params, states, options):
        device, dtype = self._step_place(group, params[0])
        if self._found is None:
            counts, index, refs = self._clock.read(states, device, dtype)
            plan.ticks.append((states, counts, index, refs))
            return counts, index
        index = self._clock.hold(plan.clocks, states, aval(params[0]).device, dtype)
        plan.ticks.append((states, index))
        return [], index

    def _check(self, group, params):
        super()._check(group, params)
        capturable = group.get("capturable")
        if capturable and params[0].device.type not in CAPTURABLE and not group.get("fused"):
            known = [*CAPTURABLE, "xla"] if self.on_xla[bool(group["foreach"])] else [*CAPTURABLE]
            raise AssertionError(f"If capturable=True, {self.stepping} must be on supported devices: {known}.")


def check_lr(lr):
    """Raise ValueError where lr is a Tensor of other than one element, or below zero."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check("learning rate", lr)


def check(name, number):
    """Raise ValueError where a number is below zero."""
    if not 0.0 <= number:
        raise ValueError(f"Invalid {name}: {number}")


def check_betas(betas):
    """Raise ValueError where a beta lies outside [0, 1)."""
    for i in (0, 1):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")
