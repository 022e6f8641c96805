"""What goes through the store: objects, messages from one rank to another, and barriers."""

import pickle
from typing import NamedTuple

import numpy as np

from jtorch import _tensor
from jtorch.autograd.inplace import store as put
from jtorch.engine import flush
from jtorch.engine.ref import of_array
from jtorch.groups.calls import Work, member
from jtorch.groups.collectives import place_of
from jtorch.groups.store import DistStoreError
from jtorch.groups.world import DeviceGroup


def _wait(group, keys, timeout, what):
    """Wait for keys. Raises RuntimeError that names the ranks that did not come."""
    try:
        group.store.wait(keys, timeout or group.timeout)
    except DistStoreError as error:
        late = [int(key.rpartition("/")[2]) for key in keys if not _is_set(group, key)]
        seconds = (timeout or group.timeout).total_seconds()
        raise RuntimeError(
            f"{what}: rank {group.ranks[group.rank()]} waited {seconds:g} s in vain for ranks {late}"
        ) from error


def _is_set(group, key):
    try:
        return group.store.check([key])
    except DistStoreError:
        return False


def _shared(group, kind, value, timeout=None, what=None):
    """The bytes that each rank of a group gives, in the order of ranks."""
    flush.flush("sync")
    if isinstance(group, DeviceGroup):
        return [value] * group.size()
    turn = group.turn(kind)
    group.store.set(f"{kind}/{turn}/{group.ranks[group.rank()]}", value)
    keys = [f"{kind}/{turn}/{rank}" for rank in group.ranks]
    _wait(group, keys, timeout, what or kind)
    found = group.store.multi_get(keys)
    if turn > 1:  # all have read the one before the last
        group.store.delete_key(f"{kind}/{turn - 2}/{group.ranks[group.rank()]}")
    return found


def barrier(group=None, async_op=False, device_ids=None):
    """Go on once all ranks of a group have come here; what is pending runs first."""
    group = member(group)
    if group is None:
        return None
    _shared(group, "barrier", b"")
    return Work() if async_op else None


def monitored_barrier(group=None, timeout=None, wait_all_ranks=False):
    """As barrier; the RuntimeError of a rank that waited in vain names those that did not come."""
    group = member(group)
    if group is not None:
        _shared(group, "monitored_barrier", b"", timeout)


def all_gather_object(object_list, obj, group=None):
    """Fill a list with what all ranks give: anything that can be pickled."""
    group = member(group)
    if group is not None:
        object_list[:] = map(pickle.loads, _shared(group, "all_gather_object", pickle.dumps(obj)))


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None):
    """As all_gather_object, but only rank dst (0 by default) gives a list and has it filled."""
    group = member(group)
    if group is None:
        return
    here = place_of(group, dst, 0 if dst is None and group_dst is None else group_dst, "dst") == group.rank()
    if here and not object_gather_list:
        raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
    found = _shared(group, "gather_object", pickle.dumps(obj))
    if here:
        object_gather_list[:] = map(pickle.loads, found)


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None):
    """Fill the lists of all ranks with what stands in that of rank src (0 by default)."""
    group = member(group)
    if group is None:
        return
    source = place_of(group, src, 0 if src is None and group_src is None else group_src, "src")
    own = pickle.dumps(list(object_list)) if source == group.rank() else b""
    found = pickle.loads(_shared(group, "broadcast_object_list", own)[source])
    if source != group.rank():
        object_list[:] = found


def scatter_object_list(scatter_object_output_list, scatter_object_input_list=None, src=None, group=None,
                        group_src=None):  # fmt: skip
    """Put item i of rank src's list (0 by default) first in the output list of rank i."""
    group = member(group)
    if group is None:
        return
    source = place_of(group, src, 0 if src is None and group_src is None else group_src, "src")
    own = pickle.dumps(list(scatter_object_input_list)) if source == group.rank() else b""
    found = _shared(group, "scatter_object_list", own)[source]
    scatter_object_output_list[0] = pickle.loads(found)[group.rank()]


# One rank to another: through the store, so that no order of sends and receives can make two ranks wait for each other.


def _number(group, sender, receiver, tag):
    return f"message/{sender}/{receiver}/{tag}/{group.turn((sender, receiver, tag))}"


def isend(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Send a tensor to a rank. What is pending runs first."""
    group = member(group)
    if group is None:
        return None
    key = _number(group, group.rank(), place_of(group, dst, group_dst, "dst"), tag)
    array = np.ascontiguousarray(_tensor.host(tensor))
    group.store.set(key, pickle.dumps((array.shape, array.dtype, array.tobytes())))
    return Work([tensor])


def send(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Send a tensor to a rank."""
    if dst is not None and group is None and dst == member(None).rank():
        raise ValueError("Invalid destination rank: destination rank should not be the same as the rank of the "
                         "current process.")  # fmt: skip
    isend(tensor, dst, group, tag, group_dst)


def irecv(tensor, src=None, group=None, tag=0, group_src=None):
    """Write into a tensor what a rank sends, once somebody waits for it."""
    group = member(group)
    if group is None:
        return None
    key = _number(group, place_of(group, src, group_src, "src"), group.rank(), tag)
    return Work([tensor], lambda: _receive(group, key, tensor))


def recv(tensor, src=None, group=None, tag=0, group_src=None):
    """Write into a tensor what a rank sends; that rank. src None: any rank."""
    group = member(group)
    if group is None:
        return -1
    if src is None and group_src is None:
        raise NotImplementedError("recv: give src; messages of any rank can't be waited for")
    irecv(tensor, src, group, tag, group_src).wait()
    return src if src is not None else group.ranks[group_src]


def _receive(group, key, tensor):
    flush.flush("sync")
    try:
        group.store.wait([key], group.timeout)
    except DistStoreError as error:
        sender = key.split("/")[1]
        raise RuntimeError(f"recv: waited {group.timeout.total_seconds():g} s in vain for rank {sender}") from error
    shape, dtype, content = pickle.loads(group.store.take(key))
    have = _tensor.aval(tensor)
    if dtype != have.dtype.numpy or np.prod(shape, dtype=int) != tensor.numel():
        raise RuntimeError(
            f"recv: rank {key.split('/')[1]} sent {list(shape)} of {dtype}, but the tensor here is "
            f"{list(have.shape)} of {have.dtype}"
        )
    array = np.frombuffer(content, dtype).reshape(have.shape).copy()
    put(tensor, of_array(array, have.device))


class P2POp(NamedTuple):
    """One of the calls of batch_isend_irecv. op: isend or irecv."""

    op: object
    tensor: object
    peer: int | None = None
    group: object = None
    tag: int = 0
    group_peer: int | None = None


def batch_isend_irecv(p2p_op_list):
    """Start several sends and receives; a Work of each."""
    works = []
    for op in p2p_op_list:
        works.append(op.op(op.tensor, op.peer, op.group, op.tag, op.group_peer))
    return works
