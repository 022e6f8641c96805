"""Downloads from a server of our own: checksums, mirrors, going on after a break, no network; archives; arguments."""

import functools
import http.server
import io
import os
import socket
import tarfile
import threading
import zipfile
from urllib.error import HTTPError, URLError

import pytest

import jtorch
from tests.vision.datasets import files
from tests.vision.reference import same

utils = jtorch.vision.datasets.utils


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, from a byte on where the client asks for that; a path that ends in ?cut breaks off halfway."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        path = self.translate_path(self.path)
        if not os.path.isfile(path):
            return self.send_error(404)
        with open(path, "rb") as file:
            data = file.read()
        given = self.headers.get("Range")
        start = int(given.removeprefix("bytes=").rstrip("-")) if given and self.server.ranges else 0
        if start >= len(data):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = len(data) // 2 if self.path.endswith("?cut") else len(data)
        self.wfile.write(data[start:end])

    def log_message(self, *args):
        """Nothing on stderr."""


@pytest.fixture
def served(tmp_path):
    """(a server of the folder `there`, that folder, the folder `here`)."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir(), here.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=there))
    server.asked, server.ranges = [], True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server, there, here
    server.shutdown()
    server.server_close()
    thread.join()


def address(server):
    return f"http://127.0.0.1:{server.server_address[1]}/"


def test_a_file_comes_once_with_a_bar(served, capfd):
    server, there, here = served
    (there / "x.bin").write_bytes(os.urandom(300_000))
    md5 = utils.calculate_md5(there / "x.bin")
    for _ in range(2):
        utils.download_url(f"{address(server)}x.bin", here, md5=md5)
    assert (here / "x.bin").read_bytes() == (there / "x.bin").read_bytes()
    assert len(server.asked) == 1
    assert "x.bin: 100% of 0.3 MB" in capfd.readouterr().err
    assert sorted(os.listdir(here)) == ["x.bin"]
    with pytest.raises(RuntimeError, match="File not found or corrupted."):
        utils.download_url(f"{address(server)}x.bin", here, "y.bin", md5="0" * 32)


@pytest.mark.parametrize("ranges", (True, False))
def test_what_broke_off_is_gone_on_with(served, ranges):
    server, there, here = served
    server.ranges = ranges
    data = os.urandom(200_000)
    (there / "x.bin").write_bytes(data)
    with pytest.raises(OSError, match="broke off after 100000 of 200000 bytes"):
        utils.download_url(f"{address(server)}x.bin?cut", here, "x.bin")
    assert not (here / "x.bin").exists()
    utils.download_url(f"{address(server)}x.bin", here, "x.bin", utils.calculate_md5(there / "x.bin"))
    assert (here / "x.bin").read_bytes() == data
    assert [asked for _, asked in server.asked] == [None, "bytes=100000-"]


def test_a_part_that_is_too_long_is_thrown_away(served):
    server, there, here = served
    (there / "x.bin").write_bytes(b"abc")
    (here / "x.bin.part").write_bytes(b"something else")
    utils.download_url(f"{address(server)}x.bin", here)
    assert (here / "x.bin").read_bytes() == b"abc"


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_without_a_network_the_error_says_what_to_do(served):
    server, _, here = served
    with pytest.raises(URLError, match="is there a network\\? The file can also be put at .*x.bin by hand"):
        utils.download_url(f"http://127.0.0.1:{closed_port()}/x.bin", here)
    with pytest.raises(HTTPError, match="404"):
        utils.download_url(f"{address(server)}missing", here)


def test_mirrors_are_tried_one_after_the_other(served, monkeypatch):
    server, there, here = served
    raw = files.mnist(there, suffix=".gz")
    dataset = jtorch.vision.datasets.MNIST
    gone = f"http://127.0.0.1:{closed_port()}/"
    monkeypatch.setattr(dataset, "mirrors", [gone, f"{address(server)}MNIST/raw/"])
    sums = [(name, utils.calculate_md5(raw / name)) for name, _ in dataset.resources]
    monkeypatch.setattr(dataset, "resources", sums)
    data = dataset(here, download=True)
    asked = len(server.asked)
    assert len(data) == 5 and len(dataset(here, train=False, download=True)) == 5
    assert len(server.asked) == asked == 4
    monkeypatch.setattr(dataset, "mirrors", [gone])
    with pytest.raises(RuntimeError, match=f"(?s)Error downloading train-images.*Tried {gone}, got:.*network"):
        dataset(here / "elsewhere", download=True)


def test_an_archive_is_fetched_and_unpacked(served, monkeypatch):
    server, there, here = served
    batches = [f"data_batch_{i}" for i in range(1, 6)]
    files.cifar(there, "cifar-10-batches-py", batches, "test_batch", "batches.meta", "label_names", "labels")
    with tarfile.open(there / "c.tar.gz", "w:gz") as tar:
        tar.add(there / "cifar-10-batches-py", "cifar-10-batches-py")
    dataset = jtorch.vision.datasets.CIFAR10
    monkeypatch.setattr(dataset, "url", f"{address(server)}c.tar.gz")
    monkeypatch.setattr(dataset, "tgz_md5", utils.calculate_md5(there / "c.tar.gz"))
    for name in ("train_list", "test_list"):
        monkeypatch.setattr(dataset, name, [[file, None] for file, _ in getattr(dataset, name)])
    monkeypatch.setattr(dataset, "meta", {**dataset.meta, "md5": None})
    assert len(dataset(here, download=True)) == 20


def test_emnist_comes_in_one_archive(served, monkeypatch):
    server, there, here = served
    with zipfile.ZipFile(there / "gzip.zip", "w") as packed:
        for part in ("train", "test"):
            for source in sorted(files.mnist(there / part, suffix=".gz").glob("train*")):
                kind = "images-idx3" if "images" in source.name else "labels-idx1"
                packed.write(source, f"gzip/emnist-digits-{part}-{kind}-ubyte.gz")
    dataset = jtorch.vision.datasets.EMNIST
    monkeypatch.setattr(dataset, "url", f"{address(server)}gzip.zip")
    monkeypatch.setattr(dataset, "md5", utils.calculate_md5(there / "gzip.zip"))
    assert len(dataset(here, split="digits", download=True)) == 5
    assert not (here / "EMNIST" / "raw" / "gzip").exists()


def _archives(folder):
    """Archives and compressed files of all kinds, each with or of a file `a`."""
    with tarfile.open(folder / "a.tar", "w") as tar:
        _add(tar)
    for suffix, kind in ((".tgz", "gz"), (".tar.gz", "gz"), (".tar.bz2", "bz2"), (".tbz2", "bz2"), (".tar.xz", "xz")):
        with tarfile.open(folder / f"a{suffix}", f"w:{kind}") as tar:
            _add(tar)
    with zipfile.ZipFile(folder / "a.zip", "w") as packed:
        packed.writestr("a", "some words")
    return sorted(folder.iterdir())


def _add(tar):
    info = tarfile.TarInfo("a")
    info.size = 10
    tar.addfile(info, io.BytesIO(b"some words"))


def test_archives(tmp_path):
    (tmp_path / "packed").mkdir()
    for path in _archives(tmp_path / "packed"):
        for given in (str(path), path):

            def unpacked(torch, vision, given=given, path=path):
                to = tmp_path / torch.__name__ / path.name
                to.mkdir(parents=True, exist_ok=True)
                where = vision.datasets.utils.extract_archive(given, type(given)(to))
                return type(where).__name__, os.path.relpath(where, to), (to / "a").read_text()

            same(unpacked, str(path))
    for wrong in ("words", "words.txt"):
        same(lambda torch, vision, w=wrong: vision.datasets.utils.extract_archive(w))


def test_lists_and_arguments(tmp_path):
    for name in ("a.png", "b.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "c").mkdir()
    same(lambda torch, vision: vision.datasets.utils.list_dir(tmp_path, prefix=True))
    same(lambda torch, vision: vision.datasets.utils.list_files(tmp_path, ".png"))
    same(lambda torch, vision: vision.datasets.utils.verify_str_arg("a", "x", ("b", "c")))
    same(lambda torch, vision: vision.datasets.utils.verify_str_arg("a", "x", ("b",), "no"))
    same(lambda torch, vision: vision.datasets.utils.verify_str_arg(1))
    same(lambda torch, vision: vision.datasets.utils.verify_str_arg("a"))
    same(lambda torch, vision: vision.datasets.utils.check_md5(tmp_path / "a.png", "d41d8cd98f00b204e9800998ecf8427e"))
