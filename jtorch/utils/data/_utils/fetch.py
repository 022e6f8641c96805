"""Fetching: the samples of a batch are taken from a dataset and collated, in one gather where the dataset allows it."""

import numpy as np

from jtorch import devices
from jtorch._tensor import Tensor, aval, from_host
from jtorch.autograd.apply import call
from jtorch.engine import flush
from jtorch.utils.data._utils.collate import default_collate, host_array
from jtorch.utils.data.dataset import Dataset, StackDataset, Subset, TensorDataset


class _BaseDatasetFetcher:
    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last

    def fetch(self, index):
        """The batch (or the sample) for what the sampler gave."""
        raise NotImplementedError


class _IterableDatasetFetcher(_BaseDatasetFetcher):
    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        super().__init__(dataset, auto_collation, collate_fn, drop_last)
        self.dataset_iter = iter(dataset)
        self.ended = False

    def fetch(self, index):
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        data = []
        for _ in index:
            try:
                data.append(next(self.dataset_iter))
                flush.boundary()
            except StopIteration:
                self.ended = True
                break
        if not data or (self.drop_last and len(data) < len(index)):
            raise StopIteration
        return self.collate_fn(data)


class _MapDatasetFetcher(_BaseDatasetFetcher):
    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        super().__init__(dataset, auto_collation, collate_fn, drop_last)
        self.gathers = auto_collation and collate_fn is default_collate and can_gather(dataset)

    def fetch(self, index):
        if not self.auto_collation:
            return self.collate_fn(self.dataset[index])
        if self.gathers:
            try:
                return gather(self.dataset, index)
            except IndexError:
                pass  # taking the samples one by one raises it at the sample's own line
        if getattr(self.dataset, "__getitems__", None):
            return self.collate_fn(self.dataset.__getitems__(index))
        return self.collate_fn([self._sample(i) for i in index])

    def _sample(self, i):
        sample = self.dataset[i]
        flush.boundary()  # the transforms of each sample are a short path, which comes again
        return sample


def can_gather(dataset):
    """Whether batches of a dataset are rows of tensors, so that `gather` gives what default_collate would."""
    cls = type(dataset)
    getters = cls.__getitem__, getattr(cls, "__getitems__", None)
    if isinstance(dataset, TensorDataset):
        return getters == (TensorDataset.__getitem__, None) and all(type(t) is Tensor for t in dataset.tensors)
    if isinstance(dataset, Subset):
        return getters == (Subset.__getitem__, Subset.__getitems__) and can_gather(dataset.dataset)
    if isinstance(dataset, StackDataset):
        parts = dataset.datasets.values() if isinstance(dataset.datasets, dict) else dataset.datasets
        plain = getters == (StackDataset.__getitem__, StackDataset.__getitems__)
        return plain and all(isinstance(part, Dataset) and can_gather(part) for part in parts)
    return False


def gather(dataset, indices):
    """A batch of samples, collated. Raises IndexError for an index out of range."""
    if isinstance(dataset, TensorDataset):
        indices = np.asarray(indices, np.int64)
        return [_rows(tensor, indices) for tensor in dataset.tensors]
    if isinstance(dataset, Subset):
        return gather(dataset.dataset, [dataset.indices[i] for i in indices])
    if isinstance(dataset.datasets, dict):
        return {key: gather(part, indices) for key, part in dataset.datasets.items()}
    return [gather(part, indices) for part in dataset.datasets]


def _rows(tensor, indices):
    """Rows of a tensor: by NumPy where its values lie ready on the host, else by a recorded op."""
    array = host_array(tensor)
    if array is not None:
        return from_host(array.take(indices, 0), device=devices.CPU)
    rows = aval(tensor).shape[0]
    if len(indices) and not (-rows <= indices.min() and indices.max() < rows):
        raise IndexError(f"index out of range for a dataset of {rows} samples")
    return call("index_select", tensor, 0, from_host(indices % rows, device=aval(tensor).device))
