"""Stores: a dictionary that several processes see, by which they find each other and wait for each other."""

import fcntl
import json
import os
import secrets
import threading
import time
from datetime import timedelta
from multiprocessing.managers import BaseManager

_DEFAULT = timedelta(seconds=300)


class DistStoreError(RuntimeError):
    """Nobody set what a store was asked to wait for, or the store can't be reached."""


DistStoreError.__module__ = "torch.distributed"


def _bytes(value):
    return value.encode() if isinstance(value, str) else bytes(value)


class _Shelf:
    """A dictionary of bytes whose readers can wait."""

    def __init__(self):
        self._items = {}
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

    def get(self, key):
        return self._items.get(key)

    def take(self, key):
        with self._changed:
            return self._items.pop(key, None)

    def count(self):
        return len(self._items)

    def keys(self):
        return list(self._items)


class Store:
    """torch.distributed.Store: keys are strings, values bytes. https://pytorch.org/docs/stable/distributed.html

    Raises: DistStoreError where a key is not set in time.
    """

    def __init__(self, timeout=_DEFAULT):
        self._timeout = timeout
        self._shelf = _Shelf()

    @property
    def timeout(self):
        """How long get and wait wait."""
        return self._timeout

    def set_timeout(self, timeout):
        """Wait so long from now on."""
        self._timeout = timeout

    def set(self, key, value):
        """Set a key to a string or bytes."""
        self._shelf.set(key, _bytes(value))

    def get(self, key):
        """The value of a key, once somebody has set it."""
        self.wait([key])
        return self._shelf.get(key)

    def take(self, key):
        """The value of a key, which is deleted, once somebody has set it."""
        self.wait([key])
        return self._shelf.take(key)

    def add(self, key, amount):
        """Add to a key that holds a number, 0 at first; the sum."""
        return self._shelf.add(key, int(amount))

    def append(self, key, value):
        """Add bytes to the end of a key's value."""
        self._shelf.append(key, _bytes(value))

    def compare_set(self, key, expected_value, desired_value):
        """Set a key if it has the expected value, or is not there and nothing is expected; its value then."""
        return self._shelf.swap(key, _bytes(expected_value), _bytes(desired_value))

    def check(self, keys):
        """Whether all keys are set."""
        return not self._shelf.lacks(list(keys), 0)

    def wait(self, keys, timeout=None):
        """Wait until all keys are set."""
        seconds = (self._timeout if timeout is None else timeout).total_seconds()
        lacking = self._shelf.lacks(list(keys), seconds)
        if lacking:
            raise DistStoreError(
                f"wait timeout after {round(seconds * 1000)}ms, keys: {', '.join('/' + key for key in lacking)}"
            )

    def delete_key(self, key):
        """Delete a key; whether it was there."""
        return self._shelf.take(key) is not None

    def num_keys(self):
        """How many keys there are."""
        return self._shelf.count()

    def multi_get(self, keys):
        """The values of several keys."""
        return [self.get(key) for key in keys]

    def multi_set(self, keys, values):
        """Set several keys."""
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)


class HashStore(Store):
    """A store for the threads of one process."""


class PrefixStore(Store):
    """A store within another one, whose keys there begin with a prefix."""

    def __init__(self, prefix, store):
        self._prefix, self.underlying_store = prefix, store
        self._timeout = store.timeout
        self._shelf = _Prefixed(prefix + "/", store._shelf)


class _Prefixed:
    def __init__(self, prefix, shelf):
        self._prefix, self._shelf = prefix, shelf

    def __getattr__(self, name):
        whole = getattr(self._shelf, name)
        return lambda key, *rest: whole(self._prefix + key, *rest)

    def lacks(self, keys, seconds):
        start = len(self._prefix)
        return [key[start:] for key in self._shelf.lacks([self._prefix + key for key in keys], seconds)]

    def count(self):
        return self._shelf.count()


class _Manager(BaseManager):
    """Hands the one shelf of a process to others."""


def _key():
    # A secret that all processes of a run share; without one a store is as open as torch's.
    return os.environ.get("JTORCH_STORE_KEY", "jtorch").encode()


class TCPStore(Store):
    """A store in the process that is_master, which the others reach by host and port.

    port 0: any free one, see `port`. Raises: DistStoreError where the master can't be reached in time.
    """

    def __init__(self, host_name, port, world_size=None, is_master=False, timeout=_DEFAULT, wait_for_workers=True,
                 multi_tenant=False, master_listen_fd=None, use_libuv=True):  # fmt: skip
        self._timeout = timeout
        self.host, self.port = host_name, port
        if is_master:
            self._serve()
        else:
            self._connect()
        if wait_for_workers and world_size is not None:
            arrived = self.add("workers", 1)
            if arrived >= world_size:
                self.set("everybody", b"1")
            self.wait(["everybody"])

    def _serve(self):
        shelf = self._shelf = _Shelf()
        manager = type("_Server", (_Manager,), {})
        manager.register("shelf", callable=lambda: shelf, exposed=_EXPOSED)
        try:
            self._server = manager((self.host, self.port), _key()).get_server()
        except OSError as error:
            raise DistStoreError(f"The server could not listen on {self.host}:{self.port}: {error}") from None
        self.port = self._server.address[1]
        threading.Thread(target=self._run, daemon=True, name="store").start()

    def _run(self):
        try:
            self._server.serve_forever()
        except SystemExit:
            pass

    def _connect(self):
        manager = type("_Client", (_Manager,), {})
        manager.register("shelf")
        end = time.monotonic() + self._timeout.total_seconds()
        while True:
            found = manager((self.host, self.port), _key())
            try:
                found.connect()
                self._shelf = _Remote(found.shelf())
                return
            except (OSError, EOFError) as error:
                if time.monotonic() > end:
                    raise DistStoreError(
                        f"The client could not connect to {self.host}:{self.port} within "
                        f"{round(self._timeout.total_seconds() * 1000)}ms: {error}"
                    ) from None
                time.sleep(0.05)


_EXPOSED = ("set", "get", "take", "add", "append", "swap", "lacks", "count", "keys")


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


class FileStore(Store):
    """A store in a file that all processes can write to."""

    def __init__(self, file_name, world_size=-1):
        self._timeout = _DEFAULT
        self.path = file_name
        self._shelf = _FileShelf(file_name)


class _FileShelf(_Shelf):
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

    def lacks(self, keys, seconds):
        end = time.monotonic() + seconds
        while True:
            with self:
                lacking = [key for key in keys if key not in self._items]
            if not lacking or time.monotonic() >= end:
                return lacking
            time.sleep(0.02)


def new_secret():
    """A secret for the stores of one run."""
    return secrets.token_hex(16)
