"""Datapipes: parts of a data pipeline that are put together, as torch.utils.data.datapipes has them."""

from jtorch.utils.data.datapipes import datapipe, iter, map, utils

__all__ = ["datapipe", "iter", "map", "utils"]
