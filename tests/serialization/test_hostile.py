"""Files that are damaged or meant to do harm: each gives a clear error or a tensor, runs nothing, takes little."""

import copy
import io
import os
import pickle
import random
import resource
import struct
import time
import zipfile
import zlib
from collections import OrderedDict

import numpy as np
import pytest

import jtorch

# Each tuple holds the one before it twice: to look through all of it takes 2**50 steps.
DOUBLING = b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(50))
ALLOWED = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError)


def good(legacy=False):
    """A checkpoint of a small model."""
    buffer = io.BytesIO()
    model = jtorch.nn.Sequential(jtorch.nn.Linear(4, 3), jtorch.nn.Linear(3, 2))
    state = {"model": model.state_dict(), "step": 3, "names": ["a", "b"]}
    jtorch.save(state, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def with_pickle(pickled, data=b"\0" * 48, entry="archive/data/0", **more):
    """A zip file with a pickle and one storage."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        archive.writestr(entry, data, more.get("compress"))
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def tensor(size, stride, offset=0, count=12, key="0", kind="FloatStorage", place="cpu"):
    """The pickle of one tensor with any numbers."""

    def text(value):
        data = value.encode()
        return b"X" + struct.pack("<I", len(data)) + data

    def numbers(values):
        packed = (b"J" + struct.pack("<i", v) if abs(v) < 2**31 else b"\x8a\x08" + struct.pack("<q", v) for v in values)
        return b"(" + b"".join(packed) + b"t"

    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text(place)
    storage += b"\x8a\x08" + struct.pack("<q", count) + b"tQ"
    head = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
    rest = b"\x8a\x08" + struct.pack("<q", offset) + numbers(size) + numbers(stride)
    return head + storage + rest + b"\x89ccollections\nOrderedDict\n)RtR."


class Call:
    """What pickles as a call."""

    def __init__(self, func, *args):
        self.func, self.args = func, args

    def __reduce__(self):
        return self.func, self.args


def crafted(marker):
    """Files made by hand, by what they try."""
    touch = f"open({str(marker)!r}, 'w').close()"
    shell = f"touch {marker}"
    calls = {
        "system": Call(os.system, shell),
        "eval": Call(eval, touch),
        "exec": Call(exec, touch),
        "import": Call(__import__, "this"),
        "getattr": Call(getattr, Call(__import__, "os"), "system"),
        "open": Call(open, str(marker), "w"),
        "bytes": Call(bytes, 10**9),
        "a bytearray of a size": Call(bytearray, 10**12),
        "map": Call(map, print, [1]),
        "a type": Call(type, "X", (), {}),
        "a state": Call(OrderedDict, Call(os.getenv, "HOME")),
        "torch.load again": Call(jtorch.load, str(marker)),
        "save": Call(jtorch.save, 1, str(marker)),
        "a module": jtorch.nn.Linear(2, 2),
    }
    files = {f"call of {name}": with_pickle(pickle.dumps(call, 2)) for name, call in calls.items()}
    files |= {f"old call of {name}": b"".join(old(call)) for name, call in calls.items()}
    files |= {f"protocol {n}": with_pickle(pickle.dumps(calls["system"], n)) for n in (0, 1, 3, 4, 5)}
    raw = {
        "blocked module": b"\x80\x02cos\nsystem\n.",
        "sys": b"\x80\x02csys\nexit\n)R.",
        "inst": b"\x80\x02(S'true'\nios\nsystem\n.",
        "obj": b"\x80\x02(cos\nsystem\nS'true'\no.",
        "ext": b"\x80\x02\x82\x01.",
        "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        "dotted": b"\x80\x02ctorch\nsave.__globals__\n.",
        "attribute of an allowed one": b"\x80\x02ccollections\nOrderedDict.__subclasses__\n)R.",
        "build a class": b"\x80\x02ccollections\nOrderedDict\n}X\x01\x00\x00\x00aK\x01sb.",
        "build a list": b"\x80\x02]}X\x01\x00\x00\x00aK\x01sb.",
        "call a dtype": b"\x80\x02ctorch\nfloat32\n)R.",
        "call a result": b"\x80\x02ccollections\nOrderedDict\n)R)R.",
        "new of a function": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)\x81.",
        "huge memo": b"\x80\x02Nr\xff\xff\xff\x7f.",
        "unknown memo": b"\x80\x02h\x05.",
        "long string": b"\x80\x02X\xff\xff\xff\x7fabc",
        "long number": b"\x80\x02\x8b\xff\xff\xff\x7f1",
        "huge bytes": b"\x80\x05\x8e" + struct.pack("<Q", 2**40) + b"a.",
        "huge bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"a.",
        "no stop": b"\x80\x02N",
        "empty stack": b"\x80\x02.",
        "no mark": b"\x80\x02NNt.",
        "append to none": b"\x80\x02NNa.",
        "unhashable key": b"\x80\x02}]Ns.",
        "deep lists": b"\x80\x02" + b"](" * 3000 + b"N" + b"e" * 3000 + b".",
        "a deep key": b"\x80\x02})" + b"\x85" * 10**6 + b"Ns.",
        "a deep item of a set": b"\x80\x02c__builtin__\nset\n])" + b"\x85" * 10**6 + b"a\x85R.",
        "a deep size as key": b"\x80\x02})" + b"\x85q\x00ctorch\nSize\nh\x00\x85R" * 5000 + b"Ns.",
        "a doubling key": b"\x80\x02})" + DOUBLING + b"Ns.",
        "a doubling item of a set": b"\x80\x02c__builtin__\nset\n])" + DOUBLING + b"a\x85R.",
        "a doubling key of pairs": b"\x80\x02ccollections\nOrderedDict\n]])" + DOUBLING + b"aNaa\x85R.",
        "a doubling storage": b"\x80\x02(X\x07\x00\x00\x00storage)" + DOUBLING + b"NNNtQ.",
        "a doubling function": b"\x80\x02)" + DOUBLING + b")R.",
        "a state of pairs": b"\x80\x02ccollections\nOrderedDict\n)R]b.",
        "a text of another code": b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x08\x00\x00\x00punycodetR.",
        "persistent text": b"\x80\x02X\x01\x00\x00\x00aQ.",
        "persistent other": b"\x80\x02(X\x01\x00\x00\x00at.".replace(b".", b"Q."),
        "persistent number": b"\x80\x02K\x05Q.",
        "persistent line": b"\x80\x02Pstorage\n.",
    }
    files |= {f"pickle: {name}": with_pickle(data) for name, data in raw.items()}
    facts = {
        "beyond the end": tensor([13], [1]),
        "strides beyond": tensor([3, 4], [100, 1]),
        "offset beyond": tensor([12], [1], offset=1),
        "negative offset": tensor([2], [1], offset=-4),
        "negative size": tensor([-2], [1]),
        "negative stride": tensor([2], [-1], offset=5),
        "too few strides": tensor([2, 2], [1]),
        "huge size": tensor([2**40], [1]),
        "huge product": tensor([2**40, 2**40], [0, 1]),
        "more than there is": tensor([2**30], [1], count=2**30),
        "less than there is": tensor([2], [1], count=2),
        "a negative count": tensor([2], [1], count=-12),
        "no such key": tensor([12], [1], key="7"),
        "key up": tensor([12], [1], key="../data.pkl"),
        "an absolute key": tensor([12], [1], key="/etc/passwd"),
        "no such place": tensor([12], [1], place="elsewhere"),
        "no such kind": tensor([12], [1], kind="StringStorage"),
        "a tensor as kind": tensor([12], [1], kind="Tensor"),
    }
    files |= {f"tensor: {name}": with_pickle(data) for name, data in facts.items()}
    bomb = tensor([2**28 // 4], [1], count=2**28 // 4)
    files["a bomb"] = with_pickle(bomb, b"\0" * 2**28, compress=zipfile.ZIP_DEFLATED)
    files["absolute name"] = with_pickle(tensor([12], [1]), entry="/etc/passwd")
    files["name up"] = with_pickle(tensor([12], [1]), entry="archive/../../data/0")
    files["no pickle"] = rezip(lambda name: None if name.endswith("data.pkl") else name)
    files["another root"] = rezip(lambda name: name.replace("archive", "other") if "data/0" in name else name)
    files["overlapping records"] = overlapping()
    files["byte order"] = with_pickle(tensor([12], [1])).replace(b"little", b"middle")
    return files


def overlapping():
    """A small file whose directory names the same data many times."""
    buffer = io.BytesIO()
    size = 2**20
    tensors = (tensor([size // 4], [1], count=size // 4, key=str(i))[2:-1] for i in range(500))
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02](" + b"".join(tensors) + b"e.")
        archive.writestr("archive/data/0", b"\0" * size)
        for i in range(1, 500):
            entry = copy.copy(archive.getinfo("archive/data/0"))
            entry.filename = f"archive/data/{i}"
            archive.filelist.append(entry)
            archive.NameToInfo[entry.filename] = entry
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def old(call):
    """The parts of a file of the old format with a pickle that calls."""
    yield pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    yield pickle.dumps(1001, 2)
    yield pickle.dumps({}, 2)
    yield pickle.dumps(call, 2)
    yield pickle.dumps([], 2)


def rezip(rename):
    """The good file with its records under other names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good())) as before, zipfile.ZipFile(buffer, "w") as after:
        for name in before.namelist():
            new = rename(name)
            if new is not None:
                after.writestr(new, before.read(name))
    return buffer.getvalue()


