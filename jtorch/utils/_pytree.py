"""Nested containers as torch.utils._pytree sees them: dicts keep their order, None is a leaf, classes may register."""

import functools
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field

from jtorch.api.returns import Structure

__all__ = [
    "Context",
    "LeafSpec",
    "PyTree",
    "PyTreeSpec",
    "TreeSpec",
    "is_namedtuple",
    "is_namedtuple_class",
    "is_namedtuple_instance",
    "key_get",
    "keystr",
    "register_pytree_node",
    "tree_all",
    "tree_all_only",
    "tree_any",
    "tree_any_only",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_is_leaf",
    "tree_iter",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_only_",
    "tree_map_with_path",
    "tree_structure",
    "tree_unflatten",
]

PyTree = Context = object


@dataclass(frozen=True)
class SequenceKey:
    """The way to a child: its number."""

    idx: int

    def __str__(self):
        return f"[{self.idx!r}]"

    def get(self, sequence):
        """The child of a sequence."""
        return sequence[self.idx]


@dataclass(frozen=True)
class MappingKey:
    """The way to a child: its key."""

    key: object

    def __str__(self):
        return f"[{self.key!r}]"

    def get(self, mapping):
        """The child of a mapping."""
        return mapping[self.key]


@dataclass(frozen=True)
class GetAttrKey:
    """The way to a child: the attribute's name."""

    name: str

    def __str__(self):
        return f".{self.name}"

    def get(self, obj):
        """The child of an object."""
        return getattr(obj, self.name)


KeyEntry = SequenceKey | MappingKey | GetAttrKey
KeyPath = tuple


def _by_number(children, context):
    return [SequenceKey(i) for i in range(len(children))]


def _by_key(children, context):
    return [MappingKey(key) for key in context]


def _by_attribute(children, context):
    return [GetAttrKey(name) for name in context._fields]


# container -> children, context; the way back; container -> (way, child) pairs, context
NodeDef = namedtuple("NodeDef", "flatten_fn unflatten_fn flatten_with_keys_fn")


def _dict_flatten(d):
    return list(d.values()), list(d)


def _dict_unflatten(values, context):
    return dict(zip(context, values, strict=True))


def _list_flatten(d):
    return d, None


def _list_unflatten(values, context):
    return list(values)


def _tuple_flatten(d):
    return list(d), None


def _tuple_unflatten(values, context):
    return tuple(values)


def _namedtuple_flatten(d):
    return list(d), type(d)


def _namedtuple_unflatten(values, context):
    return context(*values)


def _with_keys(flatten, keys):
    """A flatten function that gives (way, child) for each child."""

    def flatten_with_keys(d):
        children, context = flatten(d)
        return list(zip(keys(children, context), children, strict=True)), context

    return flatten_with_keys


_dict_flatten_with_keys = _with_keys(_dict_flatten, _by_key)
_list_flatten_with_keys = _with_keys(_list_flatten, _by_number)
_tuple_flatten_with_keys = _with_keys(_tuple_flatten, _by_number)
_namedtuple_flatten_with_keys = _with_keys(_namedtuple_flatten, _by_attribute)


def _defaultdict_flatten(d):
    return list(d.values()), [d.default_factory, list(d)]


def _deque_flatten(d):
    return list(d), d.maxlen


SUPPORTED_NODES: dict = {
    tuple: NodeDef(_tuple_flatten, _tuple_unflatten, _tuple_flatten_with_keys),
    list: NodeDef(_list_flatten, _list_unflatten, _list_flatten_with_keys),
    dict: NodeDef(_dict_flatten, _dict_unflatten, _dict_flatten_with_keys),
    OrderedDict: NodeDef(
        _dict_flatten, lambda values, keys: OrderedDict(zip(keys, values, strict=True)), _dict_flatten_with_keys
    ),
    defaultdict: NodeDef(
        _defaultdict_flatten,
        lambda values, context: defaultdict(context[0], zip(context[1], values, strict=True)),
        _with_keys(_defaultdict_flatten, lambda values, context: _by_key(values, context[1])),
    ),
    deque: NodeDef(
        _deque_flatten, lambda values, maxlen: deque(values, maxlen=maxlen), _with_keys(_deque_flatten, _by_number)
    ),
    namedtuple: NodeDef(_namedtuple_flatten, _namedtuple_unflatten, _namedtuple_flatten_with_keys),
}


