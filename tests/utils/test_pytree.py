"""torch.utils._pytree beside torch's own."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest
import torch.utils._pytree as theirs

import jtorch.utils._pytree as ours

Point = namedtuple("Point", "x y")
TREES = [
    3,
    None,
    [],
    {"b": [1, None], "a": (3, {"z": 4})},
    OrderedDict(b=1, a=[2]),
    defaultdict(list, b=[1], a=[2, 3]),
    deque([1, [2]], maxlen=4),
    Point(1, [2, Point(3, 4)]),
    (Point((), {}), {1, 2}),
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_leaves_structure_and_the_way_back(tree):
    leaves, spec = ours.tree_flatten(tree)
    wanted, known = theirs.tree_flatten(tree)
    assert leaves == wanted and repr(spec) == repr(known)
    for count in ("num_leaves", "num_nodes", "num_children"):
        assert getattr(spec, count) == getattr(known, count)
    assert spec == ours.tree_structure(tree) and spec.is_leaf() == known.is_leaf()
    back = ours.tree_unflatten(leaves, spec)
    assert back == tree and type(back) is type(tree)


def test_maps():
    def act(tree):
        one = {"a": [1, 2.0], "b": (None, 3)}
        two = {"b": ([7], 8), "a": [{"c": 5}, 6]}
        return [
            tree.tree_map(lambda x, y: (x, y), one, two),
            tree.tree_map(str, one, is_leaf=lambda x: isinstance(x, tuple)),
            tree.tree_map_only(int, lambda x: -x, one),
            tree.tree_map_only((int, float), lambda x: -x, one),
            tree.tree_all(lambda x: x is not None, one),
            tree.tree_any(lambda x: x is None, one),
            tree.tree_all_only(int, lambda x: x > 0, one),
            tree.tree_any_only(float, lambda x: x > 2, one),
            tree.tree_leaves(one),
        ]

    assert act(ours) == act(theirs)


@pytest.mark.parametrize(
    "call",
    [
        lambda tree: tree.tree_map(max, [1, 2], [1]),
        lambda tree: tree.tree_map(max, [1, 2], (1, 2)),
        lambda tree: tree.tree_map(max, {"a": 1}, {"b": 1}),
        lambda tree: tree.tree_unflatten([1], tree.tree_structure([1, 2])),
        lambda tree: tree.tree_unflatten([1], [1]),
        lambda tree: tree.register_pytree_node(list, None, None),
    ],
)
def test_refusals_are_of_torchs_class(call):
    with pytest.raises((ValueError, TypeError)) as expected:
        call(theirs)
    with pytest.raises(expected.type):
        call(ours)


def test_a_registered_class_is_a_node():
    class Pair:
        def __init__(self, one, two):
            self.one, self.two = one, two

    ours.register_pytree_node(Pair, lambda p: ([p.one, p.two], "pair"), lambda children, _: Pair(*children))
    leaves, spec = ours.tree_flatten([Pair(1, [2]), 3])
    assert leaves == [1, 2, 3] and spec.unflatten([4, 5, 6])[0].two == [5]


def test_ways_to_the_leaves():
    for tree in TREES[:-1]:
        leaves, spec = ours.tree_flatten_with_path(tree)
        wanted, known = theirs.tree_flatten_with_path(tree)
        assert [(ours.keystr(way), leaf) for way, leaf in leaves] == [(theirs.keystr(w), leaf) for w, leaf in wanted]
        assert repr(leaves) == repr(wanted) and repr(spec) == repr(known)
        assert all(ours.key_get(tree, way) is leaf for way, leaf in leaves)
        shown = ours.tree_map_with_path(lambda way, leaf: ours.keystr(way), tree)
        assert shown == theirs.tree_map_with_path(lambda way, leaf: theirs.keystr(way), tree)
        assert ours._broadcast_to_and_flatten(0, spec) == theirs._broadcast_to_and_flatten(0, known)
    assert ours.arg_tree_leaves(1, [2], a={"b": 3}) == theirs.arg_tree_leaves(1, [2], a={"b": 3})
    for is_one in ("is_namedtuple", "is_namedtuple_class", "is_namedtuple_instance"):
        for value in (Point, Point(1, 2), (1, 2), tuple):
            assert getattr(ours, is_one)(value) == getattr(theirs, is_one)(value)
    for module in (ours, theirs):
        cls = type("Pair", (), {})
        module.register_pytree_node(cls, lambda p: ([1, 2], None), lambda values, _: values)
        with pytest.raises(ValueError, match="Did not find a flatten_with_keys_fn for type"):
            module.tree_leaves_with_path(cls())


def test_nodes_are_found_by_their_type():
    for tree in TREES[:-1]:
        kind, known = ours._get_node_type(tree), theirs._get_node_type(tree)
        assert kind is known and ours._is_leaf(tree) == theirs._is_leaf(tree)
        if kind in ours.SUPPORTED_NODES:
            children, context = ours.SUPPORTED_NODES[kind].flatten_fn(tree)
            assert (children, context) == theirs.SUPPORTED_NODES[kind].flatten_fn(tree)
            assert ours.SUPPORTED_NODES[kind].unflatten_fn(children, context) == tree
