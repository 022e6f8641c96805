"""torch.distributed.Backend: torch's names for what moves data between ranks, all of which mean JAX here."""

_HOMES = {"gloo": ["cpu", "cuda"], "nccl": ["cuda"], "xccl": ["xpu"], "ucc": ["cpu", "cuda"], "mpi": ["cpu", "cuda"]}


class Backend(str):
    """A backend's name in lower case, which calling this gives as a plain str.

    Raises: ValueError for what is no text.
    """

    UNDEFINED = "undefined"
    GLOO = "gloo"
    NCCL = "nccl"
    XCCL = "xccl"
    UCC = "ucc"
    MPI = "mpi"
    FAKE = "fake"
    backend_list = [UNDEFINED, *_HOMES, FAKE]
    backend_capability = {**_HOMES, FAKE: ["cpu", "cuda", "hpu", "xpu"]}
    default_device_backend_map = {"cpu": GLOO, "cuda": NCCL, "xpu": XCCL, "mps": GLOO}

    def __new__(cls, name):
        if not isinstance(name, str):
            raise ValueError("Backend constructor parameter must be string-ish")
        return name.lower()
