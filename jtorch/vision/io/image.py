"""Image files and their bytes as tensors (C, H, W), by Pillow.

Grey made of colours, and pixels of JPEG files, may differ by one from what torchvision's own decoders give.
"""

import io
from enum import Enum

import numpy as np

from jtorch import devices, dtypes
from jtorch._tensor import Tensor, aval, from_host, host
from jtorch.vision.pillow import Image, ImageOps, of_array
from jtorch.vision.transforms.functional import pil_to_tensor


class ImageReadMode(Enum):
    """The channels that a file is read into. UNCHANGED: those that it has, a palette's colours written out."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}


def _mode(mode):
    return ImageReadMode[mode.upper()] if isinstance(mode, str) else mode


def read_file(path):
    """The bytes of a file. Shape: (n,), uint8. Raises RuntimeError where there is none."""
    try:
        with open(path, "rb") as file:
            return from_host(np.frombuffer(file.read(), np.uint8), device=devices.CPU)
    except OSError as error:
        raise RuntimeError(f"[Errno {error.errno}] {error.strerror}: '{path}'") from None


def write_file(filename, data):
    """Write bytes into a file. Shape: data (n,), uint8. Raises RuntimeError for other dtypes and dims."""
    if aval(data).dtype is not dtypes.uint8:
        raise RuntimeError("Input tensor dtype should be uint8")
    if data.dim() != 1:
        raise RuntimeError("Input data should be a 1-dimensional tensor")
    with open(filename, "wb") as file:
        file.write(host(data).tobytes())


def _opened(input, formats=None):
    """A Pillow image of bytes in a tensor. Raises RuntimeError for what is no image of these formats."""
    if aval(input).dtype is not dtypes.uint8 or input.dim() != 1 or not input.numel():
        raise RuntimeError("Expected a non empty 1-dimensional tensor of dtype uint8")
    try:
        return Image.open(io.BytesIO(host(input).tobytes()), formats=formats)
    except OSError:
        raise RuntimeError(
            f"Unsupported image file. Only {', '.join(formats or ('jpeg', 'png', 'webp', 'gif'))} are supported."
        ) from None


def _tensor(image, mode, apply_exif_orientation):
    """The pixels in the channels of a mode."""
    if apply_exif_orientation:
        image = ImageOps.exif_transpose(image)
    wanted = _MODES.get(_mode(mode))
    if wanted is None:
        wanted = {"1": "L", "P": "RGBA" if "transparency" in image.info else "RGB", "PA": "RGBA"}.get(image.mode)
    if image.mode.startswith("I;16"):
        pixels = np.asarray(image).astype(np.uint16)
        return from_host(pixels[None], device=devices.CPU)
    return pil_to_tensor(image if wanted in (None, image.mode) else image.convert(wanted))


def decode_image(input, mode=ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False):
    """An image's bytes, or a file, as pixels. Shape: (n,) or a path -> (C, H, W); of GIFs with frames (N, 3, H, W).

    Raises RuntimeError for what is no image.
    """
    input = input if isinstance(input, Tensor) else read_file(str(input))
    image = _opened(input)
    if image.format == "GIF":
        return decode_gif(input)
    return _tensor(image, mode, apply_exif_orientation)


def read_image(path, mode=ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False):
    """A file as pixels. Shape: (C, H, W), uint8; 16-bit PNGs as uint16. Raises RuntimeError for what is no image."""
    return decode_image(read_file(path), mode, apply_exif_orientation)


def decode_png(input, mode=ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False):
    """As decode_image, of PNG alone."""
    return _tensor(_opened(input, ["PNG"]), mode, apply_exif_orientation)


def decode_jpeg(input, mode=ImageReadMode.UNCHANGED, device="cpu", apply_exif_orientation: bool = False):
    """As decode_image, of JPEG alone; a list of tensors gives a list. Raises ValueError for an empty list."""
    if not isinstance(input, list):
        return _tensor(_opened(input, ["JPEG"]), mode, apply_exif_orientation).to(devices.get(device))
    if len(input) == 0:
        raise ValueError("Input list must contain at least one element")
    if not all(isinstance(t, Tensor) for t in input):
        raise ValueError("All elements of the input list must be tensors.")
    return [decode_jpeg(each, mode, device, apply_exif_orientation) for each in input]


def decode_webp(input, mode=ImageReadMode.UNCHANGED):
    """As decode_image, of WebP alone."""
    return _tensor(_opened(input, ["WEBP"]), mode, False)


def decode_gif(input):
    """The frames of a GIF. Shape: (n,) -> (3, H, W) of one frame, (N, 3, H, W) of several."""
    image = _opened(input, ["GIF"])
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append(np.asarray(image.convert("RGB")).transpose(2, 0, 1))
    return from_host(np.stack(frames) if len(frames) > 1 else np.array(frames[0]), device=devices.CPU)


def _encoded(input, format, channels, **options):
    """The bytes of a file of these pixels. Raises RuntimeError for other dtypes and shapes."""
    if aval(input).dtype is not dtypes.uint8:
        raise RuntimeError("Input tensor dtype should be uint8")
    if input.dim() != 3:
        raise RuntimeError("Input data should be a 3-dimensional tensor")
    if input.size(0) not in channels:
        raise RuntimeError(f"The number of channels should be {' or '.join(map(str, channels))}, got: {input.size(0)}")
    pixels, file = host(input).transpose(1, 2, 0), io.BytesIO()
    image = of_array(pixels[..., 0], "L") if pixels.shape[2] == 1 else of_array(pixels, "RGB")
    image.save(file, format, **options)
    return from_host(np.frombuffer(file.getvalue(), np.uint8), device=devices.CPU)


def encode_png(input, compression_level: int = 6):
    """The bytes of a PNG file. Shape: (1 or 3, H, W), uint8 -> (n,). Raises RuntimeError for others, and levels."""
    if not 0 <= compression_level <= 9:
        raise RuntimeError("Compression level should be between 0 and 9")
    return _encoded(input, "PNG", (1, 3), compress_level=compression_level)


def encode_jpeg(input, quality: int = 75):
    """The bytes of a JPEG file; a list gives a list. Shape: (1 or 3, H, W), uint8 -> (n,).

    Raises ValueError for a quality outside 1 to 100, RuntimeError for other pixels.
    """
    if quality < 1 or quality > 100:
        raise ValueError("Image quality should be a positive number between 1 and 100")
    if isinstance(input, list):
        if not input:
            raise ValueError("encode_jpeg requires at least one input tensor when a list is passed")
        return [encode_jpeg(each, quality) for each in input]
    return _encoded(input, "JPEG", (1, 3), quality=quality)


def write_png(input, filename, compression_level: int = 6):
    """Write pixels into a PNG file."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input, filename, quality: int = 75):
    """Write pixels into a JPEG file."""
    write_file(filename, encode_jpeg(input, quality))
