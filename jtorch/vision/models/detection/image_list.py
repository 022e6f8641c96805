"""Images of several sizes in one tensor."""


class ImageList:
    """A batch of padded images, with the (height, width) that each has without its padding."""

    def __init__(self, tensors, image_sizes):
        self.tensors = tensors
        self.image_sizes = image_sizes

    def to(self, device):
        """The same on another device."""
        return ImageList(self.tensors.to(device), self.image_sizes)
