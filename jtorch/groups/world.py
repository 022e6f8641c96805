"""The process groups of this process: how they are made, what they know, and how they end."""

import os
import socket
import sys
import time
from datetime import timedelta

import jax

from jtorch import meshes
from jtorch.engine import flush
from jtorch.groups.rendezvous import DEFAULT_TIMEOUT, rendezvous
from jtorch.groups.store import DistBackendError, HashStore, PrefixStore

_HEARTBEAT = 30  # seconds after which a process that gives no sign of life is given up
NOT_INITIALIZED = "Default process group has not been initialized, please make sure to call init_process_group."


class ProcessGroup:
    """Some ranks that work together. ranks: their numbers in the world, in the order of the group."""

    def __init__(self, ranks, name, store, backend, timeout):
        self.ranks = tuple(ranks)
        self.group_name = name
        self.store = PrefixStore(name, store)
        self.backend = backend
        self.timeout = timeout
        self.calls = 0  # collectives so far
        self.seen = {}  # signatures of collectives that were compared with those of the other ranks
        self.counts = {}  # how often this rank has met, sent to or heard of the others

    def rank(self):
        """This process's rank in the group, -1 where it is no part of it."""
        return self.ranks.index(_World.rank) if _World.rank in self.ranks else -1

    def size(self):
        """How many ranks it has."""
        return len(self.ranks)

    def name(self):
        """The backend's name."""
        return self.backend

    def across(self, device):
        """The devices of the group's processes, as programs of tensors on a device know them."""
        return meshes.ranks(self.ranks, "gpu" if device.type == "cuda" and jax.default_backend() == "gpu" else "cpu")

    def turn(self, kind):
        """The number of this call among those of its kind in the group."""
        number = self.counts[kind] = self.counts.get(kind, -1) + 1
        return number

    def turns(self, kind):
        """The number that the next call of its kind will have."""
        return self.counts.get(kind, -1) + 1

    def __repr__(self):
        return f"<{type(self).__name__} {self.group_name} of ranks {list(self.ranks)}>"


ProcessGroup.__module__ = "torch.distributed"


class DeviceGroup(ProcessGroup):
    """Devices of this process in the place of ranks, along one dim of a device mesh. row: a meshes.Row or Crew."""

    def __init__(self, row, name):
        super().__init__(row.ranks, name, HashStore(DEFAULT_TIMEOUT), "devices", DEFAULT_TIMEOUT)
        self._row = row

    def rank(self):
        """0: what this process reads of a value is the first device's."""
        return 0

    def across(self, device):
        """The devices. Raises RuntimeError for tensors elsewhere."""
        if device.type != "cuda":
            raise RuntimeError(f"a mesh of this process's cuda devices can't work on tensors on {device}")
        return self._row


class _World:
    """What init_process_group found out."""

    group = None
    rank = -1
    size = -1
    store = None
    made = 0
    groups: list = []
    along: dict = {}  # the groups of device meshes by their ranks, and those of other threads by name
    connected = False
    processes: list = []  # (host, process id) of each rank
    last = None  # a function that gives the name and the shapes of the last collective


class GroupMember:
    """What new_group gives to processes that are no part of the group."""

    NON_GROUP_MEMBER = -100


class _Group(type):
    @property
    def WORLD(cls):
        """The group of all ranks, or None."""
        return _World.group


class group(metaclass=_Group):
    """The default group under `group.WORLD`."""


def is_available():
    """Whether processes can work together: yes."""
    return True


def is_initialized():
    """Whether init_process_group was called."""
    return _World.group is not None


def is_torchelastic_launched():
    """Whether a launcher started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def found(group=None):
    """A group, the world by default. Raises ValueError before init_process_group."""
    if isinstance(group, DeviceGroup):
        return group
    if _World.group is None:
        raise ValueError(NOT_INITIALIZED)
    return _World.group if group is None else group


def get_rank(group=None):
    """This process's rank in a group; -1 where it is no part of it."""
    group = found(group)
    return -1 if group is GroupMember.NON_GROUP_MEMBER else group.rank()


