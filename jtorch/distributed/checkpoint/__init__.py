"""torch.distributed.checkpoint: state dicts saved by all ranks together, and loaded in other parts."""

from jtorch.distributed.checkpoint import filesystem, metadata, state_dict, stateful
from jtorch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from jtorch.distributed.checkpoint.metadata import (
    BytesStorageMetadata,
    ChunkStorageMetadata,
    Metadata,
    TensorStorageMetadata,
)
from jtorch.distributed.checkpoint.saving import CheckpointException, async_save, load, save

__all__ = [
    "BytesStorageMetadata", "CheckpointException", "ChunkStorageMetadata", "FileSystemReader", "FileSystemWriter",
    "Metadata", "TensorStorageMetadata", "async_save", "filesystem", "load", "metadata", "save", "state_dict",
    "stateful",
]  # fmt: skip
