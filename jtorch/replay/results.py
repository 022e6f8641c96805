"""What a call leaves behind, kept as a form from which it is made again out of a program's results."""

from jtorch._tensor import Tensor, View
from jtorch.engine.storage import Storage
from jtorch.replay.code import Refused

_CONSTANTS = (type(None), bool, int, float, complex, str, bytes)


class Values:
    """Which values of a trace are asked of its program. Raises Refused for a Ref that is none of them."""

    def __init__(self, trace, sources):
        self.trace = trace
        self.sources = sources  # id of an input's Ref -> its place among the inputs
        self.slots = []

    def of(self, ref):
        """("out", place among the results) or ("in", place among the inputs)."""
        if id(ref) in self.sources:
            return "in", self.sources[id(ref)]
        if ref.trace is not self.trace or ref.value is not None:
            raise Refused("it makes a tensor outside of the program")
        if ref.slot not in self.slots:
            self.slots.append(ref.slot)
        return "out", self.slots.index(ref.slot)


class Results:
    """The forms of new tensors. `known`: tensors from before the call by id, each with how it is found again."""

    def __init__(self, values, known, storages):
        self.values = values
        self.known = known
        self.storages = storages  # ids of the storages from before the call
        self.made = {}  # id of a tensor -> (its form, the tensor)
        self.cells = {}

    def form(self, x):
        """The form of a result: a Tensor, a constant, or a tuple, list or dict of such."""
        kind = type(x)
        if isinstance(x, Tensor):
            return self.tensor(x)
        if isinstance(x, _CONSTANTS):
            return "constant", x
        if isinstance(x, tuple):
            return "tuple", kind, [self.form(v) for v in x]
        if kind is list:
            return "list", [self.form(v) for v in x]
        if kind is dict:
            return "dict", list(x), [self.form(v) for v in x.values()]
        raise Refused(f"it returns an object of {kind.__qualname__}")

    def tensor(self, x):
        """The form of a Tensor: one that was there before, or how it is made."""
        if id(x) in self.known:
            return "known", self.known[id(x)]
        if id(x) in self.made:
            return self.made[id(x)][0]
        if id(x._storage) in self.storages or type(x._storage) is not Storage:
            raise Refused("it returns a view of memory that was there before")
        if type(x) is not Tensor or x._apart is not None or x._hooks is not None or x._retains or x._grad is not None:
            raise Refused("it returns a tensor with a class, hooks or a gradient of its own")
        node = x._grad_fn
        if x._rg and (node is None or not _released(node) or x._view is not None):
            # Its backward is yet to come: both belong into one program, which the engine makes of the plain call.
            raise Refused("it returns a tensor with a graph")
        form = "tensor", len(self.made), self._cell(x._storage), self._view(x), node, x._out_nr
        self.made[id(x)] = form, x
        return form

    def _cell(self, storage):
        found = self.cells.get(id(storage))
        if found is None:
            place = self.values.of(storage.ref)
            found = self.cells[id(storage)] = (len(self.cells), place, storage.version, storage.graph), storage
        return found[0]

    def _view(self, x):
        view = x._view
        if view is None:
            return None
        if view.source is not x._storage.ref:
            raise Refused("it returns a view that was written to through another one")
        return view.steps, view.strides, view.offset, view.base is not None, view.made, self.values.of(view.ref)


def _released(node):
    """Whether a backward has been through a node; of one that saves nothing, only the versions are gone by then."""
    return getattr(node, "saved", ()) is None or type(getattr(node, "versions", None)) is tuple


class Making:
    """One making of all the forms, from Refs of the program's results and inputs."""

    def __init__(self, outs, ins, known):
        self.refs = {"out": outs, "in": ins}
        self.known = known
        self.made, self.cells = {}, {}

    def make(self, form):
        """What a form stands for."""
        kind = form[0]
        if kind == "tensor":
            return self._tensor(form)
        if kind == "constant":
            return form[1]
        if kind == "known":
            return self.known(form[1])
        if kind == "list":
            return list(map(self.make, form[1]))
        if kind == "dict":
            return dict(zip(form[1], map(self.make, form[2]), strict=True))
        items = map(self.make, form[2])
        return form[1](*items) if hasattr(form[1], "_fields") else form[1](items)

    def _tensor(self, form):
        _, number, cell, view, node, out_nr = form
        t = self.made.get(number)
        if t is None:
            t = self.made[number] = object.__new__(Tensor)
            t._storage = storage = self._cell(cell)
            if node is not None:
                t._grad_fn, t._rg, t._out_nr = node, True, out_nr
            if view is not None:
                steps, strides, offset, based, made, (kind, place) = view
                base = None
                if based:
                    base = object.__new__(Tensor)
                    base._storage = storage
                t._view = View(steps, strides, offset, base, storage.ref, self.refs[kind][place], storage.graph, made)
        return t

    def _cell(self, cell):
        number, (kind, place), version, graph = cell
        storage = self.cells.get(number)
        if storage is None:
            storage = self.cells[number] = Storage(self.refs[kind][place])
            if version or graph:
                storage.version, storage.graph = version, graph
        return storage
