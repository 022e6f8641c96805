"""Counters of what the engine did: ops recorded, flushes by reason, programs run, compiles."""

from collections import Counter

flushes: Counter = Counter()
programs = 0
replays = 0  # calls of jtorch.compile that ran without their Python
compiles = 0
compile_seconds = 0.0
ops = 0
evictions = 0


def reset():
    """Set every counter to zero."""
    global programs, replays, compiles, compile_seconds, ops, evictions
    flushes.clear()
    programs = replays = compiles = ops = evictions = 0
    compile_seconds = 0.0


def snapshot():
    """The counters as a dict: ops, programs, compiles, compile_seconds, evictions, flushes (reason -> count)."""
    return {
        "ops": ops, "programs": programs, "replays": replays, "compiles": compiles, "compile_seconds": compile_seconds,
        "evictions": evictions, "flushes": dict(flushes),
    }  # fmt: skip
