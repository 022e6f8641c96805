"""The tests: one file per file of jtorch, all compared with real torch through `tests.oracle`.

Programs are cached in a fixed folder of the repository, not in the user's nor in a fresh one per run: compiling is most
of the suite's time, and XLA's key holds the program, the options and the versions. `make clean` removes it.
"""

import os
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".pytest_cache" / "programs"
os.environ.setdefault("JTORCH_CACHE_DIR", str(CACHE))  # read when jtorch is imported, which is later
