"""torch.nn.attention: names of attention kernels. XLA chooses its own, and gives the same numbers."""

from jtorch.backends.sdp import SDPBackend, sdpa_kernel

__all__ = [
    "SDPBackend", "WARN_FOR_UNFUSED_KERNELS", "activate_flash_attention_impl", "current_flash_attention_impl",
    "list_flash_attention_impls", "register_flash_attention_impl", "restore_flash_attention_impl", "sdpa_kernel",
]  # fmt: skip

WARN_FOR_UNFUSED_KERNELS = False

_implementations: dict = {}
_active: list = []


def register_flash_attention_impl(impl, *, register_fn):
    """Note a function that puts a kernel of flash attention in place, under a name."""
    _implementations[impl] = register_fn


def list_flash_attention_impls():
    """The names of the kernels that were registered, sorted."""
    return sorted(_implementations)


def activate_flash_attention_impl(impl):
    """Call the function registered under a name. Raises ValueError for a name that nothing is registered under."""
    restore_flash_attention_impl(_raise_warn=False)
    if impl not in _implementations:
        raise ValueError(
            f"Unknown flash attention impl '{impl}'. Available implementations: {list_flash_attention_impls()}"
        )
    handle = _implementations[impl]()
    if handle is not None:
        _active.append((impl, handle))


def current_flash_attention_impl():
    """The name of the active kernel, or None."""
    return _active[-1][0] if _active else None


def restore_flash_attention_impl(_raise_warn=True):
    """Take the active kernel away."""
    while _active:
        _active.pop()[1].remove()
