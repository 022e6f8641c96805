"""jtorch.vision.transforms.v2 beside torchvision.transforms.v2."""
