"""SummaryWriter: torch's methods, with tensorboardX composing the records and keeping the files."""

import os
import socket
import time
from datetime import datetime
from itertools import count

import numpy as np
from tensorboardX import FileWriter, summary
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboardX.proto.tensor_pb2 import TensorProto

from jtorch import dtypes
from jtorch._tensor import Tensor

__all__ = ["FileWriter", "SummaryWriter"]

_opened = count()


class SummaryWriter:
    """Writes scalars, histograms, images and text into a folder that TensorBoard shows.

    Without `log_dir` the folder is runs/<date>_<host><comment>. Events come to the disk in the background: every
    `flush_secs` seconds, when `max_queue` of them wait, at `flush()` and at `close()`. `purge_step` hides the events
    of an earlier run in the same folder from that step on. Any value may be a Tensor, an array or a number; reading a
    Tensor waits for the device. https://docs.pytorch.org/docs/stable/tensorboard.html
    """

    def __init__(self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120, filename_suffix=""):
        if not log_dir:
            now = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir = log_dir
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self.default_bins = _default_bins()
        self.file_writer = self.all_writers = None
        self._get_file_writer()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def get_logdir(self):
        """The folder that holds the event files."""
        return self.log_dir

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, new_style=False, double_precision=False):
        """One number under a tag. `new_style` keeps it as a tensor, of 64 bits with `double_precision`.

        Raises: AssertionError when the value has more than one element.
        """
        record = _scalar(tag, scalar_value, new_style, double_precision)
        self._get_file_writer().add_summary(record, global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        """Several numbers in one plot, {name: value}: each in a folder of its own beside the others."""
        walltime = time.time() if walltime is None else walltime
        root = self._get_file_writer().get_logdir()
        for name, value in tag_scalar_dict.items():
            folder = f"{root}/{main_tag.replace('/', '_')}_{name}"
            if folder not in self.all_writers:
                self.all_writers[folder] = self._open(folder)
            self.all_writers[folder].add_summary(_scalar(main_tag, value), global_step, walltime)

    def add_histogram(self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None):
        """How the values are spread. bins: "tensorflow" (exponential), or what `numpy.histogram` takes.

        Shape: values (*). Raises: ValueError when there are none.
        """
        if isinstance(bins, str) and bins == "tensorflow":
            bins = self.default_bins
        self._add(tag, summary.histogram(tag, _array(values), bins, max_bins=max_bins), global_step, walltime)

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        """An image: uint8 in [0, 255], anything else in [0, 1] and clipped.

        Shape: img_tensor (C, H, W) with 1, 3 or 4 channels, or as `dataformats` says (HWC, HW).
        """
        pixels = _pixels(_array(img_tensor))
        self._add(tag, summary.image(tag, pixels, dataformats=dataformats), global_step, walltime)

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        """A batch of images as one grid. Shape: img_tensor (N, C, H, W), or as `dataformats` says (NHWC)."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        """A text, shown as Markdown."""
        self._add(f"{tag}/text_summary", summary.text(tag, text_string), global_step, walltime)

    def flush(self):
        """Bring all pending events to the disk."""
        for writer in (self.all_writers or {}).values():
            writer.flush()

    def close(self):
        """Flush, and close the files; a later `add_*` opens new ones."""
        for writer in (self.all_writers or {}).values():
            writer.close()
        self.file_writer = self.all_writers = None

    def _add(self, tag, record, global_step, walltime):
        record.value[0].tag = tag  # torch: the tag is kept as given; tensorboardX replaces blanks and brackets in it.
        self._get_file_writer().add_summary(record, global_step, walltime)

    def _open(self, folder):
        # torch: process and count are part of a file's name, so two files of one second are two.
        suffix = f".{os.getpid()}.{next(_opened)}{self.filename_suffix}"
        return FileWriter(folder, self.max_queue, self.flush_secs, suffix)

    def _get_file_writer(self):
        if self.file_writer is None:
            self.file_writer = self._open(self.log_dir)
            self.all_writers = {self.file_writer.get_logdir(): self.file_writer}
            if self.purge_step is not None:
                self.file_writer.add_event(Event(step=self.purge_step, file_version="brain.Event:2"))
                started = SessionLog(status=SessionLog.START)
                self.file_writer.add_event(Event(step=self.purge_step, session_log=started))
                self.purge_step = None
        return self.file_writer


def _default_bins():
    """Bounds that grow by a tenth from 1e-12 to 1e20, with zero and their negatives."""
    bounds = [1e-12]
    while bounds[-1] * 1.1 < 1e20:
        bounds.append(bounds[-1] * 1.1)
    return [-b for b in reversed(bounds)] + [0] + bounds


def _array(value):
    """A NumPy array of a Tensor, an array or a number."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return (value.to(dtypes.float16) if value.dtype is dtypes.bfloat16 else value).numpy()
    if np.isscalar(value):
        return np.array([value])
    raise NotImplementedError(f"Got {type(value)}, but numpy array or torch tensor are expected.")


def _scalar(tag, value, new_style=False, double_precision=False):
    array = _array(value).squeeze()
    if array.ndim != 0:
        raise AssertionError(
            f"Tensor should contain one element (0 dimensions).             "
            f"Was given size: {array.size} and {array.ndim} dimensions."
        )
    number = float(array)
    if not new_style:
        return Summary(value=[Summary.Value(tag=tag, simple_value=number)])
    kept = (
        {"double_val": [number], "dtype": "DT_DOUBLE"}
        if double_precision
        else {"float_val": [number], "dtype": "DT_FLOAT"}
    )
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
    return Summary(value=[Summary.Value(tag=tag, tensor=TensorProto(**kept), metadata=metadata)])


def _pixels(image):
    """uint8 pixels of an image in [0, 1], or in [0, 255] when it is uint8 already."""
    scale = 1 if image.dtype == np.uint8 else 255
    return (image.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
