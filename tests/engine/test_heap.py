"""What the C library is told about freed memory, and when it is left alone."""

import types

import pytest

from jtorch.engine import heap


@pytest.fixture
def told(monkeypatch):
    """The options that are set, in a process without settings."""
    found = []
    for name in ("JTORCH_KEEP_FREED", "GLIBC_TUNABLES", "MALLOC_ARENA_MAX_"):
        monkeypatch.delenv(name, raising=False)
    library = types.SimpleNamespace(mallopt=lambda *option: found.append(option))
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: library)
    return found


def test_freed_memory_is_kept(told):
    heap.keep_freed()
    assert dict(told) == {-4: 0, -1: 2**31 - 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [("JTORCH_KEEP_FREED", "0"), ("GLIBC_TUNABLES", "glibc.malloc.arena_max=4"), ("MALLOC_TRIM_THRESHOLD_", "1")],
)
def test_a_users_settings_stay(told, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    heap.keep_freed()
    assert told == []


def test_threads_share_an_arena_when_asked(told, monkeypatch):
    monkeypatch.setenv("JTORCH_KEEP_FREED", "1")
    heap.keep_freed()
    assert dict(told) == {-8: 1, -4: 0, -1: 2**31 - 1}


def test_another_c_library_is_left_alone(told, monkeypatch):
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: types.SimpleNamespace())
    heap.keep_freed()
    assert told == []
