"""The devices that a program runs on together, and how its values lie on them: halves of a batch, ranks, or a crew."""

import functools
import threading
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec


class Across:
    """Several devices that one program runs on. There is one object for each choice, so that they compare by identity.

    keeps: results of calls that need it are made even where nobody holds them, since other processes wait for them.
    everybody: all the devices that a program with such a call runs on.
    """

    keeps = False

    def __init__(self, mesh):
        self.everybody = self
        self.mesh = mesh
        self.sharding = NamedSharding(mesh, PartitionSpec())

    def program(self, fn):
        """What to compile for a function of arrays."""
        return fn

    def enter(self, array, place=None):
        """An array as an input of the program. place: a sharding of this mesh, else the same values everywhere."""
        raise NotImplementedError

    def leave(self, array):
        """A result of the program as jtorch keeps it."""
        return array


class Fault:
    """Who knows why a program of several processes failed: groups/world.py puts itself here when there are some."""

    @staticmethod
    def explain(error):
        """The error to raise instead, or None."""
        return None


class Used:
    """Whether arrays have been made that lie on several devices of this process, and whether with values of each."""

    several = False
    crew = False


class Split(Across):
    """Devices of this process: XLA partitions the program by how its batches are split, all else is replicated."""

    def __init__(self, devices):
        super().__init__(Mesh(np.array(devices), ("batch",)))
        self.count = len(devices)
        self.split = NamedSharding(self.mesh, PartitionSpec("batch"))

    def along(self, dim):
        """The sharding of an array that is split along a dim."""
        return NamedSharding(self.mesh, PartitionSpec(*[None] * dim, "batch"))

    def enter(self, array, place=None):
        place = self.sharding if place is None else place
        Used.several = True
        if getattr(array, "sharding", None) == place:
            return array
        return jax.device_put(alone(array), place)


def alone(array):
    """An array that may lie on several devices of this process, on the first of them.

    Raises RuntimeError where each device has values of its own.
    """
    if isinstance(array, jax.Array) and len(array.sharding.device_set) > 1:
        if Used.crew and varied([array]) is not None:
            raise RuntimeError("each device of a mesh has values of its own here, which no program of one device takes")
        return array.addressable_data(0)
    return array


class Ranks(Across):
    """One device of each of several processes, which run the same program each on values of its own.

    To JAX such a value is one that all devices have: inside of `jax.shard_map` each works on what it holds.
    """

    keeps = True

    def __init__(self, ranks, kind):
        self.ranks = ranks
        self.kind = kind
        firsts = {}
        for device in jax.devices(kind):
            firsts.setdefault(device.process_index, device)
        self.own = firsts[jax.process_index()]
        super().__init__(Mesh(np.array([firsts[rank] for rank in ranks]), ("ranks",)))

    def program(self, fn):
        def run(*args):
            with _bound(self):
                return fn(*args)

        spec = PartitionSpec()
        return jax.shard_map(run, mesh=self.mesh, in_specs=spec, out_specs=spec, check_vma=False)

    def enter(self, array, place=None):
        if not isinstance(array, jax.Array):
            array = jax.device_put(array, self.own)
        return jax.make_array_from_single_device_arrays(array.shape, self.sharding, [array])

    def leave(self, array):
        return array.addressable_data(0)

    def parts(self):
        """The ranks of the running program as groups of which one is this; None where it runs on this alone."""
        everybody = _local.bound
        if everybody is self:
            return None
        mine = [everybody.ranks.index(rank) for rank in self.ranks]
        rest = [i for i in range(len(everybody.ranks)) if i not in mine]
        size = len(mine)
        return [mine, *(rest[i : i + size] for i in range(0, len(rest), size))]

    def index(self):
        """Which of these ranks a device of the running program is."""
        here = lax.axis_index("ranks")
        if _local.bound is self:
            return here
        places = {rank: i for i, rank in enumerate(self.ranks)}
        return jnp.asarray([places.get(rank, 0) for rank in _local.bound.ranks])[here]


class Crew(Across):
    """Devices of this process, each of which works on values of its own as a rank does.

    To JAX such a value is one that all devices have, as with Ranks. One that lies on one device goes to all of them.
    """

    def __init__(self, devices):
        super().__init__(Mesh(np.array(devices), ("ranks",)))
        self.ranks = tuple(range(len(devices)))

    program = Ranks.program

    def together(self, arrays):
        """The value of which each device has one of these NumPy arrays, all of one shape."""
        Used.several = Used.crew = True
        placed = [jax.device_put(x, device) for x, device in zip(arrays, self.mesh.devices.flat, strict=True)]
        return jax.make_array_from_single_device_arrays(placed[0].shape, self.sharding, placed)

    def enter(self, array, place=None):
        if getattr(array, "sharding", None) == self.sharding:
            return array
        Used.several = Used.crew = True
        return jax.device_put(alone(array), self.sharding)

    def parts(self):
        """All devices as one group: None, as JAX's collectives have it."""
        return None

    def index(self):
        """Which of the devices one is."""
        return lax.axis_index("ranks")


class Row(Across):
    """A Crew in groups, as along one dim of a device mesh. groups: tuples of as many numbers of devices each."""

    def __init__(self, crew, groups):
        super().__init__(crew.mesh)
        self.everybody = crew
        self.ranks = groups[0]
        self._groups = [list(group) for group in groups]
        self._places = np.zeros(len(crew.ranks), int)
        for group in groups:
            self._places[list(group)] = range(len(group))

    def parts(self):
        """The groups."""
        return self._groups

    def index(self):
        """Which one of its group a device is."""
        return jnp.asarray(self._places)[lax.axis_index("ranks")]


def varied(arrays):
    """The Crew on which one of these arrays has values of each device, or None."""
    for array in arrays:
        sharding = getattr(array, "sharding", None)
        if isinstance(sharding, NamedSharding) and sharding.mesh.axis_names == ("ranks",):
            found = _crews.get(sharding.mesh)
            if found is not None:
                return found
    return None


_crews: dict = {}  # JAX's mesh -> Crew


@functools.cache
def crew(devices):
    """The Crew of some devices of this process, a tuple of jax.Devices."""
    made = Crew(devices)
    _crews[made.mesh] = made
    return made


@functools.cache
def row(crew, groups):
    """The Row of a Crew in groups, a tuple of tuples."""
    return Row(crew, groups)


@functools.cache
def split(devices):
    """The Split of some devices of this process, a tuple of jax.Devices."""
    return Split(devices)


@functools.cache
def ranks(numbers, kind="cpu"):
    """The Ranks of some processes' numbers, a tuple in ascending order. kind: of their devices, as JAX names it."""
    return Ranks(numbers, kind)


class _Local(threading.local):
    bound = None


_local = _Local()


@contextmanager
def _bound(across):
    before, _local.bound = _local.bound, across
    try:
        yield
    finally:
        _local.bound = before


def running():
    """Whether a program on several ranks is being made: elsewhere only shapes are asked for."""
    return _local.bound is not None


def common(found):
    """The devices that all calls of a program can run on: those they name, or everybody's. found: Across objects, None.

    Raises RuntimeError where devices of one process and ranks are asked for at once.
    """
    kinds = {across.everybody for across in found if across is not None}
    if len(kinds) < 2:
        return next(iter(kinds), None)
    if not all(isinstance(across, Ranks) for across in kinds):
        raise RuntimeError("one step can't split a batch over devices and speak with other processes as well")
    return ranks(tuple(range(jax.process_count())), next(iter(kinds)).kind)
