"""jtorch.vision.io beside Pillow."""
