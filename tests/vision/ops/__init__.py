"""jtorch.vision.ops beside torchvision.ops."""
