"""How a collective is recorded: by which group, in which order, and whether all ranks call the same."""

import enum
import functools

from jtorch import _tensor
from jtorch.autograd.apply import call
from jtorch.autograd.inplace import update
from jtorch.engine import flush
from jtorch.futures import Future
from jtorch.groups import world
from jtorch.groups.world import DeviceGroup, GroupMember

_COMPARED = 10_000  # signatures that a group compares; later ones are believed


class RedOpType(enum.StrEnum):
    """How the values of all ranks are put together."""

    SUM, AVG, PRODUCT, MIN, MAX = "sum", "avg", "product", "min", "max"
    BAND, BOR, BXOR, PREMUL_SUM = "band", "bor", "bxor", "premul_sum"

    def __int__(self):
        return list(type(self)).index(self)

    def __str__(self):
        return f"RedOpType.{self.name}"

    def __repr__(self):
        return f"<{self}: {int(self)}>"


class _Members(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, RedOpType)


class ReduceOp(metaclass=_Members):
    """The members of RedOpType, and RedOpType itself."""

    RedOpType = RedOpType
    locals().update(RedOpType.__members__)

    def __new__(cls, op):
        """The member itself."""
        return RedOpType(op)


class Work:
    """What an asynchronous call gives: its results are recorded, and come when somebody looks at them."""

    def __init__(self, results=None, finish=None):
        self._results, self._finish = results, finish

    def wait(self, timeout=None):
        """Go on once the call is done; True."""
        finish, self._finish = self._finish, None
        if finish is not None:
            finish()
        return True

    def is_completed(self):
        """Whether it is done: what was recorded is as good as done."""
        return self._finish is None

    def is_success(self):
        """Whether it went well."""
        return True

    def exception(self):
        """What went wrong: nothing that is known now."""
        return None

    def result(self):
        """The tensors that it made."""
        self.wait()
        return self._results

    def synchronize(self):
        """As wait."""
        self.wait()

    def get_future(self):
        """A torch.futures.Future of the results, which are waited for here."""
        future = Future()
        future.set_result(self.result())
        return future


def member(group):
    """A group that this process is a part of; None where it is not, and a call does nothing."""
    group = world.found(group)
    return None if group is GroupMember.NON_GROUP_MEMBER or group.rank() < 0 else group


class _Last:
    across = None  # of the last collective that was recorded


def _ready(group, name, tensors, attrs):
    """The devices for a call of a group. What is pending runs first where one program can't hold both groups' calls."""
    if not tensors:
        raise RuntimeError(f"{name}: no tensors were given")
    across = group.across(_tensor.aval(tensors[0]).device)
    if isinstance(group, DeviceGroup):
        return across
    last, _Last.across = _Last.across, across
    if last is not None and last is not across:
        size = world.found().size()
        if size % len(last.ranks) or size % len(across.ranks):
            flush.flush("sync")
    _compare(group, name, tensors, attrs)
    return across


def _shown(name, kinds, attrs):
    options = "".join(f", {option}={value}" for option, value in attrs)
    shown = f"{name}({', '.join(f'{dtype}{list(shape)}' for shape, dtype in kinds[:4])}{options})"
    return f"{shown} of {len(kinds)} tensors" if len(kinds) > 4 else shown


def _compare(group, name, tensors, attrs):
    """Raise where another rank is known to call something else: each tells what its calls are, once of each kind."""
    number = group.calls
    group.calls += 1
    kinds = tuple((a.shape, a.dtype.name) for a in map(_tensor.aval, tensors))
    key = (name, kinds, attrs)
    world.called(functools.partial(_shown, *key))
    if key in group.seen or group.size() == 1 or len(group.seen) > _COMPARED:
        return
    group.seen[key] = number
    shown = _shown(*key)
    mine = repr(key).encode()
    group.store.set(f"call/{number}/{group.ranks[group.rank()]}", mine + b"\n" + shown.encode())
    for other in group.ranks:
        told = f"call/{number}/{other}"
        if other != group.ranks[group.rank()] and group.store.check([told]):
            theirs, _, text = group.store.get(told).partition(b"\n")
            if theirs != mine:
                raise RuntimeError(
                    f"collective {number} of group {group.group_name}: rank {group.ranks[group.rank()]} calls {shown}, "
                    f"but rank {other} calls {text.decode()}. All ranks must make the same calls, on tensors of the "
                    "same shapes and dtypes, in the same order"
                )


def into(targets, op, arguments, group, label, **attrs):
    """Record a collective whose results are written into tensors, off the tape. label: torch's name of the call."""
    tensors = list(arguments) if isinstance(arguments, (list, tuple)) else [arguments]
    across = _ready(group, label, tensors, tuple(attrs.items()))
    return update(op, targets, arguments, group=across, **attrs)


def made(op, arguments, group, label, **attrs):
    """Record a collective whose results are new tensors, on the tape."""
    tensors = list(arguments) if isinstance(arguments, (list, tuple)) else [arguments]
    across = _ready(group, label, tensors, tuple(attrs.items()))
    return call(op, arguments, group=across, **attrs)
