"""What goes through the store: objects, messages from one rank to another, and barriers."""

import pickle

import numpy as np

from jtorch import _tensor
from jtorch.autograd.inplace import store as put
from jtorch.engine import flush
from jtorch.engine.ref import of_array
from jtorch.groups.calls import Work, member
from jtorch.groups.world import DeviceGroup, place_of


def _wait(group, keys, timeout, what):
    """Wait for keys. Raises RuntimeError that names the ranks that did not come."""
    try:
        group.store.wait(keys, timeout or group.timeout)
    except RuntimeError as error:
        late = [int(key.rpartition("/")[2]) for key in keys if not _is_set(group, key)]
        seconds = (timeout or group.timeout).total_seconds()
        raise RuntimeError(
            f"{what}: rank {group.ranks[group.rank()]} waited {seconds:g} s in vain for ranks {late}"
        ) from error


def _is_set(group, key):
    try:
        return group.store.check([key])
    except RuntimeError:
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


def from_all(obj, group):
    """What each rank of a group gives: anything that can be pickled."""
    return list(map(pickle.loads, _shared(group, "all_gather_object", pickle.dumps(obj))))


def all_gather_object(object_list, obj, group=None):
    """Fill a list with what all ranks give: anything that can be pickled."""
    group = member(group)
    if group is not None:
        object_list[:] = from_all(obj, group)


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


def _key(sender, receiver, tag, turn):
    return f"message/{sender}/{receiver}/{tag}/{turn}"


def isend(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Send a tensor to a rank. What is pending runs first."""
    group = member(group)
    if group is None:
        return None
    receiver = _peer(tensor, group, dst, group_dst, "dst")
    if receiver == group.rank():
        raise ValueError("Invalid destination rank: destination rank should not be the same as the rank of the "
                         "current process.")  # fmt: skip
    array = np.ascontiguousarray(_tensor.host(tensor))
    _put(group, receiver, tag, (array.shape, array.dtype, array.tobytes()))
    return Work([tensor])


def _put(group, receiver, tag, content):
    """Lay a message into the store for a rank of the group."""
    flush.flush("sync")
    turn = group.turn((group.rank(), receiver, tag))
    group.store.set(_key(group.rank(), receiver, tag, turn), pickle.dumps(content))


def _peer(tensor, group, rank, group_rank, what):
    if not isinstance(tensor, _tensor.Tensor):
        raise TypeError("Invalid function argument. Expected parameter `tensor` of type torch.Tensor\n"
                        f"             but got {type(tensor)} instead.")  # fmt: skip
    return place_of(group, rank, group_rank, what)


def send(tensor, dst=None, group=None, tag=0, group_dst=None):
    """Send a tensor to a rank."""
    isend(tensor, dst, group, tag, group_dst)


def irecv(tensor, src=None, group=None, tag=0, group_src=None):
    """Write into a tensor what a rank sends, once somebody waits for it. src None: any rank."""
    group = member(group)
    if group is None:
        return None
    if src is None and group_src is None:
        return Work([tensor], lambda: _write(group, tensor, _of_any(group, tag)))
    sender = _peer(tensor, group, src, group_src, "src")
    key = _key(sender, group.rank(), tag, group.turn((sender, group.rank(), tag)))
    return Work([tensor], lambda: _write(group, tensor, _first(group, [key])))


def recv(tensor, src=None, group=None, tag=0, group_src=None):
    """Write into a tensor what a rank sends; that rank. src None: any rank."""
    group = member(group)
    if group is None:
        return -1
    if src is None and group_src is None:
        return group.ranks[_write(group, tensor, _of_any(group, tag))]
    irecv(tensor, src, group, tag, group_src).wait()
    return src if src is not None else group.ranks[group_src]


def _of_any(group, tag):
    """The next message of whoever sends one first: (its sender's rank in the group, what it sent)."""
    here = group.rank()
    others = [other for other in range(group.size()) if other != here]
    sender, content = _first(group, [_key(other, here, tag, group.turns((other, here, tag))) for other in others])
    group.turn((sender, here, tag))
    return sender, content


def _first(group, keys):
    """(sender's rank in the group, content) of the first message that is there under one of these keys."""
    flush.flush("sync")
    key = group.store.first(keys, group.timeout)
    if key is None:
        senders = [group.ranks[int(key.split("/")[1])] for key in keys]
        raise RuntimeError(f"recv: rank {group.ranks[group.rank()]} waited {group.timeout.total_seconds():g} s in vain "
                           f"for ranks {senders}")  # fmt: skip
    return int(key.split("/")[1]), pickle.loads(group.store.take(key))


def _write(group, tensor, message):
    """Write into a tensor what a rank sent; that rank in the group."""
    sender, (shape, dtype, content) = message
    have = _tensor.aval(tensor)
    if dtype != have.dtype.numpy or np.prod(shape, dtype=int) != tensor.numel():
        raise RuntimeError(
            f"recv: rank {group.ranks[sender]} sent {list(shape)} of {dtype}, but the tensor here is "
            f"{list(have.shape)} of {have.dtype}"
        )
    array = np.frombuffer(content, dtype).reshape(have.shape).copy()
    put(tensor, of_array(array, have.device))
    return sender


def send_object_list(object_list, dst=None, group=None, device=None, group_dst=None, use_batch=False):
    """Send what stands in a list to a rank: anything that can be pickled."""
    group = member(group)
    if group is not None:
        _put(group, place_of(group, dst, group_dst, "dst"), "objects", list(object_list))


def recv_object_list(object_list, src=None, group=None, device=None, group_src=None, use_batch=False):
    """Fill a list with what a rank sends; that rank. src None: any rank."""
    group = member(group)
    if group is None:
        return -1
    if src is None and group_src is None:
        sender, found = _of_any(group, "objects")
    else:
        sender = place_of(group, src, group_src, "src")
        turn = group.turn((sender, group.rank(), "objects"))
        _, found = _first(group, [_key(sender, group.rank(), "objects", turn)])
    object_list[:] = found
    return group.ranks[sender]


class P2POp:
    """One of the calls of batch_isend_irecv. op: isend or irecv. Raises ValueError for another function."""

    def __init__(self, op, tensor, peer=None, group=None, tag=0, group_peer=None):
        if op not in (isend, irecv):
            raise ValueError("Invalid ``op``. Expected ``op`` to be of type ``torch.distributed.isend`` or "
                             "``torch.distributed.irecv``.")  # fmt: skip
        group = member(group)
        place = None if group is None else _peer(tensor, group, peer, group_peer, "peer")
        self.op, self.tensor, self.group, self.tag = op, tensor, group, tag
        self.group_peer = place
        self.peer = None if group is None else group.ranks[place]


def batch_isend_irecv(p2p_op_list):
    """Start several sends and receives; a Work of each. Raises ValueError for what is no P2POp."""
    if not all(isinstance(op, P2POp) for op in p2p_op_list):
        raise ValueError("Invalid ``p2p_op_list``. Each op is expected to to be of type ``torch.distributed.P2POp``.")
    return [op.op(op.tensor, group=op.group, tag=op.tag, **{_SIDES[op.op]: op.group_peer}) for op in p2p_op_list]


_SIDES = {isend: "group_dst", irecv: "group_src"}
