"""torch.distributed: processes that work together, over jax.distributed and XLA's collectives."""

from jtorch.distributed import algorithms, checkpoint, device_mesh, fsdp, nn, rpc, tensor
from jtorch.groups.backend import Backend
from jtorch.groups.calls import ReduceOp, Work
from jtorch.groups.collectives import (
    all_gather,
    all_gather_into_tensor,
    all_reduce,
    all_reduce_coalesced,
    all_to_all,
    all_to_all_single,
    broadcast,
    gather,
    reduce,
    reduce_scatter,
    reduce_scatter_tensor,
    scatter,
)
from jtorch.groups.device_mesh import DeviceMesh, init_device_mesh
from jtorch.groups.messages import (
    P2POp,
    all_gather_object,
    barrier,
    batch_isend_irecv,
    broadcast_object_list,
    gather_object,
    irecv,
    isend,
    monitored_barrier,
    recv,
    recv_object_list,
    scatter_object_list,
    send,
    send_object_list,
)
from jtorch.groups.shelves import DistError, DistStoreError
from jtorch.groups.store import (
    DistBackendError,
    DistNetworkError,
    FileStore,
    HashStore,
    PrefixStore,
    QueueEmptyError,
    Store,
    TCPStore,
)
from jtorch.groups.world import (
    DEFAULT_TIMEOUT as default_pg_timeout,
)
from jtorch.groups.world import (
    GroupMember,
    ProcessGroup,
    destroy_process_group,
    get_backend,
    get_default_backend_for_device,
    get_global_rank,
    get_group_rank,
    get_node_local_rank,
    get_process_group_ranks,
    get_rank,
    get_world_size,
    group,
    init_process_group,
    is_available,
    is_backend_available,
    is_initialized,
    is_torchelastic_launched,
    new_group,
    new_subgroups,
    new_subgroups_by_enumeration,
)


def is_nccl_available():
    """Whether the name nccl can be given to init_process_group: any can."""
    return True


is_gloo_available = is_nccl_available


def is_mpi_available():
    """Whether there is MPI: no."""
    return False


__all__ = [
    "Backend", "DeviceMesh", "DistBackendError", "DistError", "DistNetworkError", "DistStoreError", "FileStore",
    "GroupMember", "HashStore", "P2POp", "PrefixStore", "ProcessGroup", "QueueEmptyError", "ReduceOp", "Store",
    "TCPStore", "Work", "algorithms", "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce",
    "all_reduce_coalesced", "all_to_all", "all_to_all_single", "barrier", "batch_isend_irecv", "broadcast",
    "broadcast_object_list", "checkpoint", "default_pg_timeout", "destroy_process_group", "device_mesh", "fsdp",
    "gather", "gather_object", "get_backend", "get_default_backend_for_device", "get_global_rank", "get_group_rank",
    "get_node_local_rank", "get_process_group_ranks", "get_rank", "get_world_size", "group", "init_device_mesh",
    "init_process_group", "irecv", "is_available", "is_backend_available", "is_gloo_available", "is_initialized",
    "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "isend", "monitored_barrier", "new_group",
    "new_subgroups", "new_subgroups_by_enumeration", "nn", "recv", "recv_object_list", "reduce", "reduce_scatter",
    "reduce_scatter_tensor", "rpc", "scatter", "scatter_object_list", "send", "send_object_list", "tensor",
]  # fmt: skip
