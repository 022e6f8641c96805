"""torch.utils.tensorboard: event files for TensorBoard."""

from jtorch.utils.tensorboard.writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