def damaged():
    """The good files cut short, with flipped bits, and with bytes taken out or put in."""
    draw = random.Random(0)
    for legacy in (False, True):
        data = good(legacy)
        for i in range(20):
            yield f"cut {legacy} {i}", data[: draw.randrange(len(data))]
        for i in range(40):
            at = draw.randrange(len(data))
            yield f"flip {legacy} {i}", data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
        for i in range(10):
            at = draw.randrange(len(data))
            yield f"hole {legacy} {i}", data[:at] + data[at + draw.randrange(1, 50) :]
            yield f"junk {legacy} {i}", data[:at] + draw.randbytes(20) + data[at:]


# What these say is no lie and no harm: a tensor, a plain container or a string.
HARMLESS = {"pickle: deep lists", "pickle: build a class", "pickle: huge memo"}


def test_no_file_does_harm(tmp_path):
    marker = tmp_path / "marker"
    files = {**crafted(marker), **dict(damaged())}
    assert len(files) >= 200
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wrong = {}
    for name, data in files.items():
        start = time.perf_counter()
        try:
            jtorch.load(io.BytesIO(data))
            if not name.startswith(("flip", "hole", "junk", "cut")) and name not in HARMLESS:
                wrong[name] = "no error"
        except ALLOWED as error:
            if not str(error) and not isinstance(error, EOFError):
                wrong[name] = f"{type(error).__name__} without words"
        except BaseException as error:
            wrong[name] = f"{type(error).__name__}: {error}"
        if time.perf_counter() - start > 5:
            wrong[name] = "too slow"
    assert wrong == {}
    assert not marker.exists()
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < 600_000  # KiB; the bomb's file is built here


def test_a_flipped_bit_of_a_tensor_is_found():
    data = good()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = archive.read("archive/data/0")
    at = data.index(content)
    with pytest.raises(RuntimeError, match="checksum"):
        jtorch.load(io.BytesIO(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]))
    assert zlib.crc32(content) and np.frombuffer(content, np.float32).size == 12