def get_world_size(group=None):
    """How many ranks a group has; -1 where this process is no part of it."""
    group = found(group)
    return -1 if group is GroupMember.NON_GROUP_MEMBER or group.rank() < 0 else group.size()


def called(shown):
    """Note the last collective, for the error that it may give. shown: a function of its name and shapes."""
    _World.last = shown


def get_node_local_rank(fallback_rank=None):
    """This process's number on its machine, as a launcher says it. Raises RuntimeError where there is none."""
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is not None:
        return int(fallback_rank)
    raise RuntimeError(
        "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow `get_node_local_rank` to work, "
        "assuming you are not running in a multi-device context and want the code to run locally instead."
    )


def get_default_backend_for_device(device):
    """The backend that torch takes for a device: any name stands for XLA's collectives."""
    return "gloo" if str(device).partition(":")[0] == "cpu" else "nccl"


def is_backend_available(backend):
    """Whether a name of torch's backends can be given to init_process_group."""
    return backend.lower() in _BACKENDS[1:]


def get_backend(group=None):
    """The backend's name, as it was given."""
    return found(group).backend


def get_process_group_ranks(group):
    """The ranks in the world of a group's members."""
    return list(found(group).ranks)


def get_global_rank(group, group_rank):
    """The rank in the world of a group's rank. Raises ValueError where it has no such rank."""
    if group is _World.group:
        return group_rank
    if not 0 <= group_rank < group.size():
        raise ValueError(f"Group rank {group_rank} is not part of group {group}")
    return group.ranks[group_rank]


def get_group_rank(group, global_rank):
    """The rank in a group of a rank of the world. Raises ValueError where it is no part of it."""
    if group is _World.group:
        return global_rank
    if global_rank not in group.ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return group.ranks.index(global_rank)


def place_of(group, rank, group_rank, what):
    """The rank in the group of a call's src or dst, given as a rank of the world or of the group.

    Raises: ValueError where both or none is given, RuntimeError for a rank that is not there.
    """
    if group_rank is not None and rank is not None:
        raise ValueError("Can't specify both group_rank and global_rank")
    if group_rank is None and rank is None:
        raise ValueError("Must specify global_rank or group_rank")
    place = get_group_rank(group, rank) if group_rank is None else group_rank
    if not 0 <= place < group.size():
        raise RuntimeError(f"{what}: invalid rank: {place}, the group has {group.size()}")
    return place


def init_process_group(backend=None, init_method=None, timeout=None, world_size=-1, rank=-1, store=None,
                       group_name="", pg_options=None, device_id=None):  # fmt: skip
    """Meet the other processes, which jax.distributed connects. Any backend's name stands for XLA's collectives.

    init_method: env:// (the default: MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE), tcp://host:port or file:///path.
    Raises: ValueError when called twice or with arguments that do not fit; RuntimeError where arrays were already
    computed in this process, since JAX must know of the others before.
    """
    if _World.group is not None:
        raise ValueError("trying to initialize the default process group twice!")
    if store is not None and init_method is not None:
        raise AssertionError("Cannot specify both init_method and store.")
    if store is not None and world_size <= 0:
        raise AssertionError("world_size must be positive if using store")
    if store is not None and rank < 0:
        raise AssertionError("rank must be non-negative if using store")
    backend = _backend(backend)
    timeout = _seconds(timeout)
    if store is None:
        store, rank, world_size = rendezvous(
            "env://" if init_method is None else init_method, rank, world_size, timeout
        )
    store.set_timeout(timeout)
    _World.rank, _World.size, _World.store = rank, world_size, store
    if world_size > 1:
        _connect(store, rank, world_size, timeout)
    _World.group = ProcessGroup(range(world_size), "0", store, backend, timeout)
    _World.groups = [_World.group]


_BACKENDS = ("undefined", "gloo", "nccl", "xccl", "ucc", "mpi", "fake")


