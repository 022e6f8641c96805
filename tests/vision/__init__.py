"""jtorch.vision beside real torchvision."""
