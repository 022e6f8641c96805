"""Files written by one library and read by the other: zip and the format before it, safely and with trust."""

import io
import pathlib
import pickle
import pickletools
import warnings
import zipfile

import numpy as np
import pytest
import torch

import jtorch
from jtorch.serialization.pickling import QuickPickler, _Renamed
from tests.serialization.contents import assert_same, everything

WAYS = {"to torch": (jtorch, torch), "from torch": (torch, jtorch), "to itself": (jtorch, jtorch)}


def through(source, target, obj, *, load=(), **options):
    """An object saved by one library and loaded by another."""
    buffer = io.BytesIO()
    source.save(obj, buffer, **options)
    buffer.seek(0)
    return target.load(buffer, **dict(load))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("weights_only", [True, False], ids=["safe", "trusting"])
def test_everything_is_the_same(way, legacy, weights_only):
    source, target = way
    loaded = through(
        source, target, everything(source, legacy), load={"weights_only": weights_only}.items(),
        _use_new_zipfile_serialization=not legacy,
    )  # fmt: skip
    assert_same(loaded, everything(target, legacy))
    a, part, turned, *_ = loaded["shared"]
    a[1, 0] = 100
    assert part[0, 0].item() == 100 and turned[0, 1].item() == 100
    assert loaded["shared"][0].untyped_storage().nbytes() == 48


