"""Images side by side, into files, and with boxes, masks and points drawn on them."""

import math
import warnings

import numpy as np

from jtorch import dtypes
from jtorch._tensor import Tensor, aval, host
from jtorch.api.construct import as_tensor
from jtorch.autograd.apply import call
from jtorch.autograd.grad_mode import no_grad
from jtorch.nn import functional as nnF
from jtorch.vision.pillow import Image, ImageColor, ImageDraw, ImageFont
from jtorch.vision.transforms.functional import convert_image_dtype, pil_to_tensor, to_pil_image

__all__ = ["make_grid", "save_image", "draw_bounding_boxes", "draw_segmentation_masks", "draw_keypoints"]


def _as_batch(tensor):
    """A batch of images with 3 channels, or as many as they have, of what `make_grid` takes."""
    if isinstance(tensor, list):
        for t in tensor:
            if not isinstance(t, Tensor):
                raise TypeError(f"tensor or list of tensors expected, got a list containing {type(t)}")
        tensor = call("stack", tensor, 0)
    elif not isinstance(tensor, Tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    while tensor.dim() < 4:
        tensor = tensor.unsqueeze(0)
    return call("cat", [tensor] * 3, 1) if tensor.size(1) == 1 else tensor


def _normalized(images, value_range, scale_each):
    """The images clamped to a range and spread over [0, 1]: to a given one, to their own, or each to its own."""
    if value_range is not None and not isinstance(value_range, tuple):
        raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
    if value_range is not None:
        low, high = value_range
        return images.clamp(min=low, max=high).sub_(low).div_(max(high - low, 1e-5))
    kept = {"dim": (1, 2, 3), "keepdim": True} if scale_each is True else {}
    low, high = images.amin(**kept), images.amax(**kept)
    width = np.maximum(host(high).astype(np.float64) - host(low).astype(np.float64), 1e-5)
    return (images - low) / as_tensor(width, dtype=aval(images).dtype, device=aval(images).device)


@no_grad()
def make_grid(
    tensor,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[int, int] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
):
    """Images in one, nrow to a row, with a border around each; grey ones in three channels.

    Shape: (B, C, H, W), a list of (C, H, W), or one image -> (C, rows · (H + padding) + padding, ...).
    normalize: whether values are spread over [0, 1]: from value_range, or from their own least and most, of each image
    with scale_each. Raises: TypeError for what is no tensor.
    """
    images = _as_batch(tensor)
    if normalize is True:
        images = _normalized(images, value_range, scale_each)
    count, channels, height, width = aval(images).shape
    if count == 1:
        return images.squeeze(0)
    across = min(nrow, count)
    down = math.ceil(count / across)
    height, width = height + padding, width + padding
    # Each image with a border above and to its left, and with empty cells behind the last.
    cells = nnF.pad(images, (padding, 0, padding, 0, 0, 0, 0, across * down - count), value=pad_value)
    cells = cells.view(down, across, channels, height, width).permute(2, 0, 3, 1, 4)
    return nnF.pad(cells.reshape(channels, down * height, across * width), (0, padding, 0, padding), value=pad_value)


@no_grad()
def save_image(tensor, fp, format: str | None = None, **kwargs):
    """Save an image, or a grid of them, with values in [0, 1]. fp: a path or a file; kwargs: of `make_grid`."""
    grid = host(make_grid(tensor, **kwargs))
    pixels = np.clip(grid * grid.dtype.type(255) + grid.dtype.type(0.5), 0, 255).astype(np.uint8)
    Image.fromarray(pixels.transpose(1, 2, 0)).save(fp, format=format)


# Drawing.


def _check_image(image, what="Tensor expected, got {}", channels=(1, 3)):
    if not isinstance(image, Tensor):
        raise TypeError(what.format(type(image)))
    if not (image.dtype == dtypes.uint8 or image.is_floating_point()):
        raise ValueError(f"The image dtype must be uint8 or float, got {image.dtype}")
    if image.dim() != 3:
        raise ValueError("Pass individual images, not batches")
    if image.size(0) not in channels:
        few = channels == (1, 3)
        raise ValueError(
            "Only grayscale and RGB images are supported" if few else
            "Pass an RGB image. Other Image formats are not supported"
        )  # fmt: skip


def _colors_of(colors, count, dtype=dtypes.uint8):
    """A colour for each of several things, as numbers of a dtype's range. Raises ValueError for other kinds."""
    if colors is None:
        palette = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
        colors = [tuple((i * palette % 255).tolist()) for i in range(count)]
    elif isinstance(colors, list):
        if len(colors) < count:
            raise ValueError(
                f"Number of colors must be equal or larger than the number of objects, but got {len(colors)} < {count}."
            )
    elif not isinstance(colors, (tuple, str)):
        raise ValueError(f"colors must be a tuple or a string, or a list thereof, but got {colors}.")
    elif isinstance(colors, tuple) and len(colors) != 3:
        raise ValueError(f"If passed as tuple, colors should be an RGB triplet, but got {colors}.")
    else:
        colors = [colors] * count
    colors = [ImageColor.getrgb(color) if isinstance(color, str) else color for color in colors]
    return [tuple(v / 255 for v in color) for color in colors] if dtype.is_floating_point else colors


def _drawable(image):
    """A Pillow image of a tensor, in RGB."""
    image = image.expand(3, -1, -1) if image.size(0) == 1 else image
    return to_pil_image(convert_image_dtype(image, dtypes.uint8))


def _drawn(canvas, dtype):
    """What was drawn on, as a tensor of the first dtype."""
    out = pil_to_tensor(canvas)
    return out.to(dtype).mul_(1.0 / 255) if dtype.is_floating_point else out


def _font(font, font_size):
    if font is not None:
        return ImageFont.truetype(font=font, size=font_size or 10)
    if font_size is not None:
        warnings.warn("Argument 'font_size' will be ignored since 'font' is not set.", stacklevel=4)
    return ImageFont.load_default()


@no_grad()
def draw_bounding_boxes(
    image,
    boxes,
    labels=None,
    colors=None,
    fill: bool | None = False,
    width: int = 1,
    font=None,
    font_size: int | None = None,
    label_colors=None,
    label_background_colors=None,
    fill_labels: bool = False,
):
    """A copy of the image with boxes and their labels. Shape: image (1 or 3, H, W), boxes (N, 4) -> (3, H, W).

    boxes: (xmin, ymin, xmax, ymax). colors: one, or a list: names, #hex or triplets. Raises TypeError and ValueError.
    """
    _check_image(image)
    corners = host(boxes)
    if corners.shape[-1] == 4 and ((corners[:, 0] > corners[:, 2]).any() or (corners[:, 1] > corners[:, 3]).any()):
        raise ValueError(
            "Boxes need to be in (xmin, ymin, xmax, ymax) format. Use torchvision.ops.box_convert to convert them"
        )
    count = len(corners)
    if count == 0:
        warnings.warn("boxes doesn't contain any box. No box was drawn", stacklevel=3)
        return image
    labels = [None] * count if labels is None else labels
    if len(labels) != count:
        raise ValueError(
            f"Number of boxes ({count}) and labels ({len(labels)}) mismatch. Please specify labels for each box."
        )
    colors = _colors_of(colors, count)
    lettering = _colors_of(label_colors or "black", count) if label_colors or fill_labels else colors
    behind = _colors_of(label_background_colors, count) if fill_labels and label_background_colors else colors
    font = _font(font, font_size)
    canvas = _drawable(image)
    draw = ImageDraw.Draw(canvas, "RGBA") if fill else ImageDraw.Draw(canvas)
    things = zip(corners.astype(np.int64).tolist(), colors, labels, lettering, behind, strict=False)
    for box, color, label, letters, ground in things:
        draw.rectangle(box, width=width, outline=color, fill=(*color, 100) if fill else None)
        if label is not None:
            _write(
                draw, (box[0] + width + 1, box[1] + width + 1), label, font, letters, ground if fill_labels else None
            )
    return _drawn(canvas, image.dtype)


def _write(draw, place, label, font, color, ground):
    """A label, on a ground where there is one."""
    if ground is not None:
        left, top, right, bottom = draw.textbbox(place, label, font=font)
        draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=ground)
    draw.text(place, label, fill=color, font=font)


