"""Boxes of given sizes and shapes at each place of a map: what proposals start from."""

import numpy as np

from jtorch import dtypes
from jtorch._tensor import aval, from_host, host
from jtorch.nn.modules.module import Module


class AnchorGenerator(Module):
    """The anchors of each image. Shape: ImageList, [(N, C, H, W)] -> [(anchors, 4)].

    sizes, aspect_ratios (height by width): one tuple for each map; every ratio comes in every size, ratios outermost.
    Raises AssertionError where there are more or fewer maps.
    """

    def __init__(self, sizes=((128, 256, 512),), aspect_ratios=((0.5, 1.0, 2.0),)):
        super().__init__()
        if not isinstance(sizes[0], (list, tuple)):
            sizes = tuple((size,) for size in sizes)
        if not isinstance(aspect_ratios[0], (list, tuple)):
            aspect_ratios = (aspect_ratios,) * len(sizes)
        self.sizes = sizes
        self.aspect_ratios = aspect_ratios
        pairs = zip(sizes, aspect_ratios, strict=False)
        self.cell_anchors = [self.generate_anchors(size, ratios) for size, ratios in pairs]

    def generate_anchors(self, scales, aspect_ratios, dtype=dtypes.float32, device="cpu"):
        """The anchors of one place, around 0. Shape: -> (ratios * scales, 4)."""
        tall = np.sqrt(np.asarray(aspect_ratios, np.float32))
        scales = np.asarray(scales, np.float32)
        width, height = ((side[:, None] * scales).reshape(-1) for side in (np.float32(1) / tall, tall))
        return from_host(np.round(np.stack([-width, -height, width, height], 1) / 2), dtype, device)

    def set_cell_anchors(self, dtype, device):
        """Bring the anchors of one place to a dtype and a device."""
        self.cell_anchors = [anchors.to(dtype=dtype, device=device) for anchors in self.cell_anchors]

    def num_anchors_per_location(self):
        """How many there are at a place, for each map."""
        return [len(sizes) * len(ratios) for sizes, ratios in zip(self.sizes, self.aspect_ratios, strict=False)]

    def grid_anchors(self, grid_sizes, strides):
        """The anchors of whole maps. grid_sizes, strides: (height, width) of each map. Shape: -> [(anchors, 4)]."""
        if not len(grid_sizes) == len(strides) == len(self.cell_anchors):
            raise AssertionError(
                "Anchors should be Tuple[Tuple[int]] because each feature "
                "map could potentially have different sizes and aspect ratios. "
                "There needs to be a match between the number of "
                "feature maps passed and the number of sizes / aspect ratios specified."
            )
        out = []
        for (rows, columns), (down, across), cell in zip(grid_sizes, strides, self.cell_anchors, strict=True):
            y, x = np.meshgrid(np.arange(rows) * int(down), np.arange(columns) * int(across), indexing="ij")
            shifts = np.stack([x, y, x, y], -1).reshape(-1, 1, 4).astype(np.int32)
            around = host(cell)
            anchors = (shifts.astype(around.dtype) + around).reshape(-1, 4)
            out.append(from_host(anchors, device=aval(cell).device))
        return out

    def forward(self, image_list, feature_maps):
        first, (tall, wide) = aval(feature_maps[0]), image_list.tensors.shape[-2:]
        sizes = [tuple(m.shape[-2:]) for m in feature_maps]
        self.set_cell_anchors(first.dtype, first.device)
        maps = self.grid_anchors(sizes, [(tall // rows, wide // columns) for rows, columns in sizes])
        anchors = from_host(np.concatenate([host(m) for m in maps]), device=first.device)
        return [anchors] * len(image_list.image_sizes)
