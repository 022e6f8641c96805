"""jtorch.vision.transforms beside torchvision.transforms."""
