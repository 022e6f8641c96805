"""save and load of state dicts by all ranks together, in whatever parts the tensors lie when they are loaded."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from jtorch import _tensor, devices
from jtorch._tensor import Tensor, aval, from_host
from jtorch.api.size import Size
from jtorch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter, saved
from jtorch.distributed.checkpoint.flat import flattened, put
from jtorch.distributed.checkpoint.metadata import (
    BytesStorageMetadata,
    ChunkStorageMetadata,
    Metadata,
    MetadataIndex,
    StorageMeta,
    TensorProperties,
    TensorStorageMetadata,
)
from jtorch.distributed.checkpoint.parts import boxes, own_parts, write_back
from jtorch.distributed.checkpoint.stateful import Stateful
from jtorch.groups import messages, world
from jtorch.shards.dtensor import DTensor


class CheckpointException(Exception):
    """Saving or loading failed on some ranks; `failures` has the error of each."""

    def __init__(self, msg, failures):
        super().__init__(msg, failures)
        self.failures = failures

    def __str__(self):
        lines = [f"{rank}: {type(error).__name__}: {error}" for rank, error in self.failures.items()]
        return f"CheckpointException ranks:{self.failures.keys()}\n" + "\n".join(lines)


def _alone(no_dist):
    return no_dist or not world.is_initialized() or world.get_world_size() == 1


def _from_all(value, group, alone):
    """What each rank gives."""
    if alone:
        return [value]
    return messages.from_all(value, world.found(group))


def _agreed(act, group, alone):
    """The results of act() on all ranks. Raises CheckpointException where one of them failed."""
    try:
        own = act(), None
    except Exception as error:
        own = None, error
    every = _from_all(own, group, alone)
    failures = {rank: error for rank, (_, error) in enumerate(every) if error is not None}
    if failures:
        raise CheckpointException("a checkpoint failed", failures)
    return [result for result, _ in every]


def _states(state_dict):
    """A state dict in which objects that give their own state stand as that."""
    return {key: value.state_dict() if isinstance(value, Stateful) else value for key, value in state_dict.items()}


def _described(value):
    """What the metadata says of a leaf."""
    if not isinstance(value, Tensor):
        return BytesStorageMetadata()
    shape = value._layout.shape if isinstance(value, DTensor) else aval(value).shape
    return TensorStorageMetadata(TensorProperties(aval(value).dtype, requires_grad=value._rg), Size(shape), [])


def save(state_dict, *, checkpoint_id=None, storage_writer=None, planner=None, process_group=None, no_dist=False,
         use_collectives=True):  # fmt: skip
    """Save a state dict into a folder, each rank its parts; what is not a DTensor is taken from rank 0.

    An older checkpoint in the folder holds until this one is whole. The files are as torch writes them.
    Raises: CheckpointException, on all ranks, where one of them fails.
    """
    writer = _storage(FileSystemWriter, storage_writer, checkpoint_id)
    return _write(_collected(state_dict), writer, process_group, _alone(no_dist))


def _storage(kind, given, checkpoint_id):
    """What writes or reads. Raises RuntimeError, as torch, where nobody says where."""
    if given is not None:
        if checkpoint_id is not None:
            given.reset(checkpoint_id)
        return given
    if not checkpoint_id:
        raise RuntimeError("`checkpoint_id` must be specified if storage_reader/storage_writer is None.")
    return kind(checkpoint_id)


def _collected(state_dict):
    """(what the metadata says, this rank's (index, array or object), paths) of a state dict, with copies of it all."""
    leaves, paths = flattened(_states(state_dict))
    first = not world.is_initialized() or world.get_rank() == 0
    described, items = {}, []
    for name, value in leaves.items():
        described[name] = _described(value)
        if isinstance(value, Tensor):
            kind = aval(value).dtype
            items += [(MetadataIndex(name, Size(start)), from_host(np.array(array), kind, devices.CPU), array.shape)
                      for start, array in own_parts(value)]  # fmt: skip
        elif first:
            items.append((MetadataIndex(name), value, None))
    return described, items, paths


def _write(collected, writer, group, alone):
    described, items, paths = collected
    rank = 0 if alone else world.get_rank()

    def act():
        places = writer.write(rank, [(index, saved(value)) for index, value, _ in items])
        return places, {index: sizes for index, _, sizes in items if sizes is not None}

    written = _agreed(act, group, alone)
    storage = {}
    for places, parts in written:
        storage.update(places)
        for index, sizes in parts.items():
            described[index.fqn].chunks.append(ChunkStorageMetadata(index.offset, Size(sizes)))
    metadata = Metadata(described, paths, storage, StorageMeta(str(writer.path)), "1.0.0")
    _agreed(lambda: writer.finish(metadata) if rank == 0 else None, group, alone)
    return metadata


_pool = ThreadPoolExecutor(1)


def async_save(state_dict, *, checkpoint_id=None, storage_writer=None, planner=None, process_group=None,
               async_checkpointer_type=None, async_stager=None, no_dist=False, use_collectives=True):  # fmt: skip
    """As save, but the files are written while the program goes on; a Future of it."""
    writer, alone = _storage(FileSystemWriter, storage_writer, checkpoint_id), _alone(no_dist)
    group = None if alone else world.aside(process_group)
    return _pool.submit(_write, _collected(state_dict), writer, group, alone)


def load(state_dict, *, checkpoint_id=None, storage_reader=None, planner=None, process_group=None, no_dist=False):
    """Load a checkpoint into a state dict in place: each rank reads what its parts need, however it was saved.

    Raises: CheckpointException, on all ranks, for a name that is not there and for other sizes.
    """
    reader = _storage(FileSystemReader, storage_reader, checkpoint_id)
    _agreed(lambda: _read(state_dict, reader), process_group, _alone(no_dist))


def _read(state_dict, reader):
    metadata = reader.read_metadata()
    states = _states(state_dict)
    leaves, paths = flattened(states)
    for name, value in leaves.items():
        if name not in metadata.state_dict_metadata:
            raise RuntimeError(f"Missing key in checkpoint state_dict: {name}.")
        known = metadata.state_dict_metadata[name]
        if not isinstance(value, Tensor) or not hasattr(known, "chunks"):
            put(states, paths[name], reader.read(metadata.storage_data[MetadataIndex(name)]))
            continue
        shape = value._layout.shape if isinstance(value, DTensor) else aval(value).shape
        if tuple(known.size) != tuple(shape):
            raise ValueError(
                f"Size mismatch between saved {Size(known.size)} and current: {Size(shape)} for {name}",
            )
        write_back(value, _filled(name, known, boxes(value), aval(value).dtype.numpy, reader, metadata.storage_data))
    for key, value in state_dict.items():
        if isinstance(value, Stateful):
            value.load_state_dict(states[key])
        elif not isinstance(value, Tensor):
            state_dict[key] = states[key]


def _filled(name, known, wanted, dtype, reader, storage):
    """Arrays of the boxes of a tensor, put together from the parts that were saved."""
    arrays = [np.empty(sizes, dtype) for _, _, sizes in wanted]
    for chunk in known.chunks:
        hits = [_overlap(chunk, starts, sizes) for _, starts, sizes in wanted]
        if not any(hit is not None for hit in hits):
            continue
        part = _tensor.host(reader.read(storage[MetadataIndex(name, Size(chunk.offsets))]).detach())
        for array, hit in zip(arrays, hits, strict=True):
            if hit is not None:
                array[hit[1]] = part[hit[0]]
    return arrays


def _overlap(chunk, starts, sizes):
    """(slices of a saved part, slices of a box) where they have the same elements, or None."""
    there, here = [], []
    for offset, length, start, size in zip(chunk.offsets, chunk.sizes, starts, sizes, strict=True):
        low, high = max(offset, start), min(offset + length, start + size)
        if low >= high:
            return None
        there.append(slice(low - offset, high - offset))
        here.append(slice(low - start, high - start))
    return tuple(there), tuple(here)
