"""torch.hub: weights and models out of the net, kept in a folder, and models out of a folder with a hubconf.py."""

import hashlib
import importlib.util
import os
import re
import shutil
import sys
import urllib.error
import urllib.request
import zipfile
from contextlib import contextmanager
from urllib.parse import urlparse

from jtorch import serialization
from jtorch.downloads import fetch
from jtorch.errors import warn
from jtorch.utils import model_zoo

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")  # the hash in a file's name: resnet18-bfd8deac.pth
_TRUSTED_OWNERS = ("facebookresearch", "facebookincubator", "pytorch", "fairinternal")
_CHUNK = 1 << 20


class _Folder:
    chosen: str | None = None


def get_dir():
    """The folder where downloads are kept: set_dir's, or `hub` in $TORCH_HOME (~/.cache/torch)."""
    if os.environ.get("TORCH_HUB"):
        warn("TORCH_HUB is deprecated, please use env TORCH_HOME instead")
    return _Folder.chosen or os.path.join(_get_torch_home(), "hub")


def set_dir(d):
    """Keep downloads in another folder."""
    _Folder.chosen = os.path.expanduser(d)


def _get_torch_home():
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))


def download_url_to_file(url, dst, hash_prefix=None, progress=True):
    """Fetch a file. It appears under its name only when it is whole; an interrupted fetch is gone on with.

    hash_prefix: how the SHA256 of the file begins. progress: whether a bar is shown on stderr.
    Raises: RuntimeError for another hash, URLError where there is no network.
    """
    dst = os.path.expanduser(dst)
    aside = f"{dst}.partial"
    fetch(url, aside, progress)
    if hash_prefix is not None and not (digest := _sha256(aside)).startswith(hash_prefix):
        os.remove(aside)
        raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest}")')
    os.replace(aside, dst)


def _sha256(path):
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def load_state_dict_from_url(
    url, model_dir=None, map_location=None, progress=True, check_hash=False, file_name=None, weights_only=False
):
    """What torch.load finds in a file that is fetched once and kept in model_dir, `checkpoints` in get_dir().

    check_hash: whether the file's SHA256 must begin as its name says: name-<hash>.pth. weights_only as for torch.load,
    and as in torch False by default: give True for files of people whom you do not trust.
    Raises: RuntimeError for another hash, URLError where there is no network, and what torch.load raises.
    """
    if os.environ.get("TORCH_MODEL_ZOO"):
        warn("TORCH_MODEL_ZOO is deprecated, please use env TORCH_HOME instead")
    model_dir = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(model_dir, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(model_dir, name)
    if not os.path.exists(path):
        sys.stdout.write(f'Downloading: "{url}" to {path}\n')
        found = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, path, found.group(1) if found else None, progress)
    if _is_archive(path):
        path = _unpacked(path, model_dir)
    return serialization.load(path, map_location=map_location, weights_only=weights_only)


