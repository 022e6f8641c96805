"""What each thread has switched on of autocast, and torch's functions that ask and set it."""

from jtorch import devices, dtypes, modes
from jtorch.autograd.autocast_lists import LISTS
from jtorch.errors import bad_argument, warn

__all__ = [
    "autocast_decrement_nesting", "autocast_increment_nesting", "clear_autocast_cache", "get_autocast_cpu_dtype",
    "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_cache_enabled", "is_autocast_cpu_enabled",
    "is_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_cpu_dtype", "set_autocast_cpu_enabled",
    "set_autocast_dtype", "set_autocast_enabled", "set_autocast_gpu_dtype",
]  # fmt: skip

# The devices that torch takes autocast for; only those that have a list cast anything here.
DEFAULTS = {
    "cpu": dtypes.bfloat16, "cuda": dtypes.float16, "xpu": dtypes.float16, "mps": dtypes.float16,
    "mtia": dtypes.float16, "maia": dtypes.bfloat16, "hpu": dtypes.bfloat16, "xla": dtypes.bfloat16,
    "ipu": dtypes.float16, "privateuseone": dtypes.float16,
}  # fmt: skip


class State:
    """What a thread has switched on.

    cache: id of a leaf -> (weak reference to it, the leaf in a region's dtype), for as long as a region is open.
    """

    def __init__(self):
        self.enabled = set()
        self.dtypes = dict(DEFAULTS)
        self.cached = True
        self.nesting = 0
        self.cache = {}
        self.casts = False

    def publish(self):
        """Let the door know what is on: {kind of device: (dtype, list)}, or None."""
        casts = {kind: (self.dtypes[kind], LISTS[kind]) for kind in self.enabled if kind in LISTS}
        if bool(casts) != self.casts:
            self.casts = bool(casts)
            (modes.enter_rare if casts else modes.leave_rare)()
        modes.local.casts = casts or None


def current():
    """The State of this thread."""
    found = modes.local.__dict__.get("autocast")
    if found is None:
        found = modes.local.autocast = State()
    return found


def _kind(function, device_type):
    """The kind of device that a text names. Raises TypeError for what is no text, RuntimeError for no device."""
    if not isinstance(device_type, str):
        raise bad_argument(function, 1, "device_type", "str", device_type)
    return devices.parse(device_type, None)[0]


def is_available(device_type):
    """Whether torch has autocast for a device."""
    return _kind("_is_autocast_available", device_type) in DEFAULTS


def is_autocast_enabled(device_type="cuda"):
    """Whether a region of autocast is open for a device, in this thread."""
    return _kind("is_autocast_enabled", device_type) in current().enabled


def set_autocast_enabled(*args):
    """Open or close autocast for a device ("cuda" where none is given), in this thread: (device_type, enabled)."""
    *place, enabled = args
    if not isinstance(enabled, bool):
        raise bad_argument("set_autocast_enabled", len(args), "enabled", "bool", enabled)
    kind = _kind("set_autocast_enabled", place[0] if place else "cuda")
    state = current()
    (state.enabled.add if enabled else state.enabled.discard)(kind)
    state.publish()


def get_autocast_dtype(device_type):
    """The dtype that regions for a device compute in. Raises RuntimeError where torch has no autocast."""
    kind = _kind("get_autocast_dtype", device_type)
    if kind not in DEFAULTS:
        raise RuntimeError("unsupported scalarType")
    return current().dtypes[kind]


def set_autocast_dtype(device_type, dtype):
    """Set the dtype that regions for a device compute in, in this thread."""
    kind = _kind("set_autocast_dtype", device_type)
    if not isinstance(dtype, dtypes.dtype):
        raise bad_argument("set_autocast_dtype", 2, "dtype", "torch.dtype", dtype)
    state = current()
    state.dtypes[kind] = dtype
    state.publish()


def is_autocast_cache_enabled():
    """Whether a leaf that several calls of a region read is cast once for all of them."""
    return current().cached


def set_autocast_cache_enabled(enabled):
    """Set whether a leaf that several calls of a region read is cast once for all of them."""
    current().cached = enabled


def clear_autocast_cache():
    """Forget the leaves that were cast."""
    current().cache.clear()


def autocast_increment_nesting():
    """Count one more open region; how many there are."""
    state = current()
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting():
    """Count one open region less; how many there are."""
    state = current()
    state.nesting -= 1
    return state.nesting


def _old(name, device_type, arguments=()):
    """One of torch's older functions, for one kind of device, with its warning. arguments: names of what it sets."""
    base = name.replace("_cpu", "").replace("_gpu", "")
    run = globals()[base]
    given = ", ".join(arguments)

    def function(*args):
        instead = ", ".join([repr(device_type), *arguments])
        warn(f"torch.{name}({given}) is deprecated. Please use torch.{base}({instead}) instead.", DeprecationWarning)
        return run(device_type, *args)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{base} for {device_type!r}."
    return function


is_autocast_cpu_enabled = _old("is_autocast_cpu_enabled", "cpu")
set_autocast_cpu_enabled = _old("set_autocast_cpu_enabled", "cpu", ("enabled",))
get_autocast_cpu_dtype = _old("get_autocast_cpu_dtype", "cpu")
get_autocast_gpu_dtype = _old("get_autocast_gpu_dtype", "cuda")
set_autocast_cpu_dtype = _old("set_autocast_cpu_dtype", "cpu", ("dtype",))
set_autocast_gpu_dtype = _old("set_autocast_gpu_dtype", "cuda", ("dtype",))
