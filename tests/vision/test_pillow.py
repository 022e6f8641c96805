"""jtorch.vision where Pillow is not installed: it can be imported, tensors go through, images ask for it."""

import subprocess
import sys

import numpy as np
import pytest

from jtorch.vision import pillow

WITHOUT = """
import sys
sys.modules["PIL"] = None
import numpy as np
import jtorch as torch
import jtorch.vision
from jtorch.vision import transforms as T
x = T.Compose([T.ToTensor(), T.RandomCrop(3), T.Normalize([0.5], [0.5])])(np.ones((4, 5, 3), np.uint8))
print(tuple(x.shape))
for what in (lambda: T.ToPILImage()(x), lambda: T.functional.hflip("x"), lambda: T.ToTensor()("x")):
    try:
        what()
    except ImportError as error:
        print(error)
"""


def test_without_pillow():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=120)
    shape, *said = done.stdout.splitlines()
    assert shape == "(3, 3, 3)", done.stderr
    assert len(said) == 3 and all("pip install 'jtorch-jax[vision]'" in line for line in said), done.stderr


@pytest.mark.parametrize("mode", ("L", "RGB", "RGBA"))
def test_images_of_arrays(mode):
    bands = len(mode)
    pixels = np.arange(6 * bands, dtype=np.uint8).reshape(2, 3, bands)
    shown = pillow.of_array((pixels if bands > 1 else pixels[..., 0])[::-1], mode)
    assert pillow.is_image(shown) and shown.mode == mode and shown.size == (3, 2)
    assert (np.asarray(shown).reshape(2, 3, bands) == pixels[::-1]).all()
