"""Samples that a DataLoader hands out per second, beside torch: a pass over tensors, and over images with transforms.

    python -m bench.data [--rounds 7] [--out file.json]

"tensors" is a TensorDataset of 60,000 rows of 784 floats, shuffled, in batches of 64. "images" are 32x32 RGB images
with ToTensor and Normalize; "augmented" has a random crop and a flip before. Both libraries have one thread. With
workers a pass begins with starting them and ends when they are gone.
"""

import argparse
import time

import numpy as np
import torch
from PIL import Image

import jtorch
import jtorch.utils.data
import jtorch.vision.transforms as jtorch_transforms
from bench import harness

# Where torchvision's operators are built for another torch, what it registers at import must be declared.
_library = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision.transforms as torch_transforms  # noqa: E402

SIDES = {"jtorch": (jtorch, jtorch_transforms), "torch": (torch, torch_transforms)}


class Images:
    """Images as CIFAR-10's dataset holds them: pixels, of which each sample is made into a Pillow image."""

    def __init__(self, transform, count=4096):
        self.pixels = np.random.default_rng(0).integers(0, 255, (count, 32, 32, 3), dtype=np.uint8)
        self.transform = transform

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.pixels[i])), i % 10


def tensors(lib, transforms):
    """Rows of two tensors."""
    return lib.utils.data.TensorDataset(lib.rand(60_000, 784), lib.arange(60_000))


def images(lib, transforms):
    """Images, normalized."""
    steps = [transforms.ToTensor(), transforms.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.2))]
    return Images(transforms.Compose(steps))


def augmented(lib, transforms):
    """Images cropped and flipped at random, and normalized."""
    steps = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    return Images(transforms.Compose([*steps, transforms.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.2))]))


def one_pass(side, make, workers):
    """A block: seconds per sample of a pass over the dataset."""
    lib, transforms = SIDES[side]
    dataset = make(lib, transforms)
    loader = lib.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, num_workers=workers)

    def block():
        seen = 0
        start = time.perf_counter()
        for x, _ in loader:
            seen += len(x)
        return (time.perf_counter() - start) / seen

    return block


def run(rounds):
    """{case: entry for the JSON file}, printed as they come."""
    cases = {}
    torch.set_num_threads(1)
    for make in (tensors, images, augmented):
        for workers in (0, 2):
            name = f"{make.__name__}, {workers} workers"
            blocks = {side: one_pass(side, make, workers) for side in SIDES}
            for block in blocks.values():
                block()
            cases[name] = harness.report(harness.alternate(blocks, rounds, name), "us", 1e6)
            print(harness.row(name, cases[name]), flush=True)
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", help="where the JSON goes; bench/results/data.json by default")
    args = parser.parse_args()
    print("kept in", harness.save("data", run(args.rounds), args.out))


if __name__ == "__main__":
    main()
