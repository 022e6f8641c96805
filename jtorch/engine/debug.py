"""JTORCH_DEBUG and JTORCH_EAGER: what the engine says about itself, and where in the user's code a call was made."""

import os
import sys

ON = os.environ.get("JTORCH_DEBUG", "0") not in ("", "0")
EAGER = os.environ.get("JTORCH_EAGER", "0") not in ("", "0")

_HOUSE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def user_line():
    """`file:line` of the innermost frame outside jtorch."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((_HOUSE, "<jtorch ")):
        frame = frame.f_back
    if frame is None:
        return "?"
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def say(text):
    """Write one line to standard error."""
    sys.stderr.write(f"[jtorch] {text}\n")
