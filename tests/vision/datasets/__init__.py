"""jtorch.vision.datasets beside torchvision.datasets, on the same files."""
