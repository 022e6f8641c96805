"""What stores keep their items in: a dictionary whose readers can wait, here, in a file, or in another process."""

import fcntl
import json
import os
import threading
import time
from multiprocessing.managers import BaseManager


class DistError(RuntimeError):
    """Something between processes went wrong."""


class DistStoreError(DistError):
    """Nobody set what a store was asked to wait for, or the store can't be reached."""


for _error in (DistError, DistStoreError):
    _error.__module__ = "torch.distributed"


class Shelf:
    """A dictionary of bytes whose readers can wait."""

    def __init__(self):
        self._items = {}
        self._queues = {}
        self._changed = threading.Condition()

    def set(self, key, value):
        with self._changed:
            self._items[key] = value
            self._changed.notify_all()

    def add(self, key, amount):
        with self._changed:
            total = int(self._items.get(key, b"0")) + amount
            self._items[key] = str(total).encode()
            self._changed.notify_all()
            return total

    def swap(self, key, expected, value):
        with self._changed:
            have = self._items.get(key)
            if (have is None and not expected) or have == expected:
                self._items[key] = have = value
                self._changed.notify_all()
            return expected if have is None else have

    def append(self, key, value):
        with self._changed:
            self._items[key] = self._items.get(key, b"") + value
            self._changed.notify_all()

    def lacks(self, keys, seconds):
        """The keys that nobody set within so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: all(key in self._items for key in keys), seconds)
            return [key for key in keys if key not in self._items]

    def first(self, keys, seconds):
        """The first of some keys that is there, None where none is within so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: any(key in self._items for key in keys), seconds)
            return next((key for key in keys if key in self._items), None)

    def get(self, key):
        return self._items.get(key)

    def take(self, key):
        with self._changed:
            return self._items.pop(key, None)

    def push(self, key, value):
        with self._changed:
            self._queues.setdefault(key, []).append(value)
            self._changed.notify_all()

    def pop(self, key, seconds):
        """The first of a queue; None where nobody puts anything into it within so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._queues.get(key), seconds)
            queue = self._queues.get(key)
            return queue.pop(0) if queue else None

    def length(self, key):
        return len(self._queues.get(key, ()))

    def count(self):
        return len(self._items)

    def keys(self):
        return list(self._items)


class Prefixed:
    def __init__(self, prefix, shelf):
        self._prefix, self._shelf = prefix, shelf

    def __getattr__(self, name):
        whole = getattr(self._shelf, name)
        return lambda key, *rest: whole(self._prefix + key, *rest)

    def lacks(self, keys, seconds):
        start = len(self._prefix)
        return [key[start:] for key in self._shelf.lacks([self._prefix + key for key in keys], seconds)]

    def first(self, keys, seconds):
        found = self._shelf.first([self._prefix + key for key in keys], seconds)
        return None if found is None else found[len(self._prefix) :]


class FileShelf(Shelf):
    """A shelf whose items stand in a file; readers look again and again."""

    def __init__(self, path):
        self._path = path
        self._items = {}
        self._changed = self

    def __enter__(self):
        self._file = open(self._path, "a+b")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._file.seek(0)
        content = self._file.read()
        items = json.loads(content) if content else {}
        self._items = {key: value.encode("latin-1") for key, value in items.items()}
        self._before = dict(self._items)

    def __exit__(self, *exc):
        if self._items != self._before:
            self._file.truncate(0)
            items = {key: value.decode("latin-1") for key, value in self._items.items()}
            self._file.write(json.dumps(items).encode())
            self._file.flush()
        self._file.close()

    def notify_all(self):
        pass

    def get(self, key):
        with self:
            return self._items.get(key)

    def count(self):
        with self:
            return len(self._items)

    def keys(self):
        with self:
            return list(self._items)

    def lacks(self, keys, seconds):
        end = time.monotonic() + seconds
        while True:
            with self:
                lacking = [key for key in keys if key not in self._items]
            if not lacking or time.monotonic() >= end:
                return lacking
            time.sleep(0.02)

    def first(self, keys, seconds):
        end = time.monotonic() + seconds
        while True:
            with self:
                found = next((key for key in keys if key in self._items), None)
            if found is not None or time.monotonic() >= end:
                return found
            time.sleep(0.02)


class _Manager(BaseManager):
    """Hands the one shelf of a process to others."""


def _key():
    # A secret that all processes of a run share; without one a store is as open as torch's.
    return os.environ.get("JTORCH_STORE_KEY", "jtorch").encode()


_EXPOSED = ("set", "get", "take", "add", "append", "swap", "lacks", "count", "keys", "push", "pop", "length", "first")


def served(host, port):
    """(a shelf that other processes reach at a host and port, the port). Raises OSError where it is taken."""
    shelf = Shelf()
    manager = type("_Server", (_Manager,), {})
    manager.register("shelf", callable=lambda: shelf, exposed=_EXPOSED)
    server = manager((host, port), _key()).get_server()

    def run():
        try:
            server.serve_forever()
        except SystemExit:
            pass

    threading.Thread(target=run, daemon=True, name="store").start()
    return shelf, server.address[1]


def reached(host, port, seconds):
    """The shelf of another process, None where it does not answer within so many seconds."""
    manager = type("_Client", (_Manager,), {})
    manager.register("shelf")
    end = time.monotonic() + seconds
    while True:
        found = manager((host, port), _key())
        try:
            found.connect()
            return _Remote(found.shelf())
        except (OSError, EOFError):
            if time.monotonic() > end:
                return None
            time.sleep(0.05)


class _Remote:
    """The shelf of another process. Raises DistStoreError where that process has ended."""

    def __init__(self, proxy):
        self._proxy = proxy

    def __getattr__(self, name):
        def ask(*args):
            try:
                return self._proxy._callmethod(name, args)
            except (OSError, EOFError) as error:
                raise DistStoreError(f"the store's process (rank 0) can't be reached any more: {error!r}") from None

        return ask
