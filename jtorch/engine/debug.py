"""JTORCH_DEBUG and JTORCH_EAGER: what the engine says about itself, and where in the user's code a call was made."""

import os
import sys

from jtorch.errors import user_frame

ON = os.environ.get("JTORCH_DEBUG", "0") not in ("", "0")
EAGER = os.environ.get("JTORCH_EAGER", "0") not in ("", "0")


def user_line():
    """`file:line` of the innermost frame outside jtorch."""
    frame, _ = user_frame()
    if frame is None:
        return "?"
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def say(text):
    """Write one line to standard error."""
    sys.stderr.write(f"[jtorch] {text}\n")
