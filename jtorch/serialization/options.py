"""Settings of save and load: byte order, checksums, how files are mapped, whether data is written at all."""

import enum
import mmap


class LoadEndianness(enum.Enum):
    """The byte order in which a file that does not say is read."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class Options:
    """What is set, for the whole process."""

    endianness: LoadEndianness | None = None
    crc32 = True
    mmap = mmap.MAP_PRIVATE
    skip_data = False


def get_default_load_endianness():
    """The byte order of files that do not say theirs; None for the machine's."""
    return Options.endianness


def set_default_load_endianness(endianness):
    """Set it. Raises: TypeError for what is no LoadEndianness."""
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    Options.endianness = endianness


def get_crc32_options():
    """Whether save writes checksums of its records."""
    return Options.crc32


def set_crc32_options(compute_crc32):
    """Accepted: checksums are always written, since a reader relies on them to find damage."""
    Options.crc32 = compute_crc32


def get_default_mmap_options():
    """The flags with which load maps a file: MAP_PRIVATE or MAP_SHARED."""
    return Options.mmap


class set_default_mmap_options:
    """Set the flags, at once; as a context manager it puts back what was. Raises: ValueError for other flags."""

    def __init__(self, flags):
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, "
                f"expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, but got {flags}"
            )
        self.prev, Options.mmap = Options.mmap, flags

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        Options.mmap = self.prev


class skip_data:
    """A context in which save writes the shapes of a checkpoint and leaves room for its numbers."""

    def __init__(self, materialize_fake_tensors=False):
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self):
        self._before, Options.skip_data = Options.skip_data, True

    def __exit__(self, *exc):
        Options.skip_data = self._before
