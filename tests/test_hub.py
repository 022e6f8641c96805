"""torch.hub beside torch's own, on a server of this machine and on local folders."""

import functools
import hashlib
import http.server
import os
import threading
import zipfile

import pytest
import torch

import jtorch
from tests.oracle import same_error

HUBCONF = '''
dependencies = ["math"]
from helper import FACTOR

def double(x, *, extra=0):
    """Twice x, and something."""
    return FACTOR * x + extra

def _hidden():
    pass
'''


@pytest.fixture
def served(tmp_path):
    """(URL of a folder, the folder, the paths that were asked for)."""
    folder, asked = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder, asked
    server.shutdown()
    server.server_close()


def put(folder, name="net-{}.pth", hashed=True):
    """A checkpoint on the server; its name."""
    path = folder / "made.pth"
    torch.save({"w": torch.arange(3.0)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8] if hashed else "0" * 8
    path.rename(folder / name.format(digest))
    return name.format(digest)


def test_weights_are_fetched_once_and_checked(served, tmp_path, capsys, monkeypatch):
    url, folder, asked = served
    monkeypatch.setattr(jtorch.hub, "_Folder", type("_Folder", (), {"chosen": None}))
    jtorch.hub.set_dir(tmp_path / "cache")
    name = put(folder)
    for _ in range(2):
        state = jtorch.hub.load_state_dict_from_url(f"{url}/{name}", check_hash=True, progress=False)
        assert state["w"].tolist() == [0, 1, 2]
    assert asked == [f"/{name}"]
    assert os.listdir(tmp_path / "cache" / "checkpoints") == [name]
    assert capsys.readouterr().out.startswith(f'Downloading: "{url}/{name}" to ')
    bad = put(folder, hashed=False)
    with pytest.raises(RuntimeError, match='invalid hash value \\(expected "00000000", got "'):
        jtorch.hub.load_state_dict_from_url(f"{url}/{bad}", check_hash=True, progress=False)
    assert os.listdir(tmp_path / "cache" / "checkpoints") == [name]
    other = jtorch.hub.load_state_dict_from_url(f"{url}/{bad}", str(tmp_path), file_name="own.pth", weights_only=True)
    assert other["w"].tolist() == [0, 1, 2] and (tmp_path / "own.pth").exists()


def test_a_checkpoint_in_a_zip_file(served, tmp_path):
    url, folder, _ = served
    name = put(folder)
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.write(folder / name, "inside.pth")
    with pytest.warns(UserWarning, match="Falling back to the old format"):
        state = jtorch.hub.load_state_dict_from_url(f"{url}/packed.zip", str(tmp_path), progress=False)
    assert state["w"].tolist() == [0, 1, 2]


def test_models_of_a_folder(tmp_path):
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    (tmp_path / "helper.py").write_text("FACTOR = 2\n")
    assert jtorch.hub.load(str(tmp_path), "double", 4, extra=1, source="local") == 9
    for call in (
        lambda torch: torch.hub.load(str(tmp_path), "triple", source="local"),
        lambda torch: torch.hub.load(str(tmp_path), 3, source="local"),
        lambda torch: torch.hub.load(str(tmp_path), "double", source="elsewhere"),
    ):
        same_error(call)
    (tmp_path / "hubconf.py").write_text('dependencies = ["no_such_module"]\n')
    same_error(lambda torch: torch.hub.load(str(tmp_path), "double", source="local"))


def test_where_downloads_are_kept(monkeypatch):
    for home in ({"TORCH_HOME": "/x/torch"}, {"XDG_CACHE_HOME": "/x/cache"}, {}):
        with monkeypatch.context() as patch:
            for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
                patch.delenv(name, raising=False)
            for name, value in home.items():
                patch.setenv(name, value)
            patch.setattr(jtorch.hub._Folder, "chosen", None)
            assert jtorch.hub.get_dir() == torch.hub.get_dir()
