"""Files out of the net: a part that is there already is not fetched again, and a bar shows how far it is."""

import os
import sys
import time
import urllib.error
import urllib.request

USER_AGENT = "jtorch"
_CHUNK = 1 << 16


class Bar:
    """How much of a file is here, as one line on stderr; shown: whether it is written at all."""

    def __init__(self, name, total, done=0, shown=True):
        self.name, self.total, self.done, self.visible = name, total, done, shown
        self.started, self.shown = time.monotonic(), 0.0

    def add(self, count):
        """Note that so many bytes came; now and then the line is written again."""
        self.done += count
        now = time.monotonic()
        if now - self.shown > 0.1:
            self.shown = now
            self.write()

    def write(self, end=""):
        """Write the line."""
        if not self.visible:
            return
        mega = self.done / 1e6
        speed = mega / max(time.monotonic() - self.started, 1e-3)
        part = f"{self.done / self.total:4.0%} of {self.total / 1e6:.1f} MB" if self.total else f"{mega:.1f} MB"
        sys.stderr.write(f"\r{self.name}: {part}, {speed:.1f} MB/s{end}")
        sys.stderr.flush()


def fetch(url, path, progress=True):
    """Fetch a file. What an interrupted fetch left (`path`.part) is gone on with, where the server can do that.

    Raises URLError, which says what to do, where the server can't be reached; OSError where the file breaks off.
    """
    part = f"{path}.part"
    have = os.path.getsize(part) if os.path.exists(part) else 0
    headers = {"User-Agent": USER_AGENT, **({"Range": f"bytes={have}-"} if have else {})}
    try:
        _copy(
            urllib.request.Request(url, headers=headers), part, have, Bar(os.path.basename(path), None, shown=progress)
        )
    except urllib.error.HTTPError as error:
        if error.code != 416:  # the part is all there is, or more
            raise
        os.remove(part)
        return fetch(url, path, progress)
    except urllib.error.URLError as error:
        raise urllib.error.URLError(
            f"{error.reason}. {url} could not be reached: is there a network? "
            f"The file can also be put at {path} by hand"
        ) from error
    os.replace(part, path)


def _copy(request, part, have, bar):
    with urllib.request.urlopen(request) as response:
        going_on = response.status == 206
        have = have if going_on else 0
        left = response.length
        bar.total, bar.done = have + left if left is not None else None, have
        with open(part, "ab" if going_on else "wb") as file:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                bar.add(len(chunk))
        bar.write("\n")
    if bar.total is not None and bar.done < bar.total:
        raise OSError(
            f"{request.full_url} broke off after {bar.done} of {bar.total} bytes; try again to go on from there"
        )
