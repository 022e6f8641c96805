"""Transforms that turn, shear, tilt and warp the image at random."""

from collections.abc import Sequence

from jtorch._tensor import Tensor
from jtorch.autograd.apply import call
from jtorch.nn.modules.module import Module
from jtorch.vision.transforms import _draws
from jtorch.vision.transforms import functional as F
from jtorch.vision.transforms._functional_tensor import on_host
from jtorch.vision.transforms._modes import InterpolationMode, maybe_mode
from jtorch.vision.transforms._sizes import check_sequence, checked_fill, setup_angle


def fill_of(img, fill):
    """A fill colour as a list of floats for tensors, as it is for Pillow."""
    if not isinstance(img, Tensor) or fill is None:
        return fill
    return [float(fill)] * F.get_dimensions(img)[0] if isinstance(fill, (int, float)) else [float(f) for f in fill]


class RandomRotation(Module):
    """The image turned by an angle within degrees, (min, max) or ± one number."""

    def __init__(self, degrees, interpolation=InterpolationMode.NEAREST, expand=False, center=None, fill=0):
        super().__init__()
        self.degrees = setup_angle(degrees, "degrees")
        if center is not None:
            check_sequence(center, "center", (2,))
        self.center = center
        self.interpolation = maybe_mode(interpolation)
        self.expand = expand
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(degrees):
        """The angle, drawn."""
        return _draws.uniform(*degrees)

    def forward(self, img):
        fill = fill_of(img, self.fill)
        angle = self.get_params(self.degrees)
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, fill)

    def __repr__(self):
        center = f", center={self.center}" if self.center is not None else ""
        return (
            f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}, "
            f"expand={self.expand}{center}, fill={self.fill})"
        )


class RandomAffine(Module):
    """The image turned, moved, scaled and sheared at random.

    degrees, shear: (min, max) or ± one number, shear also (min, max) of x and of y; translate: at most so much of
    (width, height); scale: (min, max). Raises: TypeError and ValueError for other ranges.
    """

    def __init__(
        self,
        degrees,
        translate=None,
        scale=None,
        shear=None,
        interpolation=InterpolationMode.NEAREST,
        fill=0,
        center=None,
    ):
        super().__init__()
        self.degrees = setup_angle(degrees, "degrees")
        if translate is not None:
            check_sequence(translate, "translate", (2,))
            if any(not 0.0 <= t <= 1.0 for t in translate):
                raise ValueError("translation values should be between 0 and 1")
        self.translate = translate
        if scale is not None:
            check_sequence(scale, "scale", (2,))
            if any(s <= 0 for s in scale):
                raise ValueError("scale values should be positive")
        self.scale = scale
        self.shear = None if shear is None else setup_angle(shear, "shear", (2, 4))
        self.interpolation = maybe_mode(interpolation)
        self.fill = checked_fill(fill)
        if center is not None:
            check_sequence(center, "center", (2,))
        self.center = center

    @staticmethod
    def get_params(degrees, translate, scale_ranges, shears, img_size):
        """(angle, translations, scale, shear), drawn. img_size: [width, height]."""
        angle = _draws.uniform(*degrees)
        moved = (0, 0)
        if translate is not None:
            most = [float(part * size) for part, size in zip(translate, img_size, strict=True)]
            moved = tuple(int(round(_draws.uniform(-m, m))) for m in most)
        scale = _draws.uniform(*scale_ranges) if scale_ranges is not None else 1.0
        shear_x = _draws.uniform(shears[0], shears[1]) if shears is not None else 0.0
        shear_y = _draws.uniform(shears[2], shears[3]) if shears is not None and len(shears) == 4 else 0.0
        return angle, moved, scale, (shear_x, shear_y)

    def forward(self, img):
        fill = fill_of(img, self.fill)
        _, height, width = F.get_dimensions(img)
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, [width, height])
        return F.affine(img, *drawn, interpolation=self.interpolation, fill=fill, center=self.center)

    def __repr__(self):
        given = {name: getattr(self, name) for name in ("translate", "scale", "shear")}
        given = {name: value for name, value in given.items() if value is not None}
        if self.interpolation != InterpolationMode.NEAREST:
            given["interpolation"] = self.interpolation.value
        if self.fill != 0:
            given["fill"] = self.fill
        if self.center is not None:
            given["center"] = self.center
        return f"{type(self).__name__}(degrees={self.degrees}{''.join(f', {k}={v}' for k, v in given.items())})"


