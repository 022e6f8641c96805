"""torch.utils.dlpack: DLPack capsules, as torch.from_dlpack and Tensor.__dlpack__ use them."""

from jtorch.api.dlpack import DLDeviceType, from_dlpack, to_dlpack

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]
