"""The parts of a DataLoader: collating, fetching, workers, pinning."""

from jtorch.utils.data._utils import collate, fetch, pin_memory, worker

__all__ = ["collate", "fetch", "pin_memory", "worker"]