MODULES = {
    "linear": (lambda torch: torch.nn.Linear(3, 2), (5, 3)),
    "conv": (
        lambda torch: torch.nn.Sequential(
            torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Dropout()
        ),
        (2, 1, 5, 5),
    ),
    "lstm": (lambda torch: torch.nn.LSTM(3, 2, bidirectional=True), (4, 2, 3)),
    "encoder": (lambda torch: torch.nn.TransformerEncoderLayer(4, 2, 8), (3, 2, 4)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("name", MODULES)
def test_whole_modules(way, name):
    source, target = way
    make, shape = MODULES[name]
    source.manual_seed(0)
    module = make(source).eval()
    loaded = through(source, target, module, load={"weights_only": False}.items())
    x = np.random.default_rng(0).standard_normal(shape, np.float32)

    def run(torch, module):
        out = module(torch.from_numpy(x))
        return (out[0] if name == "lstm" else out).detach().numpy()

    np.testing.assert_allclose(run(target, loaded), run(source, module), rtol=1e-4, atol=1e-5)
    called = []
    loaded.register_forward_hook(lambda *_: called.append(True))
    run(target, loaded)
    assert called == [True]


def test_a_file_is_laid_out_as_torchs(tmp_path):
    obj = {"a": 1}
    names, data = [], []
    for module in (torch, jtorch):
        path = tmp_path / "name.pt"
        module.save({**obj, "t": module.ones(3), "u": module.arange(4)}, path)
        with zipfile.ZipFile(path) as archive:
            names.append(sorted(archive.namelist()))
            data.append({n: archive.read(n) for n in names[-1] if "serialization_id" not in n and "data.pkl" not in n})
            for info in archive.infolist():
                with open(path, "rb") as file:
                    file.seek(info.header_offset + 26)
                    sizes = np.frombuffer(file.read(4), np.uint16)
                assert (info.header_offset + 30 + int(sizes.sum())) % 64 == 0, info.filename
    assert names[0] == names[1]
    assert data[0] == data[1]


def test_paths_objects_and_positions(tmp_path):
    t = jtorch.arange(5.0)
    for path in (tmp_path / "a.pt", str(tmp_path / "b.pt")):
        jtorch.save(t, path)
        assert jtorch.load(path).tolist() == t.tolist()
    with open(tmp_path / "c.pt", "wb") as file:
        jtorch.save(t, file)
    with open(tmp_path / "c.pt", "rb") as file:
        assert jtorch.load(file).tolist() == t.tolist()
    buffer = io.BytesIO(b"front")
    buffer.seek(5)
    torch.save(torch.arange(5.0), buffer)
    buffer.seek(5)
    assert jtorch.load(buffer).tolist() == t.tolist()

    class Pipe:
        def __init__(self):
            self.parts = []

        def write(self, data):
            self.parts.append(bytes(data))

        def flush(self):
            pass

    pipe = Pipe()
    jtorch.save(t, pipe)
    assert torch.load(io.BytesIO(b"".join(pipe.parts))).tolist() == t.tolist()


def test_several_objects_one_after_another_in_the_old_format():
    buffer = io.BytesIO()
    for n in range(3):
        jtorch.save(jtorch.full((2,), n), buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    assert [jtorch.load(buffer).tolist() for _ in range(3)] == [[0, 0], [1, 1], [2, 2]]


def test_a_mapped_file_is_read_when_it_is_used(tmp_path):
    path = tmp_path / "big.pt"
    jtorch.save({"a": jtorch.arange(1000.0), "e": jtorch.empty(0)}, path)
    loaded = jtorch.load(path, mmap=True)
    assert loaded["a"][10].item() == 10 and loaded["e"].numel() == 0
    loaded["a"][10] = 5
    assert jtorch.load(path)["a"][10].item() == 10


def test_other_protocols_and_pickle_modules():
    t = jtorch.arange(3.0)
    for protocol in (2, 3, 4, 5):
        loaded = through(jtorch, jtorch, {"t": t}, pickle_protocol=protocol, load={"weights_only": False}.items())
        assert loaded["t"].tolist() == t.tolist()
        assert through(jtorch, torch, {"t": t}, pickle_protocol=protocol, load={"weights_only": False}.items())

    class Module:
        Pickler, Unpickler = pickle.Pickler, pickle.Unpickler

    loaded = through(jtorch, jtorch, [t, t], pickle_module=Module, load={"pickle_module": Module}.items())
    assert loaded[0].tolist() == t.tolist() and loaded[0] is loaded[1]


def test_a_file_in_the_other_byte_order():
    buffer = io.BytesIO()
    jtorch.save([jtorch.tensor([1.5, 2.5]), jtorch.tensor([1 + 2j])], buffer)
    swapped = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(swapped, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("byteorder"):
                data = b"big"
            elif "/data/" in name:
                data = np.frombuffer(data, np.float32).byteswap().tobytes()
            new.writestr(name, data)
    swapped.seek(0)
    loaded = jtorch.load(swapped)
    assert loaded[0].tolist() == [1.5, 2.5] and loaded[1].tolist() == [1 + 2j]


def test_classes_that_are_allowed():
    path = pathlib.PurePosixPath("folder/file")
    for source, target in WAYS.values():
        with target.serialization.safe_globals([pathlib.PurePosixPath]):
            assert pathlib.PurePosixPath in target.serialization.get_safe_globals()
            assert through(source, target, path) == path
        assert pathlib.PurePosixPath not in target.serialization.get_safe_globals()
    jtorch.serialization.add_safe_globals([(pathlib.PurePosixPath, "pathlib.PurePosixPath")])
    assert through(jtorch, jtorch, path) == path
    jtorch.serialization.clear_safe_globals()
    with pytest.raises(pickle.UnpicklingError):
        through(jtorch, jtorch, path)


class Scaled(jtorch.Tensor):
    """A subclass of Tensor, at a place where pickle finds it."""


def test_subclasses():
    made = jtorch.ones(2).as_subclass(Scaled)
    made.factor = 3
    loaded = through(jtorch, jtorch, made, load={"weights_only": False}.items())
    assert type(loaded) is Scaled and loaded.factor == 3 and loaded.tolist() == [1, 1]
    with jtorch.serialization.safe_globals([Scaled]):
        assert type(through(jtorch, jtorch, made)) is Scaled


def test_room_without_numbers():
    buffer = io.BytesIO()
    with jtorch.serialization.skip_data():
        jtorch.save(jtorch.ones(3), buffer)
    buffer.seek(0)
    assert jtorch.load(buffer).shape == (3,)


def test_no_warning_on_the_way():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        through(jtorch, jtorch, everything(jtorch))


def test_conjugates_and_signs_that_torch_left_to_be_done():
    x = torch.tensor([[1 + 2j, 3 - 4j], [5j, 6]])
    for made in (x.conj(), x.conj().imag, x.t().conj()[0], torch.nn.Parameter(x.conj())):
        loaded = through(torch, jtorch, made)
        assert loaded.tolist() == made.tolist() and loaded.requires_grad == made.requires_grad and loaded.is_leaf
        assert through(jtorch, torch, loaded).tolist() == made.tolist()


def test_files_without_checksums_or_data():
    torch.serialization.set_crc32_options(False)
    try:
        assert through(torch, jtorch, torch.arange(3.0)).tolist() == [0, 1, 2]
    finally:
        torch.serialization.set_crc32_options(True)
    with torch.serialization.skip_data():
        assert through(torch, jtorch, torch.ones(3)).shape == (3,)


def test_globals_are_written_by_name_in_either_pickler():
    """C's pickler writes what torch's files hold; Python's has what it cannot: the same objects come of both."""
    shared = jtorch.arange(3.0)
    text = "cjtorch.serialization.names\n_0_0\n"
    plain = {
        "tensors": [shared, shared[1:], jtorch.ones(2, dtype=jtorch.uint16)], "size": shared.shape,
        "device": jtorch.device("cuda", 1), "parameter": jtorch.nn.Parameter(shared), "text": [text, text],
    }  # fmt: skip
    named = {**plain, "dtype": jtorch.float16, "class": jtorch.nn.Linear}
    for obj in (plain, named):
        for protocol in (2, 4):
            buffer = io.BytesIO()
            jtorch.save(obj, buffer, pickle_protocol=protocol)
            with zipfile.ZipFile(buffer) as archive:
                ops = pickletools.genops(archive.read("archive/data.pkl"))
            homes = {argument.split(".")[0].split(" ")[0] for op, argument, _ in ops if op.name == "GLOBAL"}
            assert homes == ({"torch", "collections"} if protocol == 2 else set())
            buffer.seek(0)
            loaded = torch.load(buffer, weights_only=False)
            assert loaded["text"] == [text, text] and loaded["size"] == torch.Size([3])
            assert loaded["parameter"].data_ptr() == loaded["tensors"][0].data_ptr()
    with pytest.raises(_Renamed):
        pickled_by_c(named)
    assert pickled_by_c(plain)


def pickled_by_c(obj):
    """The pickle that C's pickler makes. Raises: _Renamed where it is left to Python's."""
    file = io.BytesIO()
    pickler = QuickPickler(file, 2)
    pickler.begin(lambda *facts: facts)
    pickler.dump(obj)
    return file.getvalue()