@dataclass(frozen=True, repr=False)
class TreeSpec:
    """The structure of a tree: the type of its root, what else rebuilds it, and the structures of its children.

    num_leaves, num_nodes, num_children: how many there are.
    """

    type: object
    context: object
    _children: list
    num_nodes: int = field(init=False, compare=False)
    num_leaves: int = field(init=False, compare=False)
    num_children: int = field(init=False, compare=False)

    def __post_init__(self):
        leaf = self.type is None
        object.__setattr__(self, "num_nodes", 1 + sum(child.num_nodes for child in self._children))
        object.__setattr__(self, "num_leaves", 1 if leaf else sum(child.num_leaves for child in self._children))
        object.__setattr__(self, "num_children", len(self._children))

    def is_leaf(self):
        """Whether it is the structure of a leaf."""
        return self.type is None

    def children(self):
        """The structures of the children."""
        return list(self._children)

    def child(self, index):
        """The structure of one child."""
        return self._children[index]

    def unflatten(self, leaves):
        """The tree of this structure with these leaves. Raises: ValueError when there are not as many."""
        return tree_unflatten(leaves, self)

    def flatten_up_to(self, tree):
        """The subtrees of another tree at this one's leaves. Raises: ValueError where it is built otherwise."""
        if self.is_leaf():
            return [tree]
        kind = _get_node_type(tree)
        if kind is not self.type:
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {kind!r}.")
        children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
        if len(children) != self.num_children:
            raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got {len(children)}.")
        if kind in (dict, OrderedDict) and set(context) == set(self.context):
            children = [tree[key] for key in self.context]
        elif context != self.context:
            raise ValueError(f"Node context mismatch; expected {self.context!r}, but got {context!r}.")
        return [
            part for spec, child in zip(self._children, children, strict=True) for part in spec.flatten_up_to(child)
        ]

    def __repr__(self, indent=0):
        if self.is_leaf():
            return "*"
        lines = (",\n" + " " * (indent + 2)).join(child.__repr__(indent + 2) for child in self._children)
        return f"TreeSpec({self.type.__name__}, {self.context}, [{lines}])"


PyTreeSpec = TreeSpec
_LEAF = TreeSpec(None, None, [])


def LeafSpec():
    """The structure of a leaf."""
    return _LEAF


def is_namedtuple_class(cls):
    """Whether a class is one that collections.namedtuple made."""
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields") and tuple in cls.__mro__[1:]


def is_namedtuple_instance(obj):
    """Whether a value is of a class that collections.namedtuple made."""
    return is_namedtuple_class(type(obj))


def is_namedtuple(obj):
    """Whether a value or a class is a named tuple's."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def register_pytree_node(cls, flatten_fn, unflatten_fn, *, flatten_with_keys_fn=None, **options):
    """Make a class a kind of node. flatten_fn: container -> (children, context); unflatten_fn: the way back.

    Raises: ValueError for a class that is registered.
    """
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    SUPPORTED_NODES[cls] = NodeDef(flatten_fn, unflatten_fn, flatten_with_keys_fn)


_register_pytree_node = register_pytree_node


def _get_node_type(tree):
    kind = type(tree)
    if isinstance(tree, tuple) and kind is not tuple and kind not in SUPPORTED_NODES:
        if is_namedtuple_instance(tree):
            return namedtuple
        if isinstance(tree, Structure):
            SUPPORTED_NODES[kind] = NodeDef(_tuple_flatten, lambda values, _: kind(values), _tuple_flatten_with_keys)
    return kind


def tree_is_leaf(tree, is_leaf=None):
    """Whether a tree is a leaf: of no registered type, or is_leaf says so."""
    return (is_leaf is not None and is_leaf(tree)) or _get_node_type(tree) not in SUPPORTED_NODES


_is_leaf = tree_is_leaf


def tree_flatten(tree, is_leaf=None):
    """The leaves of a tree, and its structure."""
    leaves = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(tree, leaves, is_leaf):
    if tree_is_leaf(tree, is_leaf):
        leaves.append(tree)
        return _LEAF
    kind = _get_node_type(tree)
    children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
    return TreeSpec(kind, context, [_flatten(child, leaves, is_leaf) for child in children])


def tree_unflatten(leaves, treespec):
    """The tree of a structure with these leaves. Raises: ValueError for too few or many, TypeError for no structure."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"Expected `treespec` to be an instance of TreeSpec but got item of type {type(treespec)}.")
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec refers to a pytree that "
            f"holds {treespec.num_leaves} items ({treespec})."
        )
    return _unflatten(iter(leaves), treespec)


def _unflatten(leaves, spec):
    if spec.is_leaf():
        return next(leaves)
    children = [_unflatten(leaves, child) for child in spec.children()]
    return SUPPORTED_NODES[spec.type].unflatten_fn(children, spec.context)


