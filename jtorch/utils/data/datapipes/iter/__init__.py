"""Pipes of streams, by the names that torch.utils.data.datapipes.iter gives them."""

from jtorch.utils.data.datapipes.iter import sharding, utils
from jtorch.utils.data.datapipes.iter.callable import CollatorIterDataPipe as Collator
from jtorch.utils.data.datapipes.iter.callable import MapperIterDataPipe as Mapper
from jtorch.utils.data.datapipes.iter.combinatorics import SamplerIterDataPipe as Sampler
from jtorch.utils.data.datapipes.iter.combinatorics import ShufflerIterDataPipe as Shuffler
from jtorch.utils.data.datapipes.iter.combining import ConcaterIterDataPipe as Concater
from jtorch.utils.data.datapipes.iter.combining import DemultiplexerIterDataPipe as Demultiplexer
from jtorch.utils.data.datapipes.iter.combining import ForkerIterDataPipe as Forker
from jtorch.utils.data.datapipes.iter.combining import MultiplexerIterDataPipe as Multiplexer
from jtorch.utils.data.datapipes.iter.combining import ZipperIterDataPipe as Zipper
from jtorch.utils.data.datapipes.iter.filelister import FileListerIterDataPipe as FileLister
from jtorch.utils.data.datapipes.iter.fileopener import FileOpenerIterDataPipe as FileOpener
from jtorch.utils.data.datapipes.iter.grouping import BatcherIterDataPipe as Batcher
from jtorch.utils.data.datapipes.iter.grouping import GrouperIterDataPipe as Grouper
from jtorch.utils.data.datapipes.iter.grouping import UnBatcherIterDataPipe as UnBatcher
from jtorch.utils.data.datapipes.iter.routeddecoder import RoutedDecoderIterDataPipe as RoutedDecoder
from jtorch.utils.data.datapipes.iter.selecting import FilterIterDataPipe as Filter
from jtorch.utils.data.datapipes.iter.sharding import ShardingFilterIterDataPipe as ShardingFilter
from jtorch.utils.data.datapipes.iter.streamreader import StreamReaderIterDataPipe as StreamReader
from jtorch.utils.data.datapipes.iter.utils import IterableWrapperIterDataPipe as IterableWrapper

__all__ = [
    "Batcher",
    "Collator",
    "Concater",
    "Demultiplexer",
    "FileLister",
    "FileOpener",
    "Filter",
    "Forker",
    "Grouper",
    "IterableWrapper",
    "Mapper",
    "Multiplexer",
    "RoutedDecoder",
    "Sampler",
    "ShardingFilter",
    "Shuffler",
    "StreamReader",
    "UnBatcher",
    "Zipper",
    "sharding",
    "utils",
]
