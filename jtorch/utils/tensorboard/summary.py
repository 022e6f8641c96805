"""The records of an event file: from tensorboardX where it makes torch's, else composed here."""

import io
import json
import sys
import wave

import numpy as np
from google.protobuf.struct_pb2 import ListValue, Value
from tensorboardX import summary as kept
from tensorboardX.proto.api_pb2 import DataType, Experiment, HParamInfo, MetricInfo, MetricName, Status
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from tensorboardX.proto.plugin_mesh_pb2 import MeshPluginData
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboardX.proto.tensor_pb2 import TensorProto
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

from jtorch import dtypes
from jtorch._tensor import Tensor
from jtorch.optional import Package
from jtorch.utils.tensorboard._convert_np import make_np

Image = Package("PIL.Image", "add_video needs Pillow: pip install pillow")

# Fields that tensorboardX's copy of the protocol has not: the parts of a mesh, and a tensor's unsigned numbers.
_COMPONENTS, _UINT32_VAL = b"\x38", b"\x82\x01"


def _record(tag, **content):
    return Summary(value=[Summary.Value(tag=tag, **content)])


def _plugin(name, content=b""):
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=name, content=content))


def _named(tag, record):
    record.value[0].tag = tag  # torch: the tag is kept as given; tensorboardX replaces blanks and brackets in it
    return record


def say(text):
    """Write a line where torch prints it."""
    sys.stdout.write(f"{text}\n")


def scalar(name, tensor, collections=None, new_style=False, double_precision=False):
    """One number. new_style: as a tensor, of 64 bits with double_precision."""
    array = make_np(tensor).squeeze()
    if array.ndim != 0:
        raise AssertionError(
            f"Tensor should contain one element (0 dimensions).             "
            f"Was given size: {array.size} and {array.ndim} dimensions."
        )
    number = float(array)
    if not new_style:
        return _record(name, simple_value=number)
    if double_precision:
        proto = TensorProto(double_val=[number], dtype="DT_DOUBLE")
    else:
        proto = TensorProto(float_val=[number], dtype="DT_FLOAT")
    return _record(name, tensor=proto, metadata=_plugin("scalars"))


def _bits(tensor):
    return [int(word) for word in np.array(tensor.flatten().tolist(), np.float32).view(np.int32)]


def _pairs(tensor):
    return [part for number in tensor.flatten().tolist() for part in (number.real, number.imag)]


def _list(tensor):
    return tensor.flatten().tolist()


_STORED = {
    dtypes.float16: ("DT_HALF", "half_val", _bits),
    dtypes.bfloat16: ("DT_BFLOAT16", "half_val", _bits),
    dtypes.float32: ("DT_FLOAT", "float_val", _list),
    dtypes.float64: ("DT_DOUBLE", "double_val", _list),
    dtypes.int8: ("DT_INT8", "int_val", _list),
    dtypes.int16: ("DT_INT16", "int_val", _list),
    dtypes.int32: ("DT_INT32", "int_val", _list),
    dtypes.int64: ("DT_INT64", "int64_val", _list),
    dtypes.complex64: ("DT_COMPLEX64", "scomplex_val", _pairs),
    dtypes.complex128: ("DT_COMPLEX128", "dcomplex_val", _pairs),
    dtypes.bool_: ("DT_BOOL", "bool_val", _list),
    dtypes.uint8: ("DT_UINT8", None, _list),
}


def _varint(number):
    """A whole number as protocol buffers write it: 7 bits a byte, the lowest first."""
    more, low = divmod(number, 128)
    return bytes([low | 128]) + _varint(more) if more else bytes([low])


def _shape(sizes):
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def tensor_proto(tag, tensor):
    """A whole tensor. Raises ValueError for a dtype that the format has not, and for 2 GB."""
    if tensor.numel() * tensor.itemsize >= 1 << 31:
        raise ValueError("tensor is bigger than protocol buffer's hard limit of 2GB in size")
    if tensor.dtype not in _STORED:
        raise ValueError(f"{tag} has unsupported tensor dtype {tensor.dtype}")
    kind, field, convert = _STORED[tensor.dtype]
    proto = TensorProto(dtype=kind, tensor_shape=_shape(tensor.shape))
    if field is None:
        numbers = b"".join(map(_varint, convert(tensor)))
        proto.MergeFromString(_UINT32_VAL + _varint(len(numbers)) + numbers)
    else:
        getattr(proto, field).extend(convert(tensor))
    return _record(tag, tensor=proto, metadata=_plugin("tensor"))