def tree_iter(tree, is_leaf=None):
    """An iterator over the leaves of a tree."""
    return iter(tree_leaves(tree, is_leaf))


def tree_leaves(tree, is_leaf=None):
    """The leaves of a tree."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree, is_leaf=None):
    """The structure of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func, tree, *rests, is_leaf=None):
    """A tree of what func returns for each leaf and what stands there in the rests. Raises: ValueError for others."""
    leaves, spec = tree_flatten(tree, is_leaf)
    return spec.unflatten(list(map(func, leaves, *(spec.flatten_up_to(rest) for rest in rests))))


def tree_map_(func, tree, *rests, is_leaf=None):
    """Call func for each leaf, as tree_map does, and return the tree itself."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def _only(kinds, func):
    test = kinds if callable(kinds) and not isinstance(kinds, type) else lambda value: isinstance(value, kinds)
    return lambda value: func(value) if test(value) else value


def map_only(kinds, /):
    """A decorator: func acts on values of some types (or that pass a test), others are handed on."""
    return functools.partial(_only, kinds)


def tree_map_only(kinds, /, func, tree, is_leaf=None):
    """tree_map for leaves of some types (or that pass a test); others are handed on."""
    return tree_map(_only(kinds, func), tree, is_leaf=is_leaf)


def tree_map_only_(kinds, /, func, tree, is_leaf=None):
    """tree_map_ for leaves of some types (or that pass a test)."""
    return tree_map_(_only(kinds, func), tree, is_leaf=is_leaf)


def tree_all(pred, tree, is_leaf=None):
    """Whether pred holds for all leaves."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred, tree, is_leaf=None):
    """Whether pred holds for a leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def tree_all_only(kinds, /, pred, tree, is_leaf=None):
    """Whether pred holds for all leaves of some types."""
    return all(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, kinds))


def tree_any_only(kinds, /, pred, tree, is_leaf=None):
    """Whether pred holds for a leaf of some types."""
    return any(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, kinds))


def keystr(kp):
    """A way to a leaf as it would be written: ['a'][0].x"""
    return "".join(map(str, kp))


def key_get(obj, kp):
    """What stands at the end of a way."""
    for key in kp:
        obj = key.get(obj)
    return obj


def _ways(tree, way, is_leaf):
    """(way, leaf) of each leaf below a tree that a way leads to."""
    if tree_is_leaf(tree, is_leaf):
        yield way, tree
        return
    kind = _get_node_type(tree)
    node = SUPPORTED_NODES[kind]
    if node.flatten_with_keys_fn is None:
        raise ValueError(
            f"Did not find a flatten_with_keys_fn for type: {kind}. Please pass a flatten_with_keys_fn argument to "
            "register_pytree_node."
        )
    for key, child in node.flatten_with_keys_fn(tree)[0]:
        yield from _ways(child, (*way, key), is_leaf)


def tree_leaves_with_path(tree, is_leaf=None):
    """[(way, leaf), ...]. Raises: ValueError for a class that was registered without flatten_with_keys_fn."""
    return list(_ways(tree, (), is_leaf))


def tree_flatten_with_path(tree, is_leaf=None):
    """[(way, leaf), ...] and the structure. Raises as tree_leaves_with_path."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_map_with_path(func, tree, *rests, is_leaf=None):
    """tree_map of a function that is given the way to each leaf first. Raises as tree_leaves_with_path."""
    leaves, spec = tree_flatten_with_path(tree, is_leaf)
    columns = zip(*leaves, strict=True) if leaves else ((), ())
    return spec.unflatten(list(map(func, *columns, *(spec.flatten_up_to(rest) for rest in rests))))


def _broadcast_to_and_flatten(tree, treespec, is_leaf=None):
    """The leaves of a tree that is stretched to a structure, or None where it is built otherwise."""
    if tree_is_leaf(tree, is_leaf):
        return [tree] * treespec.num_leaves
    kind = _get_node_type(tree)
    if treespec.is_leaf() or kind is not treespec.type:
        return None
    children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
    if len(children) != treespec.num_children or context != treespec.context:
        return None
    parts = [_broadcast_to_and_flatten(x, s, is_leaf) for x, s in zip(children, treespec.children(), strict=True)]
    return None if None in parts else [leaf for part in parts for leaf in part]


def arg_tree_leaves(*args, **kwargs):
    """The leaves of a call's arguments."""
    return [leaf for arg in (*args, *kwargs.values()) for leaf in tree_leaves(arg)]
