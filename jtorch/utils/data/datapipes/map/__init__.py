"""Pipes of samples by their keys, by the names that torch.utils.data.datapipes.map gives them."""

from jtorch.utils.data.datapipes.map.callable import MapperMapDataPipe as Mapper
from jtorch.utils.data.datapipes.map.combinatorics import ShufflerIterDataPipe as Shuffler
from jtorch.utils.data.datapipes.map.combining import ConcaterMapDataPipe as Concater
from jtorch.utils.data.datapipes.map.combining import ZipperMapDataPipe as Zipper
from jtorch.utils.data.datapipes.map.grouping import BatcherMapDataPipe as Batcher
from jtorch.utils.data.datapipes.map.utils import SequenceWrapperMapDataPipe as SequenceWrapper

__all__ = ["Batcher", "Concater", "Mapper", "SequenceWrapper", "Shuffler", "Zipper"]