def histogram(name, values, bins, max_bins=None):
    """How values are spread over bins, which are joined until there are max_bins at most."""
    return _named(name, kept.histogram(name, make_np(values), bins, max_bins=max_bins))


def histogram_raw(name, min, max, num, sum, sum_squares, bucket_limits, bucket_counts):
    """A histogram that was counted elsewhere."""
    return _named(name, kept.histogram_raw(name, min, max, num, sum, sum_squares, bucket_limits, bucket_counts))


def _pixels(image):
    """uint8 pixels of an image in [0, 1], or in [0, 255] when it is uint8 already."""
    scale = 1 if image.dtype == np.uint8 else 255
    return (image.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)


def image(tag, tensor, rescale=1, dataformats="NCHW"):
    """An image, or a batch of them as a grid."""
    return _named(tag, kept.image(tag, _pixels(make_np(tensor)), rescale=rescale, dataformats=dataformats))


def image_boxes(tag, tensor_image, tensor_boxes, rescale=1, dataformats="CHW", labels=None):
    """An image with boxes (left, top, right, bottom) drawn on it, and their labels."""
    pixels, boxes = _pixels(make_np(tensor_image)), make_np(tensor_boxes)
    return _named(tag, kept.image_boxes(tag, pixels, boxes, rescale=rescale, dataformats=dataformats, labels=labels))


def video(tag, tensor, fps=4):
    """Videos side by side, as an animated picture. Raises ImportError without Pillow."""
    frames = _pixels(_side_by_side(make_np(tensor)))
    count, height, width, channels = frames.shape
    pictures = [Image.fromarray(frame.squeeze(-1) if channels == 1 else frame) for frame in frames]
    file = io.BytesIO()
    # All frames are kept, also those that are like the one before.
    pictures[0].save(
        file, "GIF", save_all=True, append_images=pictures[1:], duration=1000 / fps, loop=0, optimize=False
    )
    encoded = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=file.getvalue())
    return _record(tag, image=encoded)


def _side_by_side(videos):
    """(B, T, C, H, W) -> (T, rows * H, columns * W, C), with black videos up to a power of two."""
    if videos.dtype == np.uint8:
        videos = videos.astype(np.float32) / 255.0
    batch, time, channels, height, width = videos.shape
    total = 1 << (batch - 1).bit_length()
    videos = np.concatenate([videos, np.zeros((total - batch, time, channels, height, width))])
    rows = 2 ** ((batch.bit_length() - 1) // 2)
    grid = videos.reshape(rows, total // rows, time, channels, height, width).transpose(2, 0, 4, 1, 5, 3)
    return grid.reshape(time, rows * height, total // rows * width, channels)


def audio(tag, tensor, sample_rate=44100):
    """A sound in [-1, 1], of one channel. Raises AssertionError for more dims than one."""
    sound = make_np(tensor).squeeze()
    if abs(sound).max() > 1:
        say("warning: audio amplitude out of range, auto clipped.")
        sound = sound.clip(-1, 1)
    if sound.ndim != 1:
        raise AssertionError("input tensor should be 1 dimensional.")
    sound = (sound * np.iinfo(np.int16).max).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sample_rate)
        out.writeframes(sound.data)
    encoded = Summary.Audio(
        sample_rate=sample_rate, num_channels=1, length_frames=sound.shape[-1], encoded_audio_string=file.getvalue(),
        content_type="audio/wav",
    )  # fmt: skip
    return _record(tag, audio=encoded)


def text(tag, text):
    """A text, shown as Markdown."""
    return _named(f"{tag}/text_summary", kept.text(tag, text))


def custom_scalars(layout):
    """How charts of several scalars are arranged: {category: {title: ["Multiline" or "Margin", tags]}}."""
    for charts in layout.values():
        if any(kind == "Margin" and len(tags) != 3 for kind, tags in charts.values()):
            raise AssertionError("len(tags) != 3")
    return kept.custom_scalars(layout)


def pr_curve(tag, labels, predictions, num_thresholds=127, weights=None):
    """Precision and recall over thresholds, of predictions in [0, 1] for labels 0 and 1."""
    return _named(tag, kept.pr_curve(tag, labels, predictions, num_thresholds, weights))


def pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds=127, weights=None):
    """A curve that was counted elsewhere."""
    return _named(tag, kept.pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds, weights))


