"""SummaryWriter: torch's methods, with tensorboardX composing records and writing files."""

import atexit
import os
import socket
import time
import weakref
from collections import deque
from datetime import datetime
from itertools import count

import numpy as np
from tensorboardX.onnx_graph import load_onnx_graph
from tensorboardX.proto.event_pb2 import Event, SessionLog, TaggedRunMetadata

from jtorch._tensor import Tensor, aval, read, wrap
from jtorch.shapes import numel
from jtorch.utils.tensorboard import _embedding, summary
from jtorch.utils.tensorboard._convert_np import make_np
from jtorch.utils.tensorboard._event_file import EventFile
from jtorch.utils.tensorboard._pytorch_graph import graph
from jtorch.utils.tensorboard._utils import figure_to_image

__all__ = ["FileWriter", "SummaryWriter"]

_opened = count()
_WAITING = 1000  # events that may wait for the device


class _Later:
    """A number of a Tensor whose program has not run, or still runs on the device."""

    def __init__(self, tensor):
        self._ref = read(tensor)

    def ready(self):
        """Whether reading it stops nobody."""
        value = self._ref.value
        return value is not None and (isinstance(value, np.ndarray) or value.is_ready())

    def tensor(self):
        """A Tensor with the value that it had."""
        return wrap(self._ref)


class FileWriter:
    """Writes events into a file of a folder, in the background. What is said of a pending Tensor waits for its value.

    Events stay in order, so those that come after one that waits do so too: until its program has run and the next
    event comes, or until `flush` or `close`, which wait for the device.
    """

    def __init__(self, log_dir, max_queue=10, flush_secs=120, filename_suffix=""):
        # torch: process and count are part of a file's name, so two files of one second are two.
        suffix = f".{os.getpid()}.{next(_opened)}{filename_suffix}"
        self.event_writer = EventFile(str(log_dir), max_queue, flush_secs, suffix)
        self._waiting = deque()

    def get_logdir(self):
        """The folder."""
        return self.event_writer.get_logdir()

    def add_event(self, event, step=None, walltime=None):
        """Write an event, of this time and step."""
        self._add(event, step, walltime)

    def add_summary(self, summary, global_step=None, walltime=None):
        """Write a record."""
        self._add(Event(summary=summary), global_step, walltime)

    def add_later(self, later, compose, global_step=None, walltime=None):
        """Write the record that `compose` makes of a Tensor, once that has its value."""
        self._add(Event(), global_step, walltime, later, compose)

    def add_graph(self, graph_profile, walltime=None):
        """Write a graph and the metadata of its run."""
        found, metadata = graph_profile
        self._add(Event(graph_def=found.SerializeToString()), None, walltime)
        tagged = TaggedRunMetadata(tag="step1", run_metadata=metadata)
        self._add(Event(tagged_run_metadata=tagged), None, walltime)

    def add_onnx_graph(self, graph, walltime=None):
        """Write a graph without metadata."""
        self._add(Event(graph_def=graph.SerializeToString()), None, walltime)

    def _add(self, event, step, walltime, later=None, compose=None):
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(make_np(step).item()) if isinstance(step, Tensor) else int(step)
        self._waiting.append((event, later, compose))
        self._write(all=False)

    def _write(self, all):
        """Write what waits: up to the first value that is not there, or all of it."""
        waiting = self._waiting
        while waiting:
            event, later, compose = waiting[0]
            if later is not None:
                if not all and len(waiting) <= _WAITING and not later.ready():
                    return
                event.summary.CopyFrom(compose(later.tensor()))
            waiting.popleft()
            self.event_writer.add_event(event)

    def flush(self):
        """Bring all events to the disk."""
        self._write(all=True)
        self.event_writer.flush()

    def close(self):
        """Flush, and close the file."""
        self._write(all=True)
        self.event_writer.close()

    def reopen(self):
        """Go on in a new file after `close`."""
        self.event_writer.reopen()


