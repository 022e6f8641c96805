"""What load and save refuse, and where they put things, beside torch."""

import collections
import io
import os
import pickle
import stat

import pytest
import torch

import jtorch
from tests.oracle import same, same_error, same_print


class Command:
    """A pickle of it would run a command."""

    def __reduce__(self):
        return os.system, ("false",)


def saved(obj, **options):
    """The bytes of an object that torch saved."""
    buffer = io.BytesIO()
    torch.save(obj, buffer, **options)
    return buffer.getvalue()


GOOD, EVIL = saved(torch.ones(3)), saved({"x": Command()})
OLD_EVIL = saved({"x": Command()}, _use_new_zipfile_serialization=False)
MODULE = saved(torch.nn.Linear(1, 1))


def mixed(torch):
    a = torch.ones(4)
    torch.save([a, a.view(torch.int32)], io.BytesIO())


REFUSED = {
    "a command": lambda torch: torch.load(io.BytesIO(EVIL)),
    "a command in an old file": lambda torch: torch.load(io.BytesIO(OLD_EVIL)),
    "a module": lambda torch: torch.load(io.BytesIO(MODULE)),
    "nothing": lambda torch: torch.load(io.BytesIO(b"")),
    "no file": lambda torch: torch.load("no/such/file.pt"),
    "no folder": lambda torch: torch.save(1, "/no/such/folder/file.pt"),
    "nothing to write to": lambda torch: torch.save(1, 3),
    "nothing to read from": lambda torch: torch.load(3),
    "mmap of a buffer": lambda torch: torch.load(io.BytesIO(GOOD), mmap=True),
    "mmap of an old file": lambda torch: torch.load(io.BytesIO(OLD_EVIL), mmap=True),
    "no gpu": lambda torch: torch.load(io.BytesIO(GOOD), map_location="cuda"),
    "no such gpu": lambda torch: torch.load(io.BytesIO(GOOD), map_location=torch.device("cuda", 3)),
    "no such place": lambda torch: torch.load(io.BytesIO(GOOD), map_location="elsewhere"),
    "a module to pickle with": lambda torch: torch.load(io.BytesIO(GOOD), pickle_module=pickle, weights_only=True),
    "globals of another file": lambda torch: torch.serialization.get_unsafe_globals_in_checkpoint(
        io.BytesIO(b"abcdef")
    ),
    "byte order": lambda torch: torch.serialization.set_default_load_endianness("little"),
    "flags": lambda torch: torch.serialization.set_default_mmap_options(3),
    "two dtypes": mixed,
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refusals(call):
    same_error(call)


PLACES = {
    "as it was": None,
    "cpu": "cpu",
    "a dict": {"cpu": "cpu"},
    "an empty dict": {},
    "meta": "meta",
    "the storage": lambda storage, location: storage,
    "no answer": lambda storage, location: None,
    "a moved storage": lambda storage, location: storage.cpu(),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_map_location(place):
    same_print(lambda torch: torch.load(io.BytesIO(GOOD), map_location=place))


def test_a_function_is_told_the_place_and_the_size():
    def asked(torch):
        seen = []
        torch.load(io.BytesIO(GOOD), map_location=lambda s, where: seen.append((where, s.nbytes(), str(s.device))) or s)
        return seen

    assert asked(jtorch) == asked(torch)


def test_globals_of_a_file():
    for data in (EVIL, GOOD):
        one, other = (m.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(data)) for m in (jtorch, torch))
        assert one == other


def test_trust_runs_what_the_file_asks_for():
    assert jtorch.load(io.BytesIO(EVIL), weights_only=False) == torch.load(io.BytesIO(EVIL), weights_only=False)


def test_the_environment_decides(monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
    same_error(lambda torch: torch.load(io.BytesIO(EVIL), weights_only=False))
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    same_error(lambda torch: torch.load(io.BytesIO(GOOD)))
    monkeypatch.delenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    with pytest.warns(UserWarning, match="forcing weights_only=False"):
        assert jtorch.load(io.BytesIO(GOOD)).tolist() == [1, 1, 1]


class Breaks:
    """An object in the middle of whose pickling something goes wrong."""

    def __reduce__(self):
        raise KeyError("no")


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    jtorch.save(jtorch.ones(2), path)
    os.chmod(path, 0o640)
    with pytest.raises(KeyError):
        jtorch.save([jtorch.zeros(3), Breaks()], path)
    assert jtorch.load(path).tolist() == [1, 1]

    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            jtorch.save(jtorch.zeros(3), path)
    assert jtorch.load(path).tolist() == [1, 1]
    assert os.listdir(tmp_path) == ["model.pt"]
    jtorch.save(jtorch.zeros(3), path)
    assert jtorch.load(path).tolist() == [0, 0, 0]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.pt").write_bytes(b"")
    (tmp_path / "link.pt").symlink_to("real.pt")
    jtorch.save(jtorch.ones(2), tmp_path / "link.pt")
    assert (tmp_path / "link.pt").is_symlink() and jtorch.load(tmp_path / "real.pt").tolist() == [1, 1]


@pytest.mark.parametrize("place", [lambda storage, place: 1 / 0, 3], ids=["zero", "number"])
def test_errors_of_the_callers_own_are_not_the_files(place):
    def run(torch):
        buffer = io.BytesIO()
        torch.save(torch.ones(2), buffer)
        buffer.seek(0)
        torch.load(buffer, map_location=place)

    same_error(run)


@pytest.mark.parametrize("allowed", [(), (list,), (list, collections.defaultdict)], ids=len)
def test_names_of_python_2_are_those_of_python_3(allowed):
    def run(torch):
        buffer = io.BytesIO()
        torch.save(collections.defaultdict(list, {1: [2]}), buffer)
        buffer.seek(0)
        with torch.serialization.safe_globals(allowed):
            torch.load(buffer)

    same_error(run)


def test_a_builtin_that_is_allowed():
    def run(torch):
        buffer = io.BytesIO()
        torch.save([len, {"a": range(3)}], buffer)
        buffer.seek(0)
        names = torch.serialization.get_unsafe_globals_in_checkpoint(buffer)
        buffer.seek(0)
        with torch.serialization.safe_globals([len, range]):
            return sorted(names), torch.load(buffer)[1]

    same(run)
