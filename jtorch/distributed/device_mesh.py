"""Device meshes, under torch's path."""

from jtorch.groups.device_mesh import DeviceMesh, init_device_mesh

__all__ = ["DeviceMesh", "init_device_mesh"]
