"""Boxes, with the form in which they are written and the size of their image."""

from enum import Enum

from jtorch._tensor import Tensor, aval
from jtorch.vision.tv_tensors._tv_tensor import TVTensor, tagged


class BoundingBoxFormat(Enum):
    """How a box is written: corners, corner and size, middle and size, and the three of turned boxes."""

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    CXCYWHR = "CXCYWHR"
    XYXYXYXY = "XYXYXYXY"


def is_rotated_bounding_format(format):
    """Whether it is one of turned boxes. Raises ValueError for what is no format."""
    if not isinstance(format, (BoundingBoxFormat, str)):
        raise ValueError(f"format should be str or BoundingBoxFormat, got {type(format)}")
    return getattr(format, "value", format) in ("XYWHR", "CXCYWHR", "XYXYXYXY")


class BoundingBoxes(TVTensor):
    """Boxes (N, 4), or of turned ones (N, 5) and (N, 8).

    format: a BoundingBoxFormat or its name; canvas_size: (height, width) of the image; clamping_mode: soft, hard or
    None. Raises ValueError for other dims and modes, and for turned boxes of whole numbers.
    """

    format: BoundingBoxFormat
    canvas_size: tuple[int, int]
    clamping_mode: str | None

    def __new__(
        cls, data, *, format, canvas_size, clamping_mode="soft", dtype=None, device=None, requires_grad=None
    ):  # fmt: skip
        tensor = cls._to_tensor(data, dtype, device, requires_grad)
        if is_rotated_bounding_format(format) and not aval(tensor).dtype.is_floating_point:
            raise ValueError(f"Rotated bounding boxes should be floating point tensors, got {aval(tensor).dtype}.")
        return cls._wrap(tensor, format=format, canvas_size=canvas_size, clamping_mode=clamping_mode)

    @classmethod
    def _wrap(cls, tensor, *, format, canvas_size, clamping_mode="soft", check_dims=True):
        if check_dims and aval(tensor).ndim not in (1, 2):
            raise ValueError(f"Expected a 1D or 2D tensor, got {aval(tensor).ndim}D")
        if clamping_mode not in (None, "hard", "soft"):
            raise ValueError(f"clamping_mode must be None, hard or soft, got {clamping_mode}.")
        boxes = tagged(tensor.unsqueeze(0) if check_dims and aval(tensor).ndim == 1 else tensor, cls)
        boxes.format = BoundingBoxFormat[format.upper()] if isinstance(format, str) else format
        boxes.canvas_size, boxes.clamping_mode = canvas_size, clamping_mode
        return boxes

    @classmethod
    def wrap(cls, tensor, like, **kwargs):
        """A tensor as boxes, as others are. kwargs: format, canvas_size and clamping_mode that are other."""
        return cls._wrap(tensor, **{**_facts(like), **kwargs})

    @classmethod
    def _wrap_output(cls, output, args=(), kwargs=None):
        first = next(x for x in (*args, *(kwargs or {}).values()) if isinstance(x, BoundingBoxes))
        if isinstance(output, (tuple, list)):
            return type(output)(cls._wrap(part, **_facts(first), check_dims=False) for part in output)
        if isinstance(output, Tensor) and not isinstance(output, BoundingBoxes):
            return cls._wrap(output, **_facts(first), check_dims=False)
        return output

    def __repr__(self, *, tensor_contents=None):
        return self._make_repr(**_facts(self))


def _facts(boxes):
    return {name: getattr(boxes, name) for name in ("format", "canvas_size", "clamping_mode")}
