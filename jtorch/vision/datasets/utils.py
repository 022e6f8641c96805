"""What datasets are made of: downloads with checksums, archives, checks of arguments."""

import bz2
import gzip
import hashlib
import lzma
import os
import pathlib
import shutil
import tarfile
import zipfile

from jtorch.downloads import fetch

__all__ = [
    "calculate_md5", "check_integrity", "check_md5", "download_and_extract_archive", "download_url", "extract_archive",
    "iterable_to_str", "list_dir", "list_files", "verify_str_arg",
]  # fmt: skip


def calculate_md5(fpath, chunk_size=1024 * 1024):
    """The MD5 of a file, in hexadecimal."""
    with open(fpath, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def check_md5(fpath, md5, **kwargs):
    """Whether a file has this MD5."""
    return md5 == calculate_md5(fpath, **kwargs)


def check_integrity(fpath, md5=None):
    """Whether a file is there, and has this MD5 where one is given."""
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))


def download_url(url, root, filename=None, md5=None, max_redirect_hops=3):
    """Fetch a file into a folder, unless it is there with this MD5. A fetch that broke off goes on where it was.

    Raises URLError without a network, RuntimeError for a file with another MD5.
    """
    root = os.path.expanduser(root)
    fpath = os.fspath(os.path.join(root, filename or os.path.basename(url)))
    os.makedirs(root, exist_ok=True)
    if check_integrity(fpath, md5):
        return
    fetch(url, fpath)
    if not check_integrity(fpath, md5):
        raise RuntimeError("File not found or corrupted.")


def list_dir(root, prefix=False):
    """The folders in a folder. prefix: with their paths."""
    return _listed(root, prefix, os.path.isdir, "")


def list_files(root, suffix, prefix=False):
    """The files in a folder whose names end so. prefix: with their paths."""
    return _listed(root, prefix, os.path.isfile, suffix)


def _listed(root, prefix, fits, suffix):
    root = os.path.expanduser(root)
    found = [name for name in os.listdir(root) if fits(os.path.join(root, name)) and name.endswith(suffix)]
    return [os.path.join(root, name) for name in found] if prefix is True else found


# Archives.

_ALIASES = {".tbz": (".tar", ".bz2"), ".tbz2": (".tar", ".bz2"), ".tgz": (".tar", ".gz")}
_ARCHIVES = (".tar", ".zip")
_OPENERS = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}


def _detect_file_type(file):
    """(suffix, archive or None, compression or None) of a file's name. Raises RuntimeError for others."""
    suffixes = pathlib.Path(file).suffixes
    if not suffixes:
        raise RuntimeError(
            f"File '{file}' has no suffixes that could be used to detect the archive type and compression."
        )
    last = suffixes[-1]
    if last in _ALIASES:
        return (last, *_ALIASES[last])
    if last in _ARCHIVES:
        return last, last, None
    if last in _OPENERS:
        inner = suffixes[-2] if len(suffixes) > 1 else None
        return (inner + last, inner, last) if inner in _ARCHIVES else (last, None, last)
    known = sorted({*_ALIASES, *_ARCHIVES, *_OPENERS})
    raise RuntimeError(f"Unknown compression or archive type: '{last}'.\nKnown suffixes are: '{known}'.")


def extract_archive(from_path, to_path=None, remove_finished=False):
    """Unpack an archive, or a compressed file, into a folder: by default the one where it lies.

    Returns where it went. Raises RuntimeError for names that tell nothing.
    """
    to_path = os.path.dirname(from_path) if to_path is None else to_path
    suffix, archive, compression = _detect_file_type(from_path)
    if archive is None:
        to_path = os.path.join(to_path, os.path.basename(from_path).replace(suffix, ""))
        with _OPENERS[compression](from_path, "rb") as packed, open(to_path, "wb") as file:
            shutil.copyfileobj(packed, file)
    elif archive == ".tar":
        with tarfile.open(from_path, f"r:{compression[1:]}" if compression else "r") as tar:
            tar.extractall(to_path, filter="data")
    else:
        with zipfile.ZipFile(from_path) as packed:
            packed.extractall(to_path)
    if remove_finished:
        os.remove(from_path)
    return os.fspath(to_path) if isinstance(from_path, str) else pathlib.Path(to_path)


def download_and_extract_archive(url, download_root, extract_root=None, filename=None, md5=None, remove_finished=False):
    """Fetch an archive and unpack it."""
    download_root = os.path.expanduser(download_root)
    filename = filename or os.path.basename(url)
    download_url(url, download_root, filename, md5)
    extract_root = download_root if extract_root is None else extract_root
    extract_archive(os.path.join(download_root, filename), extract_root, remove_finished)


# Arguments.


def iterable_to_str(iterable):
    """'a', 'b', 'c'"""
    return "'" + "', '".join(map(str, iterable)) + "'"


def verify_str_arg(value, arg=None, valid_values=None, custom_msg=None):
    """A string that is one of several. Raises ValueError for anything else."""
    if not isinstance(value, str):
        where = "" if arg is None else f" for argument {arg}"
        raise ValueError(f"Expected type str{where}, but got type {type(value)}.")
    if valid_values is not None and value not in valid_values:
        raise ValueError(
            custom_msg
            or f"Unknown value '{value}' for argument {arg}. Valid values are {{{iterable_to_str(valid_values)}}}."
        )
    return value
