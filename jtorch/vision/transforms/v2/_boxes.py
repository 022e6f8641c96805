"""What transforms do to boxes: (transform, BoundingBoxes) -> BoundingBoxes, by the transform's name."""

import numpy as np

from jtorch._tensor import aval, from_host
from jtorch.autograd.apply import call
from jtorch.vision.transforms import _draws
from jtorch.vision.transforms._sizes import output_size
from jtorch.vision.tv_tensors import BoundingBoxFormat, wrap
from jtorch.vision.tv_tensors._tv_tensor import plain

_PLAIN = (BoundingBoxFormat.XYXY, BoundingBoxFormat.XYWH, BoundingBoxFormat.CXCYWH)


def _checked(boxes):
    """The numbers of boxes that are not turned. Raises NotImplementedError for turned ones."""
    if boxes.format not in _PLAIN:
        raise NotImplementedError(
            f"boxes of format {boxes.format.name} are not there; {_PLAIN[0].name} and its like are"
        )
    return plain(boxes)


def _flip(axis):
    def rule(self, boxes):
        size, numbers = boxes.canvas_size[1 - axis], _checked(boxes)
        if not _draws.chance(self.p):
            return boxes
        columns = list(numbers.unbind(-1))
        low, other = columns[axis], columns[axis + 2]
        if boxes.format is BoundingBoxFormat.XYXY:
            columns[axis], columns[axis + 2] = size - other, size - low
        else:
            columns[axis] = size - (low + other if boxes.format is BoundingBoxFormat.XYWH else low)
        return wrap(call("stack", columns, -1), like=boxes)

    return rule


def _resize(self, boxes):
    numbers = _checked(boxes)
    height, width = boxes.canvas_size
    new = output_size([height, width], self.size, self.max_size)
    ratios = np.array([new[1] / width, new[0] / height] * 2, np.float32)
    seen = aval(numbers)
    return wrap((numbers * from_host(ratios, device=seen.device)).to(seen.dtype), like=boxes, canvas_size=tuple(new))


RULES = {"RandomHorizontalFlip": _flip(0), "RandomVerticalFlip": _flip(1), "Resize": _resize}
