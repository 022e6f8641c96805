"""The files of an embedding, which TensorBoard's projector reads beside the event file."""

import math
import os

import numpy as np
from tensorboardX.utils import make_grid

from jtorch.utils.tensorboard._convert_np import make_np
from jtorch.utils.tensorboard.summary import Image


def make_tsv(metadata, save_path, metadata_header=None):
    """metadata.tsv: a line per point, of one label or, with a header, of several."""
    if not metadata_header:
        lines = [str(label) for label in metadata]
    else:
        if len(metadata_header) != len(metadata[0]):
            raise AssertionError("len of header must be equal to the number of columns in metadata")
        lines = ["\t".join(map(str, line)) for line in [metadata_header, *metadata]]
    _write(save_path, "metadata.tsv", "\n".join(lines) + "\n")


def make_sprite(label_img, save_path):
    """sprite.png: the pictures of all points in a square. Raises ImportError without Pillow."""
    if Image is None:
        raise ImportError("label_img needs Pillow: pip install pillow")
    side = math.ceil(label_img.shape[0] ** 0.5)
    grid = make_grid(make_np(label_img), ncols=side).transpose(1, 2, 0)
    square = np.zeros((grid.shape[1], grid.shape[1], 3))
    square[: grid.shape[0]] = grid
    Image.fromarray(np.uint8((square * 255).clip(0, 255))).save(os.path.join(save_path, "sprite.png"))


def make_mat(matlist, save_path):
    """tensors.tsv: a line per point."""
    _write(save_path, "tensors.tsv", "".join("\t".join(map(str, row)) + "\n" for row in matlist.tolist()))


def get_embedding_info(metadata, label_img, subdir, global_step, tag):
    """What the projector's configuration says of an embedding."""
    lines = [("tensor_name", f"{tag}:{str(global_step).zfill(5)}")]
    if metadata is not None:
        lines.append(("metadata_path", f"{subdir}/metadata.tsv"))
    text = "".join(f"  {name}: {_quoted(value)}\n" for name, value in lines)
    if label_img is not None:
        sizes = "".join(f"    single_image_dim: {label_img.shape[dim]}\n" for dim in (3, 2))
        text += f"  sprite {{\n    image_path: {_quoted(f'{subdir}/sprite.png')}\n{sizes}  }}\n"
    return f"embeddings {{\n{text}  tensor_path: {_quoted(f'{subdir}/tensors.tsv')}\n}}\n"


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_pbtxt(save_path, contents):
    """projector_config.pbtxt."""
    _write(save_path, "projector_config.pbtxt", contents)


def _write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
        file.write(text)
