"""What each thread has switched on: grad mode, inference mode, and a token of the modes that change results."""

import threading


class _Local(threading.local):
    grad = True
    inference = False
    stops = True  # whether no_grad inside a JAX transform stops JAX's gradients, too
    level = 0  # the number of the innermost transform of jtorch.func that is under way, 0 outside
    keys = None  # what draws inside a JAX transform come from, see rng/keys.py
    plain = False  # inside a rare mode's own work: calls go straight through the door
    casts: dict | None = None  # what autocast computes in on each kind of device, None outside its regions
    grad_layout = True  # whether a leaf's new gradient lies in memory as the leaf does
    multithreading, view_replay = True, False  # switches of torch's engine that nothing here reads
    watchers: tuple = ()  # who is told of each call, innermost last, see autograd/watch.py
    # None while every mode that changes results stands at its default; otherwise a hashable description of them.
    token = None


local = _Local()

# Whether convolutions must be as precise as float32 allows: by default they may use TF32, whatever products may.
exact_convolutions = False

# How many rare modes (inference, autocast, anomaly, saved-tensor hooks, watchers, forward AD) are on in all threads: 0
# keeps the door fast.
rare = 0
_rare_lock = threading.Lock()


def enter_rare():
    """Say that a rare mode is on: from now on every call looks whether it concerns it."""
    global rare
    with _rare_lock:
        rare += 1


def leave_rare():
    """Say that a rare mode is off again."""
    global rare
    with _rare_lock:
        rare -= 1


def set_token(mode, value):
    """Set one mode that changes what ops compute (default dtype, matmul precision); None is its default."""
    settings = dict(local.token or ())
    settings.pop(mode, None)
    if value is not None:
        settings[mode] = value
    local.token = frozenset(settings.items()) or None


def get_token(mode):
    """The value of a mode in this thread, or None."""
    return dict(local.token).get(mode) if local.token else None