def _is_archive(path):
    """Whether a file is a zip file around a checkpoint, and no checkpoint itself."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return len(names) == 1 and not names[0].endswith("/data.pkl")


def _unpacked(path, folder):
    warn(
        "Falling back to the old format < 1.6. This support will be deprecated in favor of default zipfile format "
        "introduced in 1.6. Please redo torch.save() to save it in the new zipfile format."
    )
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        return archive.extract(name, folder)  # zipfile keeps it inside of the folder


def _hubconf(folder):
    """The module hubconf.py of a folder, imported with the folder's own modules at hand."""
    with _importable(folder):
        spec = importlib.util.spec_from_file_location("hubconf.py", os.path.join(folder, "hubconf.py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


@contextmanager
def _importable(folder):
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _entry(module, model):
    """A function of a hubconf.py. Raises: ValueError, RuntimeError as torch."""
    if not isinstance(model, str):
        raise ValueError("Invalid input: model should be a string of function name")
    missing = [name for name in getattr(module, "dependencies", None) or () if importlib.util.find_spec(name) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    found = getattr(module, model, None)
    if not callable(found):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return found


def load(
    repo_or_dir, model, *args, source="github", trust_repo="check", force_reload=False, verbose=True,
    skip_validation=False, **kwargs,
):  # fmt: skip
    """A model that a hubconf.py makes: https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load.

    repo_or_dir: `owner/name[:ref]` of a repository on GitHub, or with source="local" a folder. Its code is run, and
    gets jtorch where it says `import torch` only if jtorch.compat is active.
    Raises: ValueError for another source, RuntimeError for a model or a dependency that is not there.
    """
    source = source.lower()
    if source not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    if source == "github":
        repo_or_dir = _repository(repo_or_dir, force_reload, trust_repo, verbose)
    with _importable(repo_or_dir):
        return _entry(_hubconf(repo_or_dir), model)(*args, **kwargs)


def list(github, force_reload=False, skip_validation=False, trust_repo="check", verbose=True):
    """The names of the functions in a repository's hubconf.py."""
    module = _hubconf(_repository(github, force_reload, trust_repo, verbose))
    return [name for name in dir(module) if callable(getattr(module, name)) and not name.startswith("_")]


def help(github, model, force_reload=False, skip_validation=False, trust_repo="check"):
    """The docstring of a function in a repository's hubconf.py."""
    folder = _repository(github, force_reload, trust_repo, True)
    with _importable(folder):
        return _entry(_hubconf(folder), model).__doc__


def _repository(github, force_reload, trust, verbose):
    """The folder with a repository's files, fetched if it is not there."""
    owner, name, ref = _parse(github)
    os.makedirs(get_dir(), exist_ok=True)
    normal = "_".join(part.replace("/", "_") for part in (owner, name, ref))
    folder = os.path.join(get_dir(), normal)
    _check_trusted(owner, name, f"{owner}_{name}", trust)
    if os.path.exists(folder) and not force_reload:
        if verbose:
            sys.stderr.write(f"Using cache found in {folder}\n")
        return folder
    packed = f"{folder}.zip"
    sys.stderr.write(f'Downloading: "https://github.com/{owner}/{name}/zipball/{ref}" to {packed}\n')
    download_url_to_file(f"https://github.com/{owner}/{name}/zipball/{ref}", packed, progress=False)
    unpacked = f"{folder}.part"
    shutil.rmtree(unpacked, ignore_errors=True)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(unpacked)  # zipfile drops `..` and leading slashes
    shutil.rmtree(folder, ignore_errors=True)
    (inside,) = os.listdir(unpacked)
    os.replace(os.path.join(unpacked, inside), folder)
    shutil.rmtree(unpacked)
    os.remove(packed)
    return folder


def _parse(github):
    """(owner, name, ref) of `owner/name[:ref]`; without a ref the branch main or master."""
    repository, _, ref = github.partition(":")
    owner, name = repository.split("/")
    if ref:
        return owner, name, ref
    try:
        with urllib.request.urlopen(f"https://github.com/{owner}/{name}/tree/main/"):
            return owner, name, "main"
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return owner, name, "master"
    except urllib.error.URLError as error:
        for ref in ("main", "master"):
            if os.path.exists(os.path.join(get_dir(), f"{owner}_{name}_{ref}")):
                return owner, name, ref
        raise RuntimeError(
            f"It looks like there is no internet connection and the repo could not be found in the cache ({get_dir()})"
        ) from error


def _check_trusted(owner, name, known, trust):
    """Ask before code of a stranger is run. Raises: ValueError for an unreadable answer, Exception for no."""
    path = os.path.join(get_dir(), "trusted_list")
    listed = []
    if os.path.exists(path):
        with open(path) as file:
            listed = [line.strip() for line in file]
    if known in listed or owner in _TRUSTED_OWNERS or trust is True:
        return
    if trust is None:
        warn(
            "You are about to download and run code from an untrusted repository. In a future release, this won't be "
            "allowed. To add the repository to your trusted list, change the command to load(..., "
            "trust_repo=False) and a command prompt will appear asking for an explicit confirmation of trust, or "
            "load(..., trust_repo=True), which will assume that the prompt is to be answered with 'yes'. You can also "
            "use load(..., trust_repo='check') which will only prompt for confirmation if the repo is not already "
            "trusted. This will eventually be the default behaviour"
        )
        return
    answer = input(
        f"The repository {owner}_{name} does not belong to the list of trusted repositories and as such cannot be "
        "downloaded. Do you trust this repository and wish to add it to the trusted list of repositories (y/N)?"
    )
    if answer.lower() not in ("y", "yes", "n", "no", ""):
        raise ValueError(f"Unrecognized response {answer}.")
    if answer.lower() not in ("y", "yes"):
        raise Exception("Untrusted repository.")
    with open(path, "a") as file:
        file.write(known + "\n")


model_zoo.above.load_url = staticmethod(load_state_dict_from_url)
