"""jtorch.vision.tv_tensors beside torchvision.tv_tensors."""
