"""make_grid, save_image and drawing: torchvision's pixels, errors and warnings."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.vision.reference import pixels, same


def floats(torch, shape=(7, 3, 5, 4)):
    return torch.from_numpy(pixels(shape, dtype=np.float32) * 3 - 1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"nrow": 3},
        {"nrow": 20, "padding": 0},
        {"padding": 5, "pad_value": 0.5},
        {"normalize": True},
        {"normalize": True, "scale_each": True},
        {"normalize": True, "value_range": (-0.5, 1.0)},
        {"normalize": True, "value_range": [-0.5, 1.0]},
    ],
)
def test_grids(options):
    def grids(torch, vision):
        grid, x = vision.utils.make_grid, floats(torch)
        return [grid(x, **options), grid(list(x), **options), grid(x[:, :1], **options), grid(x[0], **options),
                grid(x[0, 0], **options), grid(x[:1], **options), x]  # fmt: skip

    same(grids, str(options))


def test_grids_of_bytes_and_of_other_things():
    same(lambda torch, vision: vision.utils.make_grid(torch.from_numpy(pixels((5, 3, 4, 4))), pad_value=9))
    same(lambda torch, vision: vision.utils.make_grid("a"))
    same(lambda torch, vision: vision.utils.make_grid([1, 2]))
    same(lambda torch, vision: vision.utils.make_grid(floats(torch).requires_grad_()).requires_grad)


def test_saved_images(tmp_path):
    def saved(torch, vision):
        vision.utils.save_image(floats(torch), tmp_path / f"{torch.__name__}.png", nrow=2, normalize=True)
        file = io.BytesIO()
        vision.utils.save_image(floats(torch)[0], file, format="bmp")
        return Image.open(tmp_path / f"{torch.__name__}.png"), Image.open(file)

    same(saved)


BOXES = [[1, 2, 12, 9], [0, 0, 5, 20], [10, 10, 29, 19]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"colors": "red", "width": 2},
        {"colors": ["#ff00ff", (1, 2, 3), "blue"], "fill": True},
        {"labels": ["a", None, "cat"]},
        {"labels": ["a", "b", "c"], "fill_labels": True, "label_colors": "white", "label_background_colors": "green"},
        {"labels": ["a"]},
        {"colors": ["red"]},
        {"colors": 3},
        {"colors": (1, 2)},
        {"font_size": 12},
    ],
)
def test_boxes(options):
    def drawn(torch, vision):
        draw, boxes = vision.utils.draw_bounding_boxes, torch.tensor(BOXES)
        whole = torch.from_numpy(pixels((3, 24, 32)))
        real = torch.from_numpy(pixels((1, 24, 32), dtype=np.float32))
        return [draw(whole, boxes, **options), draw(real, boxes.float() + 0.5, **options), whole]

    same(drawn, str(options))


def test_boxes_that_cannot_be_drawn():
    same(lambda torch, vision: vision.utils.draw_bounding_boxes("a", torch.tensor(BOXES)))
    same(lambda torch, vision: vision.utils.draw_bounding_boxes(torch.zeros(3, 9, 9).int(), torch.tensor(BOXES)))
    same(lambda torch, vision: vision.utils.draw_bounding_boxes(torch.zeros(1, 3, 9, 9), torch.tensor(BOXES)))
    same(lambda torch, vision: vision.utils.draw_bounding_boxes(torch.zeros(2, 9, 9), torch.tensor(BOXES)))
    same(lambda torch, vision: vision.utils.draw_bounding_boxes(torch.zeros(3, 9, 9), torch.tensor([[5, 5, 1, 9]])))
    same(lambda torch, vision: vision.utils.draw_bounding_boxes(torch.zeros(3, 9, 9), torch.zeros(0, 4)), warns=True)


def test_masks_and_points():
    def drawn(torch, vision):
        x, real = torch.from_numpy(pixels((3, 12, 16))), torch.from_numpy(pixels((3, 12, 16), dtype=np.float32))
        masks = torch.from_numpy(pixels((2, 12, 16), 3) > 127)
        points = torch.tensor([[[3.0, 4.0], [9.0, 8.0], [12.0, 2.0]]])
        mask, point = vision.utils.draw_segmentation_masks, vision.utils.draw_keypoints
        seen = torch.tensor([[True, True, False]])
        return [
            mask(x, masks),
            mask(real, masks[0], 0.5, "red"),
            point(x, points, [(0, 1)], "blue"),
            point(real, points, [(0, 1), (1, 2)], (9, 8, 7), visibility=seen),
        ]

    same(drawn)
    same(lambda torch, vision: vision.utils.draw_segmentation_masks(torch.zeros(3, 4, 4), torch.zeros(3, 3).bool()))
    same(lambda torch, vision: vision.utils.draw_segmentation_masks(torch.zeros(3, 4, 4), torch.zeros(4, 4)))
    same(lambda torch, vision: vision.utils.draw_keypoints(torch.zeros(3, 4, 4), torch.zeros(4, 4)))
