"""jtorch.vision.models.detection beside torchvision.models.detection."""
