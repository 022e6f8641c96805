"""Files and their bytes as tensors: what Pillow reads in them, in the channels of torchvision's modes."""

import io

import numpy as np
import pytest
from PIL import Image

import jtorch
from jtorch.vision.io import ImageReadMode
from tests.vision.reference import image, pixels, same

files = jtorch.vision.io


@pytest.mark.parametrize("mode", ("L", "RGB", "RGBA", "LA", "P", "1"))
def test_files_are_read_into_channels(mode, tmp_path):
    picture = image().convert(mode) if mode != "RGBA" else image(mode="RGBA")
    picture.save(tmp_path / "x.png")
    kept = {"P": "RGB", "1": "L"}.get(mode, mode)
    for wanted, name in (
        ("UNCHANGED", kept),
        ("GRAY", "L"),
        ("GRAY_ALPHA", "LA"),
        ("RGB", "RGB"),
        ("RGB_ALPHA", "RGBA"),
    ):
        for given in (ImageReadMode[wanted], wanted.lower()):
            out = files.read_image(str(tmp_path / "x.png"), given)
            expected = np.asarray(picture.convert(name))
            expected = expected[None] if expected.ndim == 2 else expected.transpose(2, 0, 1)
            assert out.dtype is jtorch.uint8 and (out.numpy() == expected).all(), (wanted, name)
    assert files.decode_png(files.read_file(tmp_path / "x.png")).shape[0] == len(Image.new(kept, (1, 1)).getbands())


def test_what_is_written_is_read_again(tmp_path):
    for channels in (1, 3):
        x = jtorch.from_numpy(pixels((channels, 9, 7)))
        files.write_png(x, tmp_path / "x.png", 9)
        assert (files.read_image(tmp_path / "x.png") == x).all()
        files.write_jpeg(x, tmp_path / "x.jpg", 95)
        with Image.open(tmp_path / "x.jpg") as shown:
            expected = np.asarray(shown)
        out = files.decode_jpeg(files.read_file(tmp_path / "x.jpg"))
        assert (out.numpy() == (expected[None] if channels == 1 else expected.transpose(2, 0, 1))).all()
    both = files.encode_jpeg([x, x], 50)
    assert len(files.decode_jpeg(both)) == 2
    files.write_file(tmp_path / "bytes", jtorch.arange(7, dtype=jtorch.uint8))
    assert files.read_file(tmp_path / "bytes").tolist() == list(range(7))


def test_other_formats_and_orientations(tmp_path):
    deep = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    out = files.read_image(tmp_path / "deep.png")
    assert out.dtype is jtorch.uint16 and (out.numpy()[0] == deep).all()
    frames = [image(seed=i).quantize() for i in range(3)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert files.decode_image(tmp_path / "x.gif").shape == (3, 3, 17, 23)
    file = io.BytesIO()
    image().save(file, "WEBP", lossless=True)
    encoded = jtorch.from_numpy(np.frombuffer(file.getvalue(), np.uint8).copy())
    assert (files.decode_webp(encoded).numpy() == np.asarray(image()).transpose(2, 0, 1)).all()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image().save(tmp_path / "turned.png", exif=exif)
    assert files.read_image(tmp_path / "turned.png").shape == (3, 17, 23)
    turned = files.read_image(tmp_path / "turned.png", apply_exif_orientation=True)
    assert (turned.numpy() == np.rot90(np.asarray(image()), -1).transpose(2, 0, 1)).all()


def test_errors(tmp_path):
    (tmp_path / "text").write_text("no image")
    for call, error in (
        (lambda: files.read_image(tmp_path / "none"), "No such file or directory"),
        (lambda: files.read_image(tmp_path / "text"), "Unsupported image file"),
        (lambda: files.decode_image(jtorch.zeros(3)), "1-dimensional tensor of dtype uint8"),
        (lambda: files.encode_png(jtorch.zeros(3, 4, 4)), "dtype should be uint8"),
        (lambda: files.encode_png(jtorch.zeros(4, 4).byte()), "should be a 3-dimensional tensor"),
        (lambda: files.encode_png(jtorch.zeros(2, 4, 4).byte()), "channels should be 1 or 3, got: 2"),
        (lambda: files.encode_png(jtorch.zeros(1, 4, 4).byte(), 11), "between 0 and 9"),
        (lambda: files.write_file(tmp_path / "x", jtorch.zeros(3)), "dtype should be uint8"),
        (lambda: files.write_file(tmp_path / "x", jtorch.zeros(1, 3).byte()), "1-dimensional"),
    ):
        with pytest.raises(RuntimeError, match=error):
            call()
    for call in (
        lambda: files.encode_jpeg([]),
        lambda: files.encode_jpeg(jtorch.zeros(1), 0),
        lambda: files.decode_jpeg([]),
    ):
        with pytest.raises(ValueError):
            call()


def test_modes():
    same(lambda torch, vision: [(mode.name, mode.value) for mode in vision.io.ImageReadMode])
    same(lambda torch, vision: vision.io.ImageReadMode.RGBA.name)
    same(lambda torch, vision: vision.get_image_backend())
