"""Spectral normalization by a hook: a weight over its largest singular value (parametrizations have the newer form)."""

from jtorch.autograd.grad_mode import no_grad
from jtorch.autograd.inplace import update
from jtorch.nn import functional as F
from jtorch.nn.modules import conv
from jtorch.nn.modules.module import Module
from jtorch.nn.parameter import Parameter, is_lazy

__all__ = [
    "SpectralNorm", "SpectralNormLoadStateDictPreHook", "SpectralNormStateDictHook", "remove_spectral_norm",
    "spectral_norm",
]  # fmt: skip


def as_matrix(weight, dim):
    """A weight with `dim` in front and all others in one. Shape: (*, h, *) -> (h, w)."""
    if dim != 0:
        weight = weight.permute(dim, *(d for d in range(weight.dim()) if d != dim))
    return weight.reshape(weight.size(0), -1)


def output_dim(module):
    """The dim of a layer's weight that counts its outputs."""
    return 1 if isinstance(module, (conv.ConvTranspose1d, conv.ConvTranspose2d, conv.ConvTranspose3d)) else 0


def drawn_vectors(matrix, eps):
    """(u, v) of length 1 and random direction. Shape: (h, w) -> (h,), (w,)."""
    h, w = matrix.size()
    u = matrix.new_empty(h).normal_(0, 1)
    v = matrix.new_empty(w).normal_(0, 1)
    return F.normalize(u, dim=0, eps=eps), F.normalize(v, dim=0, eps=eps)


def check_times(n_power_iterations):
    """Raise ValueError for a number of iterations that is not above 0."""
    if n_power_iterations <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")


class SpectralNorm:
    """The hook: before each call, the weight is made of `<name>_orig`; in training `<name>_u`, `<name>_v` come nearer.

    Paper: Miyato et al. 2018, https://arxiv.org/abs/1802.05957
    """

    _version: int = 1

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        check_times(n_power_iterations)
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight):
        """The weight with its outputs in front. Shape: any -> (h, w)."""
        return as_matrix(weight, self.dim)

    def compute_weight(self, module, do_power_iteration: bool):
        """The weight over its largest singular value, which is estimated anew if asked for."""
        weight, u, v = (getattr(module, self.name + suffix) for suffix in ("_orig", "_u", "_v"))
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                update("power_method", [v, u], matrix.t(), v, u, self.n_power_iterations, self.eps)
            u, v = u.clone(), v.clone()  # what the tape keeps must outlive the next iteration
        return weight / u.dot(matrix.mv(v))

    def remove(self, module) -> None:
        """Make the weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module, inputs) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    def _solve_v_and_rescale(self, weight_mat, u, target_sigma):
        """The v that goes with u, with uᵀ W v = target_sigma; by the pseudo-inverse, as Wᵀ W may have no other."""
        square = weight_mat.t().mm(weight_mat)
        v = square.pinverse().mm(weight_mat.t()).mv(u)
        return v.mul_(target_sigma / u.dot(weight_mat.mv(v)))

    @staticmethod
    def apply(module, name: str, n_power_iterations: int, dim: int, eps: float) -> "SpectralNorm":
        """Put the hook on the module. Raises: RuntimeError when there is one, ValueError for no weight."""
        if _found(module._forward_pre_hooks, SpectralNorm, name) is not None:
            raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. "
                "Make sure to run the dummy forward before applying spectral normalization"
            )
        with no_grad():
            u, v = drawn_vectors(hook.reshape_weight_to_matrix(weight), eps)
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        setattr(module, name, weight.data)  # others look for it before the first call
        module.register_buffer(f"{name}_u", u)
        module.register_buffer(f"{name}_v", v)
        module.register_forward_pre_hook(hook)
        module._register_state_dict_hook(SpectralNormStateDictHook(hook))
        module._register_load_state_dict_pre_hook(SpectralNormLoadStateDictPreHook(hook))
        return hook


class SpectralNormLoadStateDictPreHook:
    """Makes `<name>_v` from what the first versions of torch saved: weight, `<name>_orig` and `<name>_u`."""

    def __init__(self, fn) -> None:
        self.fn = fn

    def __call__(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs) -> None:
        fn, key = self.fn, prefix + self.fn.name
        version = local_metadata.get("spectral_norm", {}).get(f"{fn.name}.version")
        if version is not None and version >= 1:
            return
        if version is None and key not in state_dict and all(key + s in state_dict for s in ("_orig", "_u", "_v")):
            return  # a new state dict that somebody made without metadata
        missing = [key + suffix for suffix in ("_orig", "", "_u") if key + suffix not in state_dict]
        if missing:
            missing_keys += missing if strict else []
            return
        with no_grad():
            original, u = state_dict[f"{key}_orig"], state_dict[f"{key}_u"]
            sigma = (original / state_dict.pop(key)).mean()
            state_dict[f"{key}_v"] = fn._solve_v_and_rescale(fn.reshape_weight_to_matrix(original), u, sigma)


class SpectralNormStateDictHook:
    """Notes in the state dict's metadata that it holds `<name>_v`."""

    def __init__(self, fn) -> None:
        self.fn = fn

    def __call__(self, module, state_dict, prefix, local_metadata) -> None:
        versions = local_metadata.setdefault("spectral_norm", {})
        key = f"{self.fn.name}.version"
        if key in versions:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        versions[key] = self.fn._version


def _found(hooks, kind, name):
    for key, hook in hooks.items():
        hook = getattr(hook, "hook", hook)  # those of loading are wrapped
        if isinstance(hook, kind) and getattr(hook, "fn", hook).name == name:
            return key
    return None


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight of the module by its largest singular value before each call; returns the module.

    dim: which counts the outputs; None: 1 for transposed convolutions, else 0.
    """
    SpectralNorm.apply(module, name, n_power_iterations, output_dim(module) if dim is None else dim, eps)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Undo `spectral_norm`. Raises ValueError where there is none."""
    key = _found(module._forward_pre_hooks, SpectralNorm, name)
    if key is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    module._forward_pre_hooks[key].remove(module)
    del module._forward_pre_hooks[key]
    for hooks, kind in (
        (module._state_dict_hooks, SpectralNormStateDictHook),
        (module._load_state_dict_pre_hooks, SpectralNormLoadStateDictPreHook),
    ):
        key = _found(hooks, kind, name)
        if key is not None:
            del hooks[key]
    return module
