"""torch.utils.tensorboard: event files for TensorBoard."""

from tensorboardX.record_writer import RecordWriter

from jtorch.utils.tensorboard.writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]
