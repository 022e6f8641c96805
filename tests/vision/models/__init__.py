"""jtorch.vision.models beside torchvision.models."""
