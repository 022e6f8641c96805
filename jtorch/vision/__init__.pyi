"""What jtorch.vision holds. Written by `python -m tests.stubs`."""

from typing import Any

from jtorch.vision import datasets as datasets
from jtorch.vision import io as io
from jtorch.vision import models as models
from jtorch.vision import ops as ops
from jtorch.vision import transforms as transforms
from jtorch.vision import tv_tensors as tv_tensors
from jtorch.vision import utils as utils

def get_image_backend() -> Any: ...
def set_image_backend(backend: Any) -> Any: ...
