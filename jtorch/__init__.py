"""PyTorch's Python API on JAX: `import jtorch as torch`."""

import math as _math
import sys as _sys

from jtorch import (
    _C,
    __config__,
    __future__,
    _ops,
    accelerator,
    amp,
    autograd,
    backends,
    compiler,
    cpu,
    cuda,
    distributed,
    distributions,
    engine,
    export,
    fft,
    func,
    functional,
    futures,
    fx,
    hub,
    interop,
    jit,
    library,
    linalg,
    masked,
    mps,
    mtia,
    multiprocessing,
    nn,
    onnx,
    optim,
    overrides,
    profiler,
    random,
    return_types,
    serialization,
    signal,
    sparse,
    special,
    testing,
    torch_version,
    types,
    utils,
    version,
    xpu,
)
from jtorch import dtypes as _dtypes
from jtorch._higher_order_ops import cond
from jtorch._tensor import Tensor
from jtorch.amp import GradScaler, autocast
from jtorch.api import construct as _construct
from jtorch.api import everything as _everything
from jtorch.api import functions as _functions
from jtorch.api import naming as _naming
from jtorch.api import variants as _variants
from jtorch.api.size import Size
from jtorch.api.streams import Event, Stream
from jtorch.autograd.autocast_state import (
    autocast_decrement_nesting,
    autocast_increment_nesting,
    clear_autocast_cache,
    get_autocast_cpu_dtype,
    get_autocast_dtype,
    get_autocast_gpu_dtype,
    is_autocast_cache_enabled,
    is_autocast_cpu_enabled,
    is_autocast_enabled,
    set_autocast_cache_enabled,
    set_autocast_cpu_dtype,
    set_autocast_cpu_enabled,
    set_autocast_dtype,
    set_autocast_enabled,
    set_autocast_gpu_dtype,
)
from jtorch.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from jtorch.backends.precision import get_float32_matmul_precision, set_float32_matmul_precision
from jtorch.compiler import compile
from jtorch.devices import Device as device
from jtorch.dtypes import dtype
from jtorch.func import vmap
from jtorch.futures import Future
from jtorch.nn.functional import native as _native
from jtorch.random import default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from jtorch.rng.generator import Generator
from jtorch.serialization import load, save
from jtorch.serialization.file_reader import PyTorchFileReader
from jtorch.version import __version__

globals().update(_functions.namespace(_variants.functions("torch")))
globals().update(_native.FUNCTIONS)
globals().update({d.name: d for d in _dtypes.ALL + _dtypes.UNHELD})
globals().update(_dtypes.ALIASES)
globals().update(_construct.legacy_types("cpu"))

pi, e, inf, nan, newaxis = _math.pi, _math.e, _math.inf, _math.nan, None

for _door in (functional, nn.functional, linalg, fft, special, accelerator, _sys.modules[__name__]):
    _naming.settle(_door, _door.__name__)
_naming.settle(Tensor, __name__, "Tensor.")
