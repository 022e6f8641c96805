"""The functions of `transforms.functional` on Pillow images."""

import numbers

import numpy as np

from jtorch.vision.pillow import Image, ImageEnhance, ImageOps, is_image, of_array

# Pillow's numbers of its filters and methods, which are part of torchvision's interface.
NEAREST, BILINEAR, BICUBIC = 0, 2, 3


def check(img):
    """Raise TypeError for what is no Pillow image, ImportError where nothing could be."""
    if not is_image(img):
        if not Image.here:
            Image.Image  # noqa: B018  (says what is missing)
        raise TypeError(f"img should be PIL Image. Got {type(img)}")


def _is_pil_image(img):
    return is_image(img)


def get_dimensions(img):
    """[channels, height, width]. Raises TypeError for what is no image."""
    if is_image(img):
        return [len(img.getbands()), img.height, img.width]
    raise TypeError(f"Unexpected type {type(img)}")


def get_image_size(img):
    """[width, height]. Raises TypeError for what is no image."""
    if is_image(img):
        return list(img.size)
    raise TypeError(f"Unexpected type {type(img)}")


def get_image_num_channels(img):
    """How many bands. Raises TypeError for what is no image."""
    return get_dimensions(img)[0]


def hflip(img):
    """Left and right changed."""
    check(img)
    return img.transpose(Image.FLIP_LEFT_RIGHT)


def vflip(img):
    """Top and bottom changed."""
    check(img)
    return img.transpose(Image.FLIP_TOP_BOTTOM)


def adjust_brightness(img, brightness_factor):
    """Between black (0) and the image (1), and beyond."""
    check(img)
    return ImageEnhance.Brightness(img).enhance(brightness_factor)


def adjust_contrast(img, contrast_factor):
    """Between grey (0) and the image (1), and beyond."""
    check(img)
    return ImageEnhance.Contrast(img).enhance(contrast_factor)


def adjust_saturation(img, saturation_factor):
    """Between black and white (0) and the image (1), and beyond."""
    check(img)
    return ImageEnhance.Color(img).enhance(saturation_factor)


def adjust_sharpness(img, sharpness_factor):
    """Between blurred (0) and the image (1), and beyond."""
    check(img)
    return ImageEnhance.Sharpness(img).enhance(sharpness_factor)


def adjust_hue(img, hue_factor):
    """Hues turned by a part of the circle. Raises ValueError outside [-0.5, 0.5]."""
    if not (-0.5 <= hue_factor <= 0.5):
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    check(img)
    if img.mode in ("L", "1", "I", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    turned = np.array(hue, np.uint8) + np.int32(hue_factor * 255).astype(np.uint8)  # wraps around
    return Image.merge("HSV", (of_array(turned, "L"), saturation, value)).convert(img.mode)


def adjust_gamma(img, gamma, gain=1.0):
    """gain times the image to a power. Raises ValueError for a negative one."""
    check(img)
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    table = [int((255 + 1 - 1e-3) * gain * pow(level / 255.0, gamma)) for level in range(256)] * 3
    return img.convert("RGB").point(table).convert(img.mode)


def _check_pad(padding, fill, padding_mode):
    if not isinstance(padding, (numbers.Number, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if fill is not None and not isinstance(fill, (numbers.Number, tuple, list)):
        raise TypeError("Got inappropriate fill arg")
    if not isinstance(padding_mode, str):
        raise TypeError("Got inappropriate padding_mode arg")
    if isinstance(padding, (tuple, list)) and len(padding) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple")
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")


def _borders(padding):
    """(left, top, right, bottom)."""
    if isinstance(padding, int):
        return (padding,) * 4
    return tuple(padding) * (4 // len(padding))


def pad(img, padding, fill=0, padding_mode="constant"):
    """A border of one colour, or of the image itself. Negative borders cut. Raises TypeError and ValueError."""
    check(img)
    _check_pad(padding, fill, padding_mode)
    palette = img.getpalette() if img.mode == "P" else None
    if padding_mode == "constant":
        if isinstance(padding, (list, tuple)):
            padding = padding[0] if len(padding) == 1 else tuple(padding)
        out = ImageOps.expand(img, border=padding, **_parse_fill(fill, img, name="fill"))
    else:
        left, top, right, bottom = _borders(padding)
        cut = [max(-side, 0) for side in (left, top, right, bottom)]
        if any(cut):
            img = img.crop((cut[0], cut[1], img.width - cut[2], img.height - cut[3]))
        widths = [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0)), (0, 0)]
        pixels = np.asarray(img)
        out = Image.fromarray(np.pad(pixels, widths[: pixels.ndim], padding_mode))
    if palette is not None:
        out.putpalette(palette)
    return out


def crop(img, top, left, height, width):
    """A part of the image; black where it reaches beyond."""
    check(img)
    return img.crop((left, top, left + width, top + height))


def resize(img, size, interpolation=BILINEAR):
    """The image in another size. size: [height, width]. Raises TypeError for anything else."""
    check(img)
    if not (isinstance(size, list) and len(size) == 2):
        raise TypeError(f"Got inappropriate size arg: {size}")
    return img.resize(tuple(size[::-1]), interpolation)


def _parse_fill(fill, img, name="fillcolor"):
    """{name: a colour of as many numbers as the image has bands}."""
    bands = get_image_num_channels(img)
    fill = 0 if fill is None else fill
    if isinstance(fill, (int, float)) and bands > 1:
        fill = (fill,) * bands
    if isinstance(fill, (list, tuple)):
        if len(fill) == 1:
            fill = fill * bands
        elif len(fill) != bands:
            raise ValueError(
                "The number of elements in 'fill' does not match the number of channels of the image "
                f"({len(fill)} != {bands})"
            )
        fill = tuple(fill)
    if img.mode != "F":
        fill = tuple(int(x) for x in fill) if isinstance(fill, tuple) else int(fill)
    return {name: fill}


def affine(img, matrix, interpolation=NEAREST, fill=None):
    """The image under an affine map, given as the first two rows of its inverse."""
    check(img)
    return img.transform(img.size, Image.AFFINE, matrix, interpolation, **_parse_fill(fill, img))


def rotate(img, angle, interpolation=NEAREST, expand=False, center=None, fill=None):
    """The image turned by degrees, counter-clockwise."""
    check(img)
    return img.rotate(angle, interpolation, expand, center, **_parse_fill(fill, img))


def perspective(img, perspective_coeffs, interpolation=BICUBIC, fill=None):
    """The image seen from another side, by the eight coefficients of the inverse map."""
    check(img)
    return img.transform(img.size, Image.PERSPECTIVE, perspective_coeffs, interpolation, **_parse_fill(fill, img))


def to_grayscale(img, num_output_channels):
    """Black and white, in 1 band or 3. Raises ValueError for other numbers."""
    check(img)
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    img = img.convert("L")
    return img if num_output_channels == 1 else of_array(np.dstack([np.array(img, np.uint8)] * 3), "RGB")


def invert(img):
    """The negative."""
    check(img)
    return ImageOps.invert(img)


def posterize(img, bits):
    """With only so many bits per band."""
    check(img)
    return ImageOps.posterize(img, bits)


def solarize(img, threshold):
    """Pixels from a threshold on inverted."""
    check(img)
    return ImageOps.solarize(img, threshold)


def autocontrast(img):
    """Stretched to the whole range of values."""
    check(img)
    return ImageOps.autocontrast(img)


def equalize(img):
    """Stretched so that all values are equally frequent."""
    check(img)
    return ImageOps.equalize(img)
