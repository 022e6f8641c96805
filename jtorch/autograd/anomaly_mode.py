"""Anomaly mode: each node notes the line that made it, and backward names that line when a gradient goes wrong."""

import traceback
import warnings

import numpy as np

from jtorch import _tensor, modes
from jtorch.autograd.tape import Hint
from jtorch.errors import is_own, warn


class _State:
    enabled = False
    check_nan = True
    running: list = []  # the nodes that are being pulled now, innermost last


def is_enabled():
    """Whether anomaly mode is on, for all threads as in torch."""
    return _State.enabled


def checks_nan():
    """Whether backward is to raise for nan, where anomaly mode is on."""
    return _State.check_nan


def _set(enabled, check_nan):
    if enabled != _State.enabled:
        (modes.enter_rare if enabled else modes.leave_rare)()
    _State.enabled, _State.check_nan = enabled, check_nan
    Hint.text = Hint.traced if enabled else Hint.plain


class set_detect_anomaly:
    """Turn anomaly mode on or off, at once; as a context manager it puts back what was. As torch.autograd's.

    check_nan: whether nan in a gradient raises RuntimeError.
    """

    def __init__(self, mode, check_nan=True):
        self.prev = _State.enabled
        self.prev_check_nan = _State.check_nan
        _set(mode, check_nan)

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        _set(self.prev, self.prev_check_nan)


class detect_anomaly:
    """Context manager under which errors in backward name the line of the forward call that they come from."""

    def __init__(self, check_nan=True):
        self.check_nan = check_nan
        self.prev = _State.enabled
        self.prev_check_nan = _State.check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def __enter__(self):
        self.prev, self.prev_check_nan = _State.enabled, _State.check_nan
        _set(True, self.check_nan)

    def __exit__(self, *exc):
        _set(self.prev, self.prev_check_nan)


def note(node):
    """Note on a new node where it was made, and during which other node's backward."""
    if "traceback_" not in node.metadata:
        frames = traceback.extract_stack()
        while frames and is_own(frames[-1].filename):
            frames.pop()
        node.metadata["traceback_"] = traceback.format_list(frames)
        if _State.running:
            node.metadata["parent_"] = _State.running[-1]


def pull(node, gradients, mode):
    """Pull a node's gradients; the calls that it records are noted as made by it."""
    _State.running.append(node)
    try:
        return node.pull(gradients, mode)
    finally:
        _State.running.pop()


def check(node, gradients, mode):
    """Raise RuntimeError when a gradient that a node gave has a nan in it."""
    for i, gradient in enumerate(node.spread(gradients)):
        if gradient is None:
            continue
        sent = mode.wrap(gradient)
        if np.isnan(_tensor.host(sent.raw[1] if sent.is_sparse else sent)).any():
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")


def report(node):
    """Warn where the node was made, and by what; nothing when anomaly mode is off."""
    if not _State.enabled:
        return
    stack = node.metadata.get("traceback_")
    if stack is None:
        warn(
            f"Error detected in {node.name()}. No forward pass information available. Enable detect anomaly during "
            "forward pass for more information."
        )
        return
    warn(f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{''.join(stack)}")
    while (node := node.metadata.get("parent_")) is not None:
        stack = node.metadata.get("traceback_")
        if stack is None:
            warn(
                f"\n\nPrevious calculation was induced by {node.name()}. No forward pass information available. Enable "
                "detect anomaly during forward pass for more information."
            )
            return
        warn(
            f"\n\nPrevious calculation was induced by {node.name()}. Traceback of forward call that induced the "
            f"previous calculation:\n{''.join(stack)}"
        )
