"""Stores: a dictionary that several processes see, by which they find each other and wait for each other."""

import copy
import errno
import os
import secrets
import time
from datetime import timedelta

from jtorch.groups.shelves import DistError, DistStoreError, FileShelf, Prefixed, Shelf, reached, served

_DEFAULT = timedelta(seconds=300)


class DistBackendError(DistError):
    """A collective went wrong."""


class DistNetworkError(DistError):
    """A host and port could not be reached, or not be listened on."""


class QueueEmptyError(DistStoreError):
    """There is nothing in a store's queue."""


for _error in (DistBackendError, DistNetworkError, QueueEmptyError):
    _error.__module__ = "torch.distributed"


def _bytes(value, name="set"):
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"{name}(): incompatible function arguments: a str or bytes is wanted, not {value!r}")
    return value.encode() if isinstance(value, str) else value


def _key_of(value, name):
    if not isinstance(value, str):
        raise TypeError(f"{name}(): incompatible function arguments: a key is a str, not {value!r}")
    return value


class Store:
    """torch.distributed.Store: keys are strings, values bytes. https://pytorch.org/docs/stable/distributed.html

    Raises: DistStoreError where a key is not set in time.
    """

    def __init__(self, timeout=_DEFAULT):
        self._timeout = timeout
        self._shelf = Shelf()

    @property
    def timeout(self):
        """How long get and wait wait."""
        return self._timeout

    def set_timeout(self, timeout):
        """Wait so long from now on."""
        self._timeout = timeout

    def set(self, key, value):
        """Set a key to a string or bytes."""
        self._shelf.set(_key_of(key, "set"), _bytes(value))

    def get(self, key):
        """The value of a key, once somebody has set it."""
        self._await([_key_of(key, "get")], self._timeout, True)
        return self._shelf.get(key)

    def take(self, key):
        """The value of a key, which is deleted, once somebody has set it."""
        self._await([key], self._timeout, True)
        return self._shelf.take(key)

    def add(self, key, amount):
        """Add to a key that holds a number, 0 at first; the sum. Raises ValueError where it holds something else."""
        if not hasattr(amount, "__index__") and not isinstance(amount, float):
            raise TypeError(f"add(): incompatible function arguments: a whole number is wanted, not {amount!r}")
        return self._shelf.add(_key_of(key, "add"), int(amount))

    def append(self, key, value):
        """Add bytes to the end of a key's value."""
        self._shelf.append(_key_of(key, "append"), _bytes(value, "append"))

    def compare_set(self, key, expected_value, desired_value):
        """Set a key if it has the expected value, or is not there and nothing is expected; its value then."""
        key = _key_of(key, "compare_set")
        return self._shelf.swap(key, _bytes(expected_value, "compare_set"), _bytes(desired_value, "compare_set"))

    def check(self, keys):
        """Whether all keys are set."""
        return not self._shelf.lacks(list(keys), 0)

    def wait(self, keys, timeout=None):
        """Wait until all keys are set."""
        self._await(list(keys), self._timeout if timeout is None else timeout, False)

    def first(self, keys, timeout):
        """The first of these keys that is set, None where none is in time."""
        return self._shelf.first(list(keys), timeout.total_seconds())

    def _await(self, keys, timeout, one):
        """Raise after so long. one: somebody asks for the value of one key."""
        if self._shelf.lacks(keys, timeout.total_seconds()):
            raise self._late(keys, round(timeout.total_seconds() * 1000), one)

    def _late(self, keys, milliseconds, one):
        return DistStoreError("Wait timeout")

    def delete_key(self, key):
        """Delete a key; whether it was there."""
        return self._shelf.take(key) is not None

    def num_keys(self):
        """How many keys there are."""
        return self._shelf.count()

    def list_keys(self):
        """The keys that there are."""
        return self._shelf.keys()

    def has_extended_api(self):
        """Whether append, multi_get and multi_set are done at once, and there are queues."""
        return True

    def multi_get(self, keys):
        """The values of several keys."""
        return [self.get(key) for key in keys]

    def multi_set(self, keys, values):
        """Set several keys."""
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)

    def queue_push(self, key, value):
        """Put a value at the end of a queue."""
        self._queues().push(key, _bytes(value, "queue_push"))

    def queue_pop(self, key, block=True):
        """The first value of a queue, taken out. Raises QueueEmptyError where there is none and block is False."""
        found = self._queues().pop(key, self._timeout.total_seconds() if block else 0)
        if found is None:
            raise (
                self._late([key], round(self._timeout.total_seconds() * 1000), True)
                if block
                else QueueEmptyError("queue is empty")
            )
        return found

    def queue_len(self, key):
        """How many values are in a queue."""
        return self._queues().length(key)

    def _queues(self):
        if not self.has_extended_api():
            raise NotImplementedError("queue support is not implemented.")
        return self._shelf

    def clone(self):
        """A store of the same keys, with a timeout of its own."""
        return copy.copy(self)


