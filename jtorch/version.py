"""The version of torch whose API this is, and jtorch's own."""

from importlib import metadata

from jtorch.torch_version import TorchVersion

# Libraries compare torch.__version__: the number is that of the torch this follows, the local part is ours.
try:
    jtorch = metadata.version("jtorch-jax")
except metadata.PackageNotFoundError:
    jtorch = "0"
__version__ = TorchVersion(f"2.13.0+jtorch.{jtorch}")
cuda = None
hip = None
git_version = ""
