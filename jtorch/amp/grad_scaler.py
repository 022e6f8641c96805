"""GradScaler: scales losses up so that small gradients survive in float16, and skips steps with inf or nan."""

import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum

import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, aval, from_host
from jtorch.autograd.inplace import update
from jtorch.errors import warn

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """How far an optimizer is within an iteration."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _refresh_per_optimizer_state():
    return {"stage": OptState.READY, "found_inf_per_device": {}}


class GradScaler:
    """Scales losses, unscales gradients, and lets optimizers step where these are finite: torch.amp.GradScaler.

    Whether a step is skipped is decided inside the program, and nothing is read, but for optimizers of a user's own:
    their step is Python. Raises AssertionError for factors that would not grow or not shrink.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if device == "cuda" and enabled and not devices.cuda_devices():
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = init_scale
        self._scale: Tensor | None = None  # made by the first scale()
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._init_growth_tracker = 0
        self._growth_tracker: Tensor | None = None
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _check_scale_growth_tracker(self, funcname):
        fix = "This may indicate your script did not use scaler.scale(loss or outputs) earlier in the iteration."
        if self._scale is None:
            raise AssertionError(f"Attempted {funcname} but _scale is None.  {fix}")
        if self._growth_tracker is None:
            raise AssertionError(f"Attempted {funcname} but _growth_tracker is None.  {fix}")
        return self._scale, self._growth_tracker

    def _begin(self, device):
        # Real arrays, so that step 1 and step 2 are the same program.
        self._scale = from_host(np.float32(self._init_scale), device=device)
        self._growth_tracker = from_host(np.int32(self._init_growth_tracker), device=device)

    def scale(self, outputs):
        """The loss, or each tensor in an iterable of them, times the scale. Raises ValueError for anything else."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._begin(outputs.device)
            return outputs * self._scale.to(device=outputs.device)
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer):
        """Divide the gradients of an optimizer's parameters by the scale, in place, and note whether they are finite.

        Raises RuntimeError the second time in an iteration; ValueError for gradients in float16.
        """
        if not self._enabled:
            return
        scale, _ = self._check_scale_growth_tracker("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inverse = scale.double().reciprocal().float()
        state["found_inf_per_device"] = _unscale(optimizer, inverse)
        state["stage"] = OptState.UNSCALED

    def step(self, optimizer, *args, **kwargs):
        """optimizer.step(*args, **kwargs) on unscaled gradients, unless one of them is inf or nan.

        Raises RuntimeError for a closure and for a second step in an iteration.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        scale, _ = self._check_scale_growth_tracker("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        own = getattr(optimizer, "_step_supports_amp_scaling", False)
        unscaled = state["stage"] is OptState.UNSCALED
        if not unscaled:
            (self._check_inf_per_device if own else self.unscale_)(optimizer)
        found = [each.to(scale.device) for each in state["found_inf_per_device"].values()]
        if not found:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        if own:
            result = _step_itself(optimizer, None if unscaled else scale, _any(found), args, kwargs)
        else:
            result = _step(optimizer, _any(found), args, kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def update(self, new_scale=None):
        """The scale of the next iteration: `new_scale`, or one that follows from whether gradients were finite."""
        if not self._enabled:
            return
        scale, tracker = self._check_scale_growth_tracker("update")
        if new_scale is not None:
            self._set_scale(scale, new_scale)
        else:
            found = [
                each.to(device=scale.device)
                for state in self._per_optimizer_states.values()
                for each in state["found_inf_per_device"].values()
            ]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            factors = self._growth_factor, self._backoff_factor, self._growth_interval
            update("next_scale", (scale, tracker), scale, tracker, _any(found), *factors)
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _set_scale(self, scale, new):
        if isinstance(new, float):
            scale.fill_(new)
            return
        if new.device.type != self._device or new.numel() != 1 or new.requires_grad:
            raise AssertionError(
                "new_scale should be a float or a 1-element torch.cuda.FloatTensor or torch.FloatTensor with "
                "requires_grad=False."
            )
        scale.copy_(new)

    def _get_scale_async(self):
        return self._scale

    def get_scale(self) -> float:
        """The scale; reads it, and so runs what is pending."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self) -> float:
        """By what the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set by what the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By what the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set by what the scale shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many finite steps in a row the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many finite steps in a row the scale grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else self._growth_tracker.item()

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def state_dict(self):
        """The scale, its factors and its count as Python numbers; empty where it is not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict) -> None:
        """Take over what state_dict() gave. Raises RuntimeError for an empty one."""
        if not self._enabled:
            return
        if len(state_dict) == 0:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
        if self._growth_tracker is not None:
            self._growth_tracker.fill_(self._init_growth_tracker)

    def __getstate__(self):
        state = self.__dict__.copy()
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError(
                    "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                    "scaler.update()."
                )
            state["_init_scale"] = self.get_scale()
            state["_init_growth_tracker"] = self._get_growth_tracker()
            state["_scale"] = None
            state["_growth_tracker"] = None
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)

    def _check_inf_per_device(self, optimizer):
        scale, _ = self._check_scale_growth_tracker("_check_inf_per_device")
        state = self._per_optimizer_states[id(optimizer)]
        one = from_host(np.float32(1), device=scale.device)
        state["found_inf_per_device"] = _unscale(optimizer, one, half=True)
        return state["found_inf_per_device"]

    def _found_inf_per_device(self, optimizer):
        return self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]


def older_name(device):
    """The class that torch.cuda.amp or torch.cpu.amp has: GradScaler for its device, with a warning."""

    class Older(GradScaler):
        def __init__(
            self,
            init_scale: float = 2.0**16,
            growth_factor: float = 2.0,
            backoff_factor: float = 0.5,
            growth_interval: int = 2000,
            enabled: bool = True,
        ) -> None:
            warn(
                f"`torch.{device}.amp.GradScaler(args...)` is deprecated. "
                f"Please use `torch.amp.GradScaler('{device}', args...)` instead.",
                FutureWarning,
            )
            super().__init__(device, init_scale, growth_factor, backoff_factor, growth_interval, enabled)

    Older.__doc__ = f'torch.amp.GradScaler("{device}", ...), with a warning.'
    Older.__name__ = Older.__qualname__ = "GradScaler"
    Older.__module__ = f"jtorch.{device}.amp.grad_scaler"
    return Older


def _unscale(optimizer, inverse, half=False):
    """Multiply the gradients of an optimizer's parameters: {device: whether one of them was not finite}."""
    by_device = {}
    for group in optimizer.param_groups:
        for param in group["params"]:
            if not isinstance(param, Tensor):
                raise AssertionError(f"expected param to be torch.Tensor, got {type(param).__name__}")
            if param.grad is not None:
                if not half and aval(param.grad).dtype is dtypes.float16:
                    raise ValueError("Attempting to unscale FP16 gradients.")
                held = param.grad.raw[1] if param.grad.is_sparse else param.grad
                by_device.setdefault(held.device, []).append(held)
    found = {}
    for device, grads in by_device.items():
        (found[device],) = update("unscale_gradients", grads, grads, inverse.to(device))
    return found


def _any(found):
    """Whether something was found on one of several devices: 0.0 if not."""
    return sum(found[1:], found[0])


def _step(optimizer, found, args, kwargs):
    """The optimizer's step, unless something was found: decided in the program by those optimizers that can."""
    unless = getattr(optimizer, "step_unless", None)
    if unless is not None:
        return unless(found, *args, **kwargs)
    return None if found.item() else optimizer.step(*args, **kwargs)


def _step_itself(optimizer, scale, found, args, kwargs):
    """The step of an optimizer that looks at `grad_scale` and `found_inf` itself."""
    before = getattr(optimizer, "grad_scale", None)
    optimizer.grad_scale = before if scale is None else scale if before is None else scale * before
    optimizer.found_inf = found
    try:
        return optimizer.step(*args, **kwargs)
    finally:
        del optimizer.grad_scale, optimizer.found_inf
