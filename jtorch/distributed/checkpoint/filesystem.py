"""Checkpoints as a folder: a file of each rank, and `.metadata`, which is written last and at once."""

import io
import os
import pickle
from dataclasses import dataclass

from jtorch import serialization
from jtorch.serialization.pickling import dumps, trusting


@dataclass
class _StorageInfo:
    relative_path: str
    offset: int
    length: int
    transform_descriptors: tuple | None = None

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if value is not None}


class FileSystemWriter:
    """Writes a checkpoint into a folder. The other arguments are about speed and mean nothing here."""

    def __init__(self, path, single_file_per_rank=True, sync_files=True, thread_count=1,
                 per_thread_copy_ahead=10_000_000, cache_staged_state_dict=False, overwrite=True, **_):  # fmt: skip
        self.path = os.fspath(path)
        self.sync_files = sync_files
        self.overwrite = overwrite

    def reset(self, checkpoint_id=None):
        """Write into another folder from now on."""
        self.path = self.path if checkpoint_id is None else os.fspath(checkpoint_id)

    def write(self, rank, items):
        """Write (index, bytes) one after the other into a file of this rank; {index: where it is}."""
        os.makedirs(self.path, exist_ok=True)
        turn = next(n for n in range(1 << 20) if not os.path.exists(os.path.join(self.path, f"__{rank}_{n}.distcp")))
        name, places = f"__{rank}_{turn}.distcp", {}
        with open(os.path.join(self.path, name), "wb") as file:
            for index, data in items:
                places[index] = _StorageInfo(name, file.tell(), len(data))
                file.write(data)
            if self.sync_files:
                file.flush()
                os.fsync(file.fileno())
        return places

    def finish(self, metadata):
        """Write what all ranks have written: from now on the folder is this checkpoint, and older files go."""
        target = os.path.join(self.path, ".metadata")
        with open(f"{target}.tmp", "wb") as file:
            file.write(dumps(metadata, pickle, 4, None)[0])
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{target}.tmp", target)
        kept = {info.relative_path for info in metadata.storage_data.values()}
        for name in os.listdir(self.path):
            if name.endswith(".distcp") and name not in kept:
                os.remove(os.path.join(self.path, name))


class FileSystemReader:
    """Reads a checkpoint from a folder."""

    def __init__(self, path, **_):
        self.path = os.fspath(path)

    def reset(self, checkpoint_id=None):
        """Read another folder from now on."""
        self.path = self.path if checkpoint_id is None else os.fspath(checkpoint_id)

    def read_metadata(self):
        """The Metadata. Raises FileNotFoundError where there is no whole checkpoint."""
        with open(os.path.join(self.path, ".metadata"), "rb") as file:
            return trusting(pickle, None)(file).load()

    def read(self, info):
        """The object that was saved at a place."""
        with open(os.path.join(self.path, info.relative_path), "rb") as file:
            file.seek(info.offset)
            return serialization.load(io.BytesIO(file.read(info.length)), map_location="cpu", weights_only=False)


def saved(value):
    """The bytes that save makes of a value."""
    file = io.BytesIO()
    serialization.save(value, file)
    return file.getvalue()


__all__ = ["FileSystemReader", "FileSystemWriter"]
