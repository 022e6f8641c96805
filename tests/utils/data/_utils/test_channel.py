"""Channels: messages of any length, with any number of files, and an end that is gone."""

import os
import threading

import pytest

from jtorch.utils.data._utils.channel import Channel


def test_messages_and_files_arrive_in_order():
    here, there = Channel.pair()
    files = [os.memfd_create(f"file {i}") for i in range(150)]
    sent = [(b"", ()), (b"small", files[:1]), (os.urandom(1 << 20), files), (b"x" * 5000, files[:64])]
    sender = threading.Thread(target=lambda: [here.send(body, list(names)) for body, names in sent])
    sender.start()
    for body, names in sent:
        came, got = there.receive()
        assert came == body
        assert [os.readlink(f"/proc/self/fd/{fd}") for fd in got] == [
            os.readlink(f"/proc/self/fd/{fd}") for fd in names
        ]
        for fd in got:
            os.close(fd)
    sender.join()
    for fd in files:
        os.close(fd)


def test_an_end_that_is_gone():
    here, there = Channel.pair()
    kept = Channel.of(os.dup(there.fileno()))  # as a fork of the process may hold it
    there.hang_up()
    with pytest.raises(EOFError):
        here.receive()
    with pytest.raises(EOFError):
        for _ in range(100):
            here.send(b"x" * 10_000)
    kept.close()
    here.close()