@no_grad()
def draw_segmentation_masks(image, masks, alpha: float = 0.8, colors=None):
    """A copy of the image with masks in colours. Shape: image (3, H, W), masks (N, H, W) or (H, W) -> (3, H, W).

    Raises TypeError and ValueError for other images and masks.
    """
    _check_image(image, "The image must be a tensor, got {}", (3,))
    masks = masks[None] if masks.ndim == 2 else masks
    if masks.ndim != 3:
        raise ValueError("masks must be of shape (H, W) or (batch_size, H, W)")
    if masks.dtype != dtypes.bool_:
        raise ValueError(f"The masks must be of dtype bool. Got {masks.dtype}")
    if masks.shape[-2:] != image.shape[-2:]:
        raise ValueError("The image and the masks must have the same height and width")
    if masks.size(0) == 0:
        warnings.warn("masks doesn't contain any mask. No mask was drawn", stacklevel=3)
        return image
    dtype = image.dtype
    seen, shown = host(masks), host(image).copy()
    for mask, color in zip(seen, _colors_of(colors, len(seen), dtype), strict=False):
        shown[:, mask] = np.array(color).astype(shown.dtype)[:, None]
    shown[:, seen.sum(0) > 1] = 0
    return (image * (1 - alpha) + as_tensor(shown, device=image.device) * alpha).to(dtype)


@no_grad()
def draw_keypoints(image, keypoints, connectivity=None, colors=None, radius: int = 2, width: int = 3, visibility=None):
    """A copy of the image with points, and lines between them. Shape: (3, H, W), keypoints (N, K, 2) -> (3, H, W).

    connectivity: pairs of points. visibility: (N, K) bools. Raises TypeError and ValueError for other inputs.
    """
    _check_image(image, "The image must be a tensor, got {}", (3,))
    if keypoints.ndim != 3:
        raise ValueError("keypoints must be of shape (num_instances, K, 2)")
    seen = np.ones(keypoints.shape[:-1], bool) if visibility is None else host(visibility).astype(bool)
    seen = seen[..., 0] if seen.ndim == 3 else seen
    if seen.ndim != 2:
        raise ValueError(f"visibility must be of shape (num_instances, K). Got ndim={seen.ndim}")
    if seen.shape != tuple(keypoints.shape[:-1]):
        raise ValueError(
            "keypoints and visibility must have the same dimensionality for num_instances and K. "
            f"Got visibility.shape={visibility.shape!r} and keypoints.shape={keypoints.shape!r}"
        )
    canvas = _drawable(image)
    draw = ImageDraw.Draw(canvas)
    for points, visible in zip(host(keypoints).astype(np.int64).tolist(), seen.tolist(), strict=True):
        for (x, y), here in zip(points, visible, strict=True):
            if here:
                draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colors, outline=None, width=0)
        for one, other in connectivity or ():
            if visible[one] and visible[other]:
                draw.line((tuple(points[one]), tuple(points[other])), width=width)
    return _drawn(canvas, image.dtype)