def _backend(name):
    """A backend's name as torch shows it. Raises AssertionError for one that torch does not know."""
    name = "undefined" if name is None else str(name).lower()
    for part in name.split(",") if ":" in name else [f"cpu:{name}"]:
        kind = part.rpartition(":")[2]
        if kind not in _BACKENDS:
            raise AssertionError(f"Unknown c10d backend type {kind.upper()}" if ":" in name else
                                 f"Unknown backend type {kind}")  # fmt: skip
    return name


def _seconds(timeout):
    if timeout is None:
        return DEFAULT_TIMEOUT
    if not isinstance(timeout, timedelta):
        raise TypeError(f"Expected timeout argument to be of type datetime.timedelta, got {timeout}")
    return timeout


def _connect(store, rank, world_size, timeout):
    """Let JAX know of the other processes; rank 0 tells where it listens."""
    if _World.connected:
        raise RuntimeError("this process has left its process group, and JAX can't meet others in one process again")
    if rank == 0:
        host = getattr(store, "host", "127.0.0.1")
        with socket.socket() as probe:
            probe.bind((host, 0))
            store.set("coordinator", f"{host}:{probe.getsockname()[1]}")
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_enable_preemption_service", False)  # else a launcher's SIGTERM does not end the process
    seconds = int(timeout.total_seconds())
    try:
        jax.distributed.initialize(
            store.get("coordinator").decode(), world_size, rank, initialization_timeout=seconds,
            heartbeat_timeout_seconds=min(seconds, _HEARTBEAT), shutdown_timeout_seconds=min(seconds, _HEARTBEAT),
        )  # fmt: skip
    except RuntimeError as error:
        if "must be called before" not in str(error):
            raise
        raise RuntimeError(
            "init_process_group must come before anything is computed, moved or asked of a device in this process: "
            "move it up, to the start of the program"
        ) from error
    _World.connected = True
    store.set(f"process/{rank}", f"{socket.gethostname()} {os.getpid()}")
    told = store.multi_get([f"process/{other}" for other in range(world_size)])
    _World.processes = [text.decode().split() for text in told]
    meshes.Fault.explain = staticmethod(_explained)
    sys.excepthook = _leave_at_once


def _explained(error):
    """The error of a collective that failed, with the ranks that are known to have ended; None for other errors."""
    if "gloo" not in str(error).lower() and "nccl" not in str(error).lower():
        return None
    gone = _gone()
    text = f"rank {_World.rank}: a collective failed"
    text += f", since rank{'s' * (len(gone) > 1)} {', '.join(map(str, gone))} ended" if gone else ""
    return DistBackendError(f"{text}; the last one called was {_World.last and _World.last()}. {error}")


def _gone():
    """The ranks on this machine whose processes have ended. Waits a little: the launcher has still to see it."""
    until = time.monotonic() + 1
    here = socket.gethostname()
    while True:
        found = [rank for rank, (host, pid) in enumerate(_World.processes) if host == here and not _runs(int(pid))]
        if found or time.monotonic() > until:
            return found
        time.sleep(0.05)