def mesh(tag, vertices, colors, faces, config_dict):
    """Points or triangles in space. Raises ValueError where a tensor is not (B, N, 3)."""
    given = [(vertices, "VERTEX"), (faces, "FACE"), (colors, "COLOR")]
    given = [(make_np(part), name) for part, name in given if part is not None]
    components = sum(1 << MeshPluginData.ContentType.Value(name) for _, name in given)
    values = []
    for array, name in given:
        if array.ndim != 3:
            sizes = f"torch.Size({list(array.shape)})"
            raise ValueError(f"Tensor shape should be of shape BxNx3, but got {sizes}.")
        content = MeshPluginData(
            version=0, name=tag, content_type=MeshPluginData.ContentType.Value(name), shape=array.shape,
            json_config="{}" if config_dict is None else json.dumps(config_dict, sort_keys=True),
        ).SerializeToString() + _COMPONENTS + _varint(components)  # fmt: skip
        proto = TensorProto(dtype="DT_FLOAT", float_val=array.reshape(-1).tolist(), tensor_shape=_shape(array.shape))
        values.append(Summary.Value(tag=f"{tag}_{name}", tensor=proto, metadata=_plugin("mesh", content)))
    return Summary(value=values)


def hparams(hparam_dict=None, metric_dict=None, hparam_domain_discrete=None):
    """Three records: the experiment, the start and the end of a session with these hyperparameters and metrics.

    Raises: TypeError for what is no dict, and domains of other types than the values; ValueError for other values.
    """
    for name, given in (("hparam_dict", hparam_dict), ("metric_dict", metric_dict)):
        if not isinstance(given, dict):
            raise TypeError(f"parameter: {name} should be a dictionary, nothing logged.")
    domains = hparam_domain_discrete or {}
    if not isinstance(domains, dict):
        raise TypeError("parameter: hparam_domain_discrete should be a dictionary, nothing logged.")
    for key, domain in domains.items():
        fits = key in hparam_dict and isinstance(domain, list)
        if not fits or not all(isinstance(item, type(hparam_dict[key])) for item in domain):
            raise TypeError(
                f"parameter: hparam_domain_discrete[{key}] should be a list of same type as hparam_dict[{key}]."
            )
    start, infos = SessionStartInfo(), []
    for key, value in hparam_dict.items():
        if value is not None:
            field, value, kind = _hyperparameter(value)
            setattr(start.hparams[key], field, value)
            domain = ListValue(values=[Value(**{field: item}) for item in domains[key]]) if key in domains else None
            infos.append(HParamInfo(name=key, type=DataType.Value(kind), domain_discrete=domain))
    metrics = [MetricInfo(name=MetricName(tag=key)) for key in metric_dict]
    parts = (
        ("experiment", {"experiment": Experiment(hparam_infos=infos, metric_infos=metrics)}),
        ("session_start_info", {"session_start_info": start}),
        ("session_end_info", {"session_end_info": SessionEndInfo(status=Status.Value("STATUS_SUCCESS"))}),
    )
    return tuple(
        _record(
            f"_hparams_/{name}",
            metadata=_plugin("hparams", HParamsPluginData(version=0, **content).SerializeToString()),
        )
        for name, content in parts
    )


def _hyperparameter(value):
    if isinstance(value, (int, float)):
        return "number_value", value, "DATA_TYPE_FLOAT64"  # torch: bools too
    if isinstance(value, str):
        return "string_value", value, "DATA_TYPE_STRING"
    if isinstance(value, Tensor):
        return "number_value", float(make_np(value)[0]), "DATA_TYPE_FLOAT64"
    raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")
