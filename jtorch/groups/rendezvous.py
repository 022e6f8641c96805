"""How processes find each other: what an init_method says, and the store that it leads to."""

import atexit
import os
import urllib.parse
from datetime import timedelta

from jtorch.groups.store import FileStore, HashStore, TCPStore

DEFAULT_TIMEOUT = timedelta(minutes=30)


def rendezvous(url, rank=-1, world_size=-1, timeout=DEFAULT_TIMEOUT):
    """(store, rank, number of processes) of an init_method."""
    if not isinstance(url, str):
        raise RuntimeError(f"`url` must be a string. {type(url)}: {url}")
    parts = urllib.parse.urlparse(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    rank = int(query.get("rank", rank))
    world_size = int(query.get("world_size", world_size))
    if parts.scheme == "env":
        rank = _from_env("RANK") if rank < 0 else rank
        world_size = _from_env("WORLD_SIZE") if world_size < 0 else world_size
        host, port = os.environ.get("MASTER_ADDR"), os.environ.get("MASTER_PORT")
        if host is None or port is None:
            _from_env("MASTER_ADDR" if host is None else "MASTER_PORT")
        return _tcp(host, int(port), rank, world_size, timeout), rank, world_size
    if parts.scheme not in ("tcp", "file"):
        raise RuntimeError(f"No rendezvous handler for {parts.scheme}://")
    needed = [("port number missing", parts.port)] if parts.scheme == "tcp" else [("path missing", parts.path)]
    needed += [("rank parameter missing", rank >= 0), ("world size parameter missing", world_size >= 0)]
    for lack, there in needed:
        if not there:
            raise ValueError(f"Error initializing torch.distributed using {parts.scheme}:// rendezvous: {lack}")
    if parts.scheme == "file":
        if rank == 0:
            atexit.register(_forget, parts.path)
        return FileStore(parts.path, world_size), rank, world_size
    return _tcp(parts.hostname, parts.port, rank, world_size, timeout), rank, world_size


def _forget(path):
    """Remove a store's file, so that another run may use its name."""
    if os.path.exists(path):
        os.remove(path)


def _tcp(host, port, rank, world_size, timeout):
    if world_size == 1:
        return HashStore(timeout)
    return TCPStore(host, port, world_size, rank == 0, timeout, wait_for_workers=False)


def _from_env(name):
    value = os.environ.get(name)
    if value is None:
        raise ValueError(
            f"Error initializing torch.distributed using env:// rendezvous: environment variable {name} expected, but "
            "not set"
        )
    return int(value)