def _runs(pid):
    """Whether a process runs; one that ended and that nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _leave_at_once(kind, error, trace):
    """End a process that failed without waiting for the others, so that they learn of it now."""
    sys.__excepthook__(kind, error, trace)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def new_group(ranks=None, timeout=None, backend=None, pg_options=None, use_local_synchronization=False,
              group_desc=None, device_id=None):  # fmt: skip
    """A group of some ranks, all by default. Every process calls it; those that are no part get NON_GROUP_MEMBER.

    Raises: ValueError for ranks that are not there, or are there twice.
    """
    world = found()
    timeout = world.timeout if timeout is None else _seconds(timeout)
    ranks = sorted(world.ranks if ranks is None else ranks)
    if len(set(ranks)) != len(ranks):
        raise ValueError(f"ranks list must not contain duplicate entries, got {ranks}")
    if len(ranks) > world.size():
        raise ValueError("the new group's world size should be less or equal to the world size set by "
                         "init_process_group")  # fmt: skip
    for rank in ranks:
        if not 0 <= rank < world.size():
            raise ValueError(
                f"Rank {rank} is out of range. Valid ranks are 0 to {world.size() - 1} (world_size={world.size()})"
            )
    _World.made += 1
    made = ProcessGroup(ranks, str(_World.made), _World.store, _backend(backend or world.backend), timeout)
    if world.rank() not in ranks:
        return GroupMember.NON_GROUP_MEMBER
    _World.groups.append(made)
    return made


def along(ranks):
    """The group of some ranks, as a device mesh has it; one for each choice, that of the world for all of them."""
    world = found()
    if tuple(ranks) == world.ranks:
        return world
    if tuple(ranks) not in _World.along:
        if sorted(ranks) != list(ranks):
            raise NotImplementedError(f"a device mesh whose ranks do not ascend along its dims: {list(ranks)}")
        name = "mesh_" + "_".join(map(str, ranks))
        _World.along[tuple(ranks)] = ProcessGroup(ranks, name, _World.store, world.backend, world.timeout)
    return _World.along[tuple(ranks)]


def aside(group=None):
    """A group of the same ranks for another thread, whose calls are counted by themselves."""
    group = found(group)
    name = f"{group.group_name} aside"
    if name not in _World.along:
        _World.along[name] = ProcessGroup(group.ranks, name, _World.store, group.backend, group.timeout)
    return _World.along[name]


def new_subgroups(group_size=None, group=None, timeout=None, backend=None, pg_options=None, group_desc=None):
    """(the group of this process, all groups): the world in groups of group_size ranks in a row."""
    world = found(group)
    if group_size is None or group_size <= 0:
        raise ValueError(f"The arg 'group_size' ({group_size}) must be positive")
    if world.size() < group_size:
        raise ValueError(f"The arg 'group_size' ({group_size}) must not exceed the world size ({world.size()})")
    if world.size() % group_size:
        raise ValueError(f"The world size ({world.size()}) must be divisible by 'group_size={group_size}'")
    starts = range(0, world.size(), group_size)
    return new_subgroups_by_enumeration([world.ranks[i : i + group_size] for i in starts], timeout, backend)


def new_subgroups_by_enumeration(ranks_per_subgroup_list, timeout=None, backend=None, pg_options=None,
                                 group_desc=None):  # fmt: skip
    """(the group of this process, all groups) of these lists of ranks.

    Raises: ValueError for an empty list, and for a rank in two of them.
    """
    if not ranks_per_subgroup_list:
        raise ValueError("The arg 'ranks_per_subgroup_list' cannot be empty")
    places = {}
    for ranks in ranks_per_subgroup_list:
        for rank in ranks:
            if rank in places:
                raise ValueError(f"Rank {rank} has appeared in both subgroup {places[rank]} and {ranks}")
            places[rank] = ranks
    groups = [new_group(ranks, timeout, backend) for ranks in ranks_per_subgroup_list]
    own = next((made for made in groups if made is not GroupMember.NON_GROUP_MEMBER), None)
    return own, groups


def destroy_process_group(group=None):
    """Leave a group, or all of them: what is pending runs, then the processes part."""
    if group is GroupMember.NON_GROUP_MEMBER:
        return
    if _World.group is None:
        raise AssertionError("Process group cannot be None")
    flush.flush("sync")
    if group is not None and group is not _World.group:
        if group not in _World.groups:
            raise ValueError("Invalid process group specified")
        _World.groups.remove(group)
        return
    world, store = _World.group, _World.store
    if world.size() > 1:
        # The store ends with its process, so rank 0 goes last.
        store.add("left", 1)
        if world.rank() == 0:
            _wait_for_all_to_leave(store, world)
        jax.distributed.shutdown()
    _World.group, _World.groups, _World.along = None, [], {}
    _World.rank = _World.size = -1


def _wait_for_all_to_leave(store, world):
    until = time.monotonic() + min(_HEARTBEAT, world.timeout.total_seconds())
    while store.add("left", 0) < world.size() and time.monotonic() < until:
        time.sleep(0.02)