class HashStore(Store):
    """A store for the threads of one process."""

    def clone(self):
        """The same store."""
        return self


class PrefixStore(Store):
    """A store within another one, whose keys there begin with a prefix."""

    def __init__(self, prefix, store):
        self._prefix, self.underlying_store = prefix, store
        self._shelf = Prefixed(prefix + "/", store._shelf)

    @property
    def timeout(self):
        """That of the store within which it is."""
        return self.underlying_store.timeout

    @property
    def _timeout(self):
        return self.underlying_store.timeout

    def set_timeout(self, timeout):
        """Let the store within which it is wait so long from now on."""
        self.underlying_store.set_timeout(timeout)

    def _late(self, keys, milliseconds, one):
        return self.underlying_store._late([f"{self._prefix}/{key}" for key in keys], milliseconds, one)

    def has_extended_api(self):
        """As the store within which it is."""
        return self.underlying_store.has_extended_api()

    def delete_key(self, key):
        """Delete a key; whether it was there."""
        return self.underlying_store.delete_key(f"{self._prefix}/{key}")

    def num_keys(self):
        """How many keys the store within which it is has."""
        return self.underlying_store.num_keys()

    def list_keys(self):
        """The keys that begin with the prefix, without it."""
        start = len(self._prefix) + 1
        return [key[start:] for key in self.underlying_store.list_keys() if key.startswith(f"{self._prefix}/")]


class TCPStore(Store):
    """A store in the process that is_master, which the others reach by host and port.

    port 0: any free one, see `port`. Raises: DistNetworkError where the master can't be reached in time or the port is
    taken; DistStoreError where the master waits in vain for world_size processes.
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
            self._shelf.add("init/", 1)
            if is_master:
                self._await_workers(world_size)

    def _await_workers(self, world_size):
        # torch: the master alone waits; the others find it there.
        seconds = self._timeout.total_seconds()
        end = time.monotonic() + seconds
        while (arrived := self._shelf.add("init/", 0)) < world_size:
            if time.monotonic() > end:
                raise DistStoreError(
                    f"Timed out after {max(1, round(seconds))} seconds waiting for clients. "
                    f"{arrived}/{world_size} clients joined."
                )
            time.sleep(0.01)

    def _late(self, keys, milliseconds, one):
        return DistStoreError(f"wait timeout after {milliseconds}ms, keys: {', '.join('/' + key for key in keys)}")

    def _serve(self):
        try:
            self._shelf, self.port = served(self.host, self.port)
        except OSError as error:
            raise DistNetworkError(
                "The server socket has failed to listen on any local network address. "
                f"port: {self.port}, useIpv6: false, code: -{error.errno}, "
                f"name: {errno.errorcode.get(error.errno)}, message: {os.strerror(error.errno).lower()}"
            ) from None

    def _connect(self):
        self._shelf = reached(self.host, self.port, self._timeout.total_seconds())
        if self._shelf is None:
            raise DistNetworkError(
                f"The client socket has timed out after {round(self._timeout.total_seconds() * 1000)}ms while trying "
                f"to connect to ({self.host}, {self.port})."
            )


class FileStore(Store):
    """A store in a file that all processes can write to."""

    def __init__(self, file_name, world_size=-1):
        self._timeout = _DEFAULT
        self.path = file_name
        self._shelf = FileShelf(file_name)

    def _late(self, keys, milliseconds, one):
        # torch: another class and, for get, another text than the other stores have.
        return RuntimeError(f"Timeout waiting for key: {keys[0]} after {milliseconds} ms" if one else "Wait timeout")

    def has_extended_api(self):
        """Whether there are queues: no."""
        return False

    def delete_key(self, key):
        """Delete a key; True."""
        self._shelf.take(key)
        return True  # torch: whether it was there or not


def new_secret():
    """A secret for the stores of one run."""
    return secrets.token_hex(16)