class SummaryWriter:
    """Writes what is logged into a folder that TensorBoard shows: https://docs.pytorch.org/docs/stable/tensorboard.html.

    Without `log_dir` the folder is runs/<date>_<host><comment>. Events come to the disk in the background: every
    `flush_secs` seconds, when `max_queue` of them wait, at `flush()` and at `close()`. `purge_step` hides the events
    of an earlier run in the same folder from that step on. Any value may be a Tensor, an array or a number; a scalar
    that is pending is written when its step has run, reading anything else waits for the device.
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
        self._embeddings = ""
        self._get_file_writer()
        _open_writers.add(self)

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
        kind = {"new_style": new_style, "double_precision": double_precision}
        self._add_scalar(self._get_file_writer(), tag, scalar_value, global_step, walltime, **kind)

    @staticmethod
    def _add_scalar(writer, tag, value, global_step, walltime, **kind):
        if isinstance(value, Tensor) and numel(aval(value).shape) == 1 and not (later := _Later(value)).ready():
            writer.add_later(later, lambda number: summary.scalar(tag, number, **kind), global_step, walltime)
        else:
            writer.add_summary(summary.scalar(tag, value, **kind), global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        """Several numbers in one plot, {name: value}: each in a folder of its own beside the others."""
        walltime = time.time() if walltime is None else walltime
        root = self._get_file_writer().get_logdir()
        for name, value in tag_scalar_dict.items():
            folder = f"{root}/{main_tag.replace('/', '_')}_{name}"
            if folder not in self.all_writers:
                self.all_writers[folder] = self._open(folder)
            self._add_scalar(self.all_writers[folder], main_tag, value, global_step, walltime)

    def add_tensor(self, tag, tensor, global_step=None, walltime=None):
        """A whole tensor."""
        self._add(summary.tensor_proto(tag, tensor), global_step, walltime)

    def add_histogram(self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None):
        """How the values are spread. bins: "tensorflow" (exponential), or what `numpy.histogram` takes.

        Shape: values (*). Raises: ValueError when there are none.
        """
        if isinstance(bins, str) and bins == "tensorflow":
            bins = self.default_bins
        self._add(summary.histogram(tag, values, bins, max_bins=max_bins), global_step, walltime)

    def add_histogram_raw(
        self, tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts, global_step=None, walltime=None
    ):
        """A histogram that was counted elsewhere. Raises: ValueError when limits and counts are not equally many."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        record = summary.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts)
        self._add(record, global_step, walltime)

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        """An image: uint8 in [0, 255], anything else in [0, 1] and clipped.

        Shape: img_tensor (C, H, W) with 1, 3 or 4 channels, or as `dataformats` says (HWC, HW).
        """
        self._add(summary.image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        """A batch of images as one grid. Shape: img_tensor (N, C, H, W), or as `dataformats` says (NHWC)."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_image_with_boxes(
        self, tag, img_tensor, box_tensor, global_step=None, walltime=None, rescale=1, dataformats="CHW", labels=None
    ):
        """An image with boxes. Shape: img_tensor (C, H, W) or as `dataformats` says, box_tensor (N, 4)."""
        if labels is not None:
            labels = [labels] if isinstance(labels, str) else labels
            labels = labels if len(labels) == box_tensor.shape[0] else None
        record = summary.image_boxes(tag, img_tensor, box_tensor, rescale, dataformats, labels)
        self._add(record, global_step, walltime)

    def add_figure(self, tag, figure, global_step=None, close=True, walltime=None):
        """A figure of matplotlib, or a list of them of one size; they are closed unless `close` is False."""
        formats = "NCHW" if isinstance(figure, list) else "CHW"
        self.add_image(tag, figure_to_image(figure, close), global_step, walltime, dataformats=formats)

    def add_video(self, tag, vid_tensor, global_step=None, fps=4, walltime=None):
        """Videos side by side. Shape: vid_tensor (N, T, C, H, W), uint8 or in [0, 1]."""
        self._add(summary.video(tag, vid_tensor, fps), global_step, walltime)

    def add_audio(self, tag, snd_tensor, global_step=None, sample_rate=44100, walltime=None):
        """A sound. Shape: snd_tensor (1, L), in [-1, 1]."""
        self._add(summary.audio(tag, snd_tensor, sample_rate=sample_rate), global_step, walltime)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        """A text, shown as Markdown."""
        self._add(summary.text(tag, text_string), global_step, walltime)

    def add_onnx_graph(self, prototxt):
        """The graph of an ONNX file."""
        self._get_file_writer().add_onnx_graph(load_onnx_graph(prototxt))

    def add_graph(self, model, input_to_model=None, verbose=False, use_strict_trace=True):
        """The graph of a model called with an input or a tuple of them, in eval mode: nothing of it is computed."""
        self._get_file_writer().add_graph(graph(model, input_to_model, verbose, use_strict_trace))

    @staticmethod
    def _encode(rawstr):
        for mark in "%/\\":
            rawstr = rawstr.replace(mark, f"%{ord(mark):02x}")
        return rawstr

    def add_embedding(self, mat, metadata=None, label_img=None, global_step=None, tag="default", metadata_header=None):
        """Points for the projector, with a label or a row of labels each, and a picture each.

        Shape: mat (N, D), label_img (N, C, H, W). Raises: AssertionError when they are not equally many.
        """
        mat = make_np(mat)
        global_step = 0 if global_step is None else global_step
        subdir = f"{str(global_step).zfill(5)}/{self._encode(tag)}"
        folder = os.path.join(self._get_file_writer().get_logdir(), subdir)
        if os.path.isdir(folder):
            summary.say("warning: Embedding dir exists, did you set global_step for add_embedding()?")
        elif os.path.exists(folder):
            raise NotADirectoryError(f"Path: `{folder}` exists, but is a file. Cannot proceed.")
        os.makedirs(folder, exist_ok=True)
        if metadata is not None:
            if mat.shape[0] != len(metadata):
                raise AssertionError("#labels should equal with #data points")
            _embedding.make_tsv(metadata, folder, metadata_header=metadata_header)
        if label_img is not None:
            if mat.shape[0] != label_img.shape[0]:
                raise AssertionError("#images should equal with #data points")
            _embedding.make_sprite(label_img, folder)
        if mat.ndim != 2:
            raise AssertionError("mat should be 2D, where mat.size(0) is the number of data points")
        _embedding.make_mat(mat, folder)
        self._embeddings += _embedding.get_embedding_info(metadata, label_img, subdir, global_step, tag)
        _embedding.write_pbtxt(self._get_file_writer().get_logdir(), self._embeddings)

    def add_pr_curve(self, tag, labels, predictions, global_step=None, num_thresholds=127, weights=None, walltime=None):
        """Precision over recall. Shape: labels (N), 0 or 1; predictions (N) in [0, 1]; weights (N)."""
        labels, predictions = make_np(labels), make_np(predictions)
        self._add(summary.pr_curve(tag, labels, predictions, num_thresholds, weights), global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag,
        true_positive_counts,
        false_positive_counts,
        true_negative_counts,
        false_negative_counts,
        precision,
        recall,
        global_step=None,
        num_thresholds=127,
        weights=None,
        walltime=None,
    ):
        """A curve that was counted elsewhere. Shape: each (num_thresholds)."""
        counts = true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts
        counts = [make_np(part) if isinstance(part, Tensor) else part for part in (*counts, precision, recall)]
        self._add(summary.pr_curve_raw(tag, *counts, num_thresholds, weights), global_step, walltime)

    def add_custom_scalars_multilinechart(self, tags, category="default", title="untitled"):
        """A chart of several scalars."""
        self._add(summary.custom_scalars({category: {title: ["Multiline", tags]}}))

    def add_custom_scalars_marginchart(self, tags, category="default", title="untitled"):
        """A chart of a scalar between a lower and an upper one. Raises: AssertionError unless there are three tags."""
        if len(tags) != 3:
            raise AssertionError(f"Expected 3 tags, got {len(tags)}.")
        self._add(summary.custom_scalars({category: {title: ["Margin", tags]}}))

    def add_custom_scalars(self, layout):
        """Charts of scalars that are added under these tags: {category: {title: ["Multiline" or "Margin", tags]}}."""
        self._add(summary.custom_scalars(layout))

    def add_mesh(self, tag, vertices, colors=None, faces=None, config_dict=None, global_step=None, walltime=None):
        """Points or triangles in space. Shape: vertices, colors (B, N, 3), faces (B, M, 3)."""
        self._add(summary.mesh(tag, vertices, colors, faces, config_dict), global_step, walltime)

    def add_hparams(self, hparam_dict, metric_dict, hparam_domain_discrete=None, run_name=None, global_step=None):
        """The hyperparameters of a run and what came of them, in a folder of their own.

        Raises: TypeError for what is no dict, ValueError for values of other types than numbers, texts and Tensors.
        """
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        records = summary.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self._get_file_writer().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(log_dir=folder) as writer:
            for record in records:
                writer._add(record, global_step)
            for name, value in metric_dict.items():
                writer.add_scalar(name, value, global_step)

    def flush(self):
        """Bring all pending events to the disk."""
        for writer in (self.all_writers or {}).values():
            writer.flush()

    def close(self):
        """Flush, and close the files; a later `add_*` opens new ones."""
        for writer in (self.all_writers or {}).values():
            writer.close()
        self.file_writer = self.all_writers = None

    def _add(self, record, global_step=None, walltime=None):
        self._get_file_writer().add_summary(record, global_step, walltime)

    def _open(self, folder):
        return FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)

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


_open_writers = weakref.WeakSet()


@atexit.register
def _flush_all():
    """What still waits when the program ends is written."""
    for writer in list(_open_writers):
        writer.flush()


def _default_bins():
    """Bounds that grow by a tenth from 1e-12 to 1e20, with zero and their negatives."""
    bounds = [1e-12]
    while bounds[-1] * 1.1 < 1e20:
        bounds.append(bounds[-1] * 1.1)
    return [-b for b in reversed(bounds)] + [0] + bounds
