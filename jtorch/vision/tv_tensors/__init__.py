"""torchvision.tv_tensors: tensors that say what they are, so that transforms of samples know what to do with them."""

from jtorch.vision.tv_tensors._bounding_boxes import BoundingBoxes, BoundingBoxFormat, is_rotated_bounding_format
from jtorch.vision.tv_tensors._image import Image, Mask, Video
from jtorch.vision.tv_tensors._tv_tensor import TVTensor, set_return_type, wrap
