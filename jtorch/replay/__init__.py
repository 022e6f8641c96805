"""Replaying a recorded call: what jtorch.compile does instead of running a function's Python again."""
