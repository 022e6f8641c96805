"""Stores do what torch's do: values, counts, timeouts and errors, call by call."""

import os
from datetime import timedelta

import pytest
import torch.distributed

import jtorch.distributed

SIDES = torch.distributed, jtorch.distributed
SHORT = timedelta(milliseconds=40)


def outcome(call):
    """What a call gives, or the class, its bases' names and the text of its error."""
    try:
        return call()
    except Exception as error:
        return [kind.__name__ for kind in type(error).__mro__[:3]], str(error)


def made(kind, dist, folder):
    """A store of a kind."""
    path = os.path.join(folder, f"{kind}-{dist.__name__}")
    return {
        "hash": lambda: dist.HashStore(),
        "file": lambda: dist.FileStore(path, 1),
        "prefix": lambda: dist.PrefixStore("pre", dist.HashStore()),
        "prefix of a file": lambda: dist.PrefixStore("pre", dist.FileStore(path, 1)),
        "tcp": lambda: dist.TCPStore("127.0.0.1", 0, 1, True, timeout=timedelta(seconds=5)),
    }[kind]()


def trials(s):
    """Calls in order, each on what the ones before left."""
    yield from (
        lambda: s.set("a", "1"), lambda: s.get("a"), lambda: s.set("b", b"\x00\xff"), lambda: s.get("b"),
        lambda: s.add("c", 3), lambda: s.add("c", -1), lambda: s.get("c"),
        lambda: s.compare_set("d", "x", "y"), lambda: s.compare_set("d", "", "y"), lambda: s.compare_set("d", "", "z"),
        lambda: s.compare_set("d", "y", "z"), lambda: s.compare_set("d", "y", "w"), lambda: s.get("d"),
        lambda: s.check(["a", "d"]), lambda: s.check(["a", "nope"]), lambda: s.wait(["a", "d"]),
        lambda: s.wait(["a", "nope"], SHORT), lambda: s.wait(["nope1", "nope"], SHORT),
        lambda: s.delete_key("a"), lambda: s.delete_key("a"), lambda: s.check(["a"]),
        lambda: s.timeout, lambda: s.set_timeout(SHORT), lambda: s.timeout, lambda: s.get("never"),
        lambda: s.set_timeout(timedelta(seconds=30)),
        lambda: s.append("e", "ab"), lambda: s.append("e", "cd"), lambda: s.get("e"),
        lambda: s.multi_set(["m1", "m2"], ["1", "2"]), lambda: s.multi_get(["m1", "m2"]), lambda: s.has_extended_api(),
        lambda: s.queue_push("q", "v"), lambda: s.queue_push("q", "w"), lambda: s.queue_len("q"),
        lambda: s.queue_pop("q"), lambda: s.queue_pop("q"), lambda: s.queue_pop("q", False),
        lambda: s.set_timeout(SHORT), lambda: s.queue_pop("q"), lambda: s.set_timeout(timedelta(seconds=30)),
        lambda: s.queue_len("q"), lambda: isinstance(s.clone(), type(s)), lambda: s.clone().get("e"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["hash", "file", "prefix", "prefix of a file", "tcp"])
def test_calls(kind, tmp_path):
    found = [[outcome(call) for call in trials(made(kind, dist, tmp_path))] for dist in SIDES]
    for number, (theirs, ours) in enumerate(zip(*found, strict=True)):
        assert theirs == ours, f"{kind}: call {number}"


@pytest.mark.parametrize("kind", ["hash", "file", "prefix"])
def test_wrong_arguments_and_keys(kind, tmp_path):
    for dist in SIDES:
        s = made(kind, dist, tmp_path)
        for call in (lambda: s.set("i", 3), lambda: s.set(3, "x"), lambda: s.add("a", "x"), lambda: s.get()):  # noqa: B023
            with pytest.raises(TypeError, match="incompatible function arguments|missing 1 required"):
                call()
        s.set("word", "hello")
        with pytest.raises(ValueError):
            s.add("word", 1)
        s.set("a", "b")
        s.delete_key("word")
        assert s.check(["a"]) and not s.check(["word"])


def test_another_client_sees_the_masters_keys_and_both_name_a_host_that_is_not_there():
    found = []
    for dist in SIDES:
        master = dist.TCPStore("127.0.0.1", 0, 1, True, timeout=timedelta(seconds=5))
        other = dist.TCPStore("127.0.0.1", master.port, 1, False, timeout=timedelta(seconds=5))
        master.set("a", "1")
        lines = [other.get("a"), other.add("n", 2), master.add("n", 3), master.host, master.port > 0, other.num_keys()]
        lines += [outcome(lambda: other.wait(["x"], SHORT)), other.timeout]  # noqa: B023
        for given in ((1, 2, False), (master.port, 2, True)):
            lines.append(outcome(lambda: dist.TCPStore("127.0.0.1", *given, timeout=SHORT)))  # noqa: B023
        lines[-1] = lines[-1][0], lines[-1][1].replace(str(master.port), "PORT")
        found.append(lines)
    # The texts of torch end with a traceback of C++.
    for theirs, ours in zip(*found, strict=True):
        if isinstance(ours, tuple):
            assert theirs[0] == ours[0] and theirs[1].startswith(ours[1])
        else:
            assert theirs == ours


def test_a_master_waits_for_its_workers():
    # The words of torch, which on a busy machine may end in its first look at the key instead.
    with pytest.raises(jtorch.distributed.DistStoreError, match="Timed out after 1 seconds .* 1/2 clients joined"):
        jtorch.distributed.TCPStore("127.0.0.1", 0, 2, True, timeout=SHORT)


def test_a_file_is_seen_by_another_store_of_the_same_path(tmp_path):
    for dist in SIDES:
        path = str(tmp_path / dist.__name__)
        one, other = dist.FileStore(path, 2), dist.FileStore(path, 2)
        one.set("k", "v")
        assert other.get("k") == b"v" and other.path == path
