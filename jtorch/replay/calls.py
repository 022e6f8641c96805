"""The calls of one function: which were recorded, under which guards, and which of them a call can replay."""

from collections import Counter

from jtorch import devices, dtypes, modes
from jtorch._tensor import Tensor, strides
from jtorch.engine import debug, flush, log
from jtorch.replay.code import Refused
from jtorch.replay.recording import Before, Recording
from jtorch.replay.world import World

_CONSTANTS = frozenset({type(None), bool, int, float, complex, str, bytes, dtypes.dtype, devices.Device, type(...)})
MOST = 8  # recordings kept of one function for one kind of arguments, and kinds of arguments
TRIES = 3  # calls after which one that could not be recorded is left to Python for good


class Calls:
    """A function's recorded calls. `roots`: what its Python starts from. `plain`: why it always runs as Python."""

    def __init__(self, fn, roots):
        self.fn = fn
        self._roots = roots
        self._known = {}
        self._failures = Counter()
        self.plain = None

    def __call__(self, args, kwargs):
        """The function's result: replayed where a recording fits, else computed by its Python."""
        if self.plain is not None or modes.rare or log.active() or debug.EAGER:
            return self.fn(*args, **kwargs)
        found = Arguments(args, kwargs)
        if not found.plain:
            return self.fn(*args, **kwargs)
        key = found.key()
        entries = self._known.get(key)
        for entry in entries or ():
            if entry.fits(found):
                done, result = entry.recording.run(found.tensors)
                if done:
                    return result
        if entries is not None and len(entries) >= MOST or self._failures[key] >= TRIES or len(self._known) > MOST:
            return self.fn(*args, **kwargs)
        return self._record(key, found, args, kwargs)

    def recordings(self):
        """The recordings that calls are replayed from."""
        return [entry.recording for entries in self._known.values() for entry in entries]

    def _record(self, key, found, args, kwargs):
        try:
            entry = Entry(self._roots, found)
            before = Before([*entry.world.tensors, *found.tensors])
        except Refused as reason:
            self._leave(reason)
            return self.fn(*args, **kwargs)
        flush.boundary()
        with log.logged() as noted:
            result = self.fn(*args, **kwargs)
        try:
            entry.check(found, Arguments(args, kwargs), key)
            entry.recording = Recording(len(entry.world.tensors), before, noted, result)
        except Refused as reason:
            self._failures[key] += 1
            if debug.ON:
                debug.say(f"compile: {getattr(self.fn, '__qualname__', self.fn)} runs as Python: {reason}")
            return result
        del before
        entry.recording.start()
        self._known.setdefault(key, []).insert(0, entry)
        return result

    def _leave(self, reason):
        self.plain = str(reason)
        if debug.ON:
            debug.say(f"compile: {getattr(self.fn, '__qualname__', self.fn)} always runs as Python: {reason}")


class Entry:
    """One recording with its guards. Raises Refused where the guards cannot see all that the Python reads."""

    recording = None

    def __init__(self, roots, found):
        self.world = World([*roots, *found.objects])
        self._cells = {id(t._storage) for t in self.world.tensors}
        if not self.fits(found):
            raise Refused("an argument shares memory with what the function holds")

    def fits(self, found):
        """Whether a call with these arguments finds everything as it was recorded."""
        return self._cells.isdisjoint(found.cells) and self.world.same()

    def check(self, before, after, key):
        """Raise Refused where the call changed Python state or its arguments."""
        if not self.world.same():
            raise Refused("it changes Python state")
        if after.key() != key or [*map(id, after.tensors), *map(id, after.objects)] != [
            *map(id, before.tensors),
            *map(id, before.objects),
        ]:
            raise Refused("it changes its arguments or the modes it runs under")


class Arguments:
    """A call's arguments, flattened. `plain`: whether they are such as a recording can stand for."""

    def __init__(self, args, kwargs):
        self.tensors, self.objects, self._kinds = [], [], []
        self.plain = True
        for x in args:
            self._add(x)
        for name, x in kwargs.items():
            self._kinds.append(name)
            self._add(x)
        self.cells = [id(t._storage) for t in self.tensors]
        if len(set(self.cells)) < len(self.cells):
            self.plain = False  # views of one memory

    def key(self):
        """What recordings are told apart by: the arguments' kinds, and the modes of this thread."""
        local = modes.local
        return (
            *self._kinds,
            local.grad,
            local.inference,
            local.token,
            local.level,
            devices.Default.device,
            dtypes.Default.float,
        )

    def _add(self, x):
        kind = type(x)
        if isinstance(x, Tensor):
            view = x._view
            self.tensors.append(x)
            self._kinds += (x._storage.aval if view is None else (view.ref.aval, strides(x), view.offset), x._rg, kind)
            self._kinds.append(x._storage.order)
            if x._grad_fn is not None or x._hooks is not None:
                self.plain = False
        elif kind in _CONSTANTS:
            self._kinds += (kind, repr(x) if kind in (float, complex) else x)
        elif kind in (list, tuple):
            self._kinds += (kind, len(x))
            for item in x:
                self._add(item)
        elif kind is dict:
            self._kinds += (kind, *x)
            for item in x.values():
                self._add(item)
        else:
            self.objects.append(x)
            self._kinds += (kind, id(x))
