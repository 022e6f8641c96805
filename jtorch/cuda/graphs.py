"""torch.cuda's graphs, by name: XLA makes CUDA graphs of its programs by itself, so there is nothing to capture."""

from jtorch.devices import cuda_devices

__all__ = ["CUDAGraph", "graph", "graph_pool_handle", "is_current_stream_capturing"]


def is_current_stream_capturing():
    """Whether calls are recorded into a CUDA graph: no, XLA makes those by itself."""
    return False


def _refuse(name):
    if not cuda_devices():
        raise RuntimeError(f"Tried to instantiate dummy base class {name}")
    raise RuntimeError(
        f"torch.cuda.{name}: jtorch captures no CUDA graphs. A step is one XLA program, which XLA runs as a CUDA graph "
        "itself: call the step without capturing it, or give it to torch.compile"
    )


class CUDAGraph:
    """A captured piece of work. Raises: RuntimeError when one is made."""

    def __new__(cls, keep_graph=False):
        _refuse("CUDAGraph")


class graph:
    """Context manager that would capture what is inside. Raises: RuntimeError when it is entered."""

    def __init__(self, cuda_graph, pool=None, stream=None, capture_error_mode="thread_local", **kwargs):
        self.cuda_graph = cuda_graph

    def __enter__(self):
        _refuse("CUDAGraph")

    def __exit__(self, *exc):
        return None


def graph_pool_handle():
    """Memory that several captured pieces share. Raises: RuntimeError."""
    _refuse("_graph_pool_handle")
