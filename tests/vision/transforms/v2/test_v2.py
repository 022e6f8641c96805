"""Transforms of whole samples: images beside labels, the same draws for all images, v2's texts."""

import numpy as np

from tests.vision.reference import image, pixels, same

TRANSFORMS = """
T.Resize(10)
T.Resize(size=(9, 12))
T.CenterCrop(10)
T.Pad(3)
T.RandomCrop(9)
T.RandomHorizontalFlip(0.7)
T.RandomVerticalFlip(0.7)
T.RandomResizedCrop(8)
T.RandomRotation(30)
T.RandomAffine(20, (0.1, 0.2), (0.7, 1.3))
T.RandomPerspective(p=1.0)
T.ColorJitter(0.4, 0.4, 0.4, 0.2)
T.Grayscale()
T.RandomGrayscale(0.6)
T.GaussianBlur(3)
T.RandomInvert(0.9)
T.RandomPosterize(3, 0.9)
T.RandomSolarize(128, 0.9)
T.RandomAdjustSharpness(2, 0.9)
T.RandomAutocontrast(0.9)
T.RandomEqualize(0.9)
T.ToImage()
T.PILToTensor()
T.Identity()
T.Compose([T.ToImage(), T.ToDtype(torch.float32, scale=True), T.Normalize([0.5, 0.4, 0.3], [0.5, 0.4, 0.3])])
T.Compose([T.PILToTensor(), T.ConvertImageDtype(torch.float32), T.RandomErasing(1.0)])
T.Compose([T.PILToTensor(), T.RandomErasing(0.5, value="random")])
T.Compose([T.PILToTensor(), T.ToDtype({torch.Tensor: torch.float32, "others": None}), T.ToPureTensor()])
T.Compose([T.PILToTensor(), T.ToDtype(torch.int32, scale=True)])
T.RandomApply([T.CenterCrop(5)], p=0.5)
T.RandomOrder([T.Pad(3), T.CenterCrop(7)])
T.RandomChoice([T.Pad(1), T.Pad(2)], p=[0.3, 0.7])
T.Normalize([0.5], [0.5])
T.RGB()
""".strip().split("\n")


def made(written, torch, vision):
    return eval(written, {"T": vision.transforms.v2, "torch": torch})


def test_a_sample_goes_through_with_its_label():
    for seed in range(2):
        for written in TRANSFORMS:
            same(
                lambda torch, vision, w=written: made(w, torch, vision)({"image": image(), "rest": (7, "a", [1.5])}),
                written, seed, atol=1 if "Perspective" in written or "Affine" in written else 0,
            )  # fmt: skip
            same(lambda torch, vision, w=written: made(w, torch, vision)(image(), 3), written, seed)


def test_of_several_tensors_the_first_is_the_image():
    def sample(torch, vision):
        T = vision.transforms.v2
        flip = T.Compose([T.RandomHorizontalFlip(1.0), T.Resize((5, 6))])
        return flip(torch.from_numpy(pixels((3, 9, 8))), torch.arange(3))

    same(sample)


def test_all_images_of_a_sample_meet_the_same_draws():
    def pair(torch, vision):
        T = vision.transforms.v2
        crop = T.Compose([T.RandomCrop(9), T.RandomHorizontalFlip(), T.RandomResizedCrop(5)])
        return [*crop(image(), image()), torch.rand(1)]

    for seed in range(3):
        same(pair, seed=seed)


def test_texts():
    shown = [w for w in TRANSFORMS if "lambda" not in w]
    for written in shown:
        same(lambda torch, vision, w=written: repr(made(w, torch, vision)), written)


def test_own_transforms_and_functions():
    def own(torch, vision):
        class Darker(vision.transforms.v2.Transform):
            def make_params(self, flat_inputs):
                return {"by": len(flat_inputs)}

            def transform(self, inpt, params):
                return inpt // (params["by"] + 1)

        return Darker()({"x": torch.from_numpy(pixels((3, 4, 5))), "y": 3})

    same(own)

    def functions(torch, vision):
        F = vision.transforms.v2.functional
        x = F.to_image(pixels((4, 5, 3)))
        return [
            F.horizontal_flip(x),
            F.to_dtype(x, torch.float32, scale=True),
            F.to_dtype(x, torch.int64),
            F.resize(x, [3, 3]),
            F.get_size(x) + [F.get_num_channels(x)],
            F.to_image(image()),
        ]

    same(functions)


def test_lambdas():
    same(lambda torch, vision: vision.transforms.v2.Lambda(lambda x: x + 1, int, float)([1, 2.5, "a", (3,)]))
    same(lambda torch, vision: repr(vision.transforms.v2.ToTensor()), warns=True)
    same(lambda torch, vision: vision.transforms.v2.ToTensor()(np.zeros((2, 3, 1), np.uint8)))