class RandomPerspective(Module):
    """The image seen from another side with probability p: each corner moves by at most a part of half the size."""

    def __init__(self, distortion_scale=0.5, p=0.5, interpolation=InterpolationMode.BILINEAR, fill=0):
        super().__init__()
        self.p = p
        self.distortion_scale = distortion_scale
        self.interpolation = maybe_mode(interpolation)
        self.fill = checked_fill(fill)

    def forward(self, img):
        fill = fill_of(img, self.fill)
        _, height, width = F.get_dimensions(img)
        if not _draws.chance(self.p):
            return img
        start, end = self.get_params(width, height, self.distortion_scale)
        return F.perspective(img, start, end, self.interpolation, fill)

    @staticmethod
    def get_params(width, height, distortion_scale):
        """(the four corners, where they go), drawn: top left, top right, bottom right, bottom left."""
        across, down = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
        left, right = (0, across + 1), (width - across - 1, width)
        top, bottom = (0, down + 1), (height - down - 1, height)
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        end = [[_draws.randint(*x), _draws.randint(*y)] for x, y in corners]
        return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], end

    def __repr__(self):
        return f"{type(self).__name__}(p={self.p})"


def _two_floats(value, name):
    """[x, y] of a float or a pair of floats. Raises TypeError and ValueError."""
    if not isinstance(value, (float, Sequence)):
        raise TypeError(f"{name} should be float or a sequence of floats. Got {type(value)}")
    if isinstance(value, float):
        return [value, value]
    if len(value) != 2:
        raise ValueError(f"If {name} is a sequence its length should be 2. Got {len(value)}")
    for element in value:
        if not isinstance(element, float):
            raise TypeError(f"{name} should be a sequence of floats. Got {type(element)}")
    return value


class ElasticTransform(Module):
    """Each pixel looked up some way off, in a smooth random field. alpha: how far; sigma: how smooth."""

    def __init__(self, alpha=50.0, sigma=5.0, interpolation=InterpolationMode.BILINEAR, fill=0):
        super().__init__()
        self.alpha = _two_floats(alpha, "alpha")
        self.sigma = _two_floats(sigma, "sigma")
        self.interpolation = maybe_mode(interpolation)
        if not isinstance(fill, (int, float, list, tuple)):
            raise TypeError(f"fill should be int or float or a list or tuple of them. Got {type(fill)}")
        self.fill = [float(fill)] if isinstance(fill, (int, float)) else [float(f) for f in fill]

    @staticmethod
    def get_params(alpha, sigma, size):
        """The field, drawn. Shape: (1, H, W, 2)."""
        fields = []
        for far, smooth, n in zip(alpha, sigma, reversed(size), strict=True):
            field = on_host(_draws.rand_array((1, 1, *size))) * 2 - 1
            if smooth > 0.0:
                kernel = int(8 * smooth + 1) | 1
                field = F.gaussian_blur(field, [kernel, kernel], sigma)
            fields.append(field * far / n)
        return call("cat", fields, 1).permute(0, 2, 3, 1)

    def forward(self, tensor):
        _, height, width = F.get_dimensions(tensor)
        field = self.get_params(self.alpha, self.sigma, [height, width])
        return F.elastic_transform(tensor, field, self.interpolation, self.fill)

    def __repr__(self):
        return (
            f"{type(self).__name__}(alpha={self.alpha}, sigma={self.sigma}, interpolation={self.interpolation}, "
            f"fill={self.fill})"
        )
