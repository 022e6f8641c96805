"""Packed and padded sequences against torch's: values, gradients, text, conversions, errors."""

import copy
import pickle

import numpy as np
import pytest

import jtorch
from tests.nn.paths import raises
from tests.oracle import same, same_print

draw = np.random.default_rng(0)
BLOCK = draw.standard_normal((4, 3, 2))
LENGTHS = {"sorted": [4, 2, 2], "short": [3, 1, 1], "equal": [4, 4, 4], "unsorted": [2, 4, 2]}


@pytest.mark.parametrize("kind", LENGTHS)
def test_there_and_back(kind):
    lengths, ordered = LENGTHS[kind], kind != "unsorted"

    def each(torch):
        rnn, found = torch.nn.utils.rnn, []
        for first in (False, True):
            x = torch.tensor(BLOCK.swapaxes(0, 1).copy() if first else BLOCK, requires_grad=True)
            counts = torch.tensor(lengths) if first else lengths
            packed = rnn.pack_padded_sequence(x, counts, first, ordered)
            back = rnn.pad_packed_sequence(packed, first, 0.5, 6)
            (packed.data.sum() + (back[0] * back[0]).sum()).backward()
            found += [tuple(packed), back, back[0].stride(), packed.data.stride(), x.grad]
        return found

    same(each)


def test_whole_numbers_and_vectors():
    def each(torch):
        rnn = torch.nn.utils.rnn
        rows = [torch.tensor([1, 2, 3]), torch.tensor([4]), torch.tensor([5, 6])]
        packed = rnn.pack_sequence(rows, enforce_sorted=False)
        too_long = rnn.pack_padded_sequence(torch.arange(8).view(4, 2), [5, 2])
        ahead = rnn.pack_padded_sequence(torch.arange(8).view(4, 2), torch.tensor([4.0, 2.0]))
        return (
            tuple(packed), rnn.pad_packed_sequence(packed), rnn.unpack_sequence(packed), tuple(too_long),
            tuple(ahead), rnn.invert_permutation(torch.tensor([2, 0, 1])), rnn.invert_permutation(None),
        )  # fmt: skip

    same(each)
    same_print(lambda torch: torch.nn.utils.rnn.pack_sequence([torch.arange(2.0), torch.arange(3.0)], False))


def test_padding():
    def each(torch):
        rnn = torch.nn.utils.rnn
        a, b = (torch.tensor(BLOCK[:n, 0], requires_grad=True) for n in (2, 4))
        blocks = [
            rnn.pad_sequence([a, b]), rnn.pad_sequence([a, b], True, -1.0),
            rnn.pad_sequence(iter([b, a]), True, 2, "left"),
            rnn.pad_sequence([a, b], padding_side="left"),
        ]  # fmt: skip
        sum((x * x).sum() for x in blocks).backward()
        whole = rnn.pad_sequence([torch.tensor([1, 2, 3]), torch.tensor([2])], padding_value=1.5)
        mixed = rnn.pad_sequence([torch.ones(2), torch.tensor([1, 2, 3])])
        again = blocks[0].detach()
        apart = rnn.unpad_sequence(again, torch.tensor([2, 4]))
        return blocks, [x.stride() for x in blocks], a.grad, b.grad, whole, mixed, apart, again.shape

    same(each)


def test_conversions():
    def each(torch):
        rnn = torch.nn.utils.rnn
        p = rnn.pack_sequence([torch.arange(2.0), torch.arange(3.0)], enforce_sorted=False)
        names = ("double", "float", "half", "long", "int", "short", "char", "byte")
        made = [getattr(p, name)() for name in names]
        pair = rnn.PackedSequence((p.data, p.batch_sizes))
        return (
            [tuple(x) for x in made], p.float() is p, p.to("cpu") is p, p.cpu() is p, p.to(torch.float64).data,
            p.is_cuda, p.is_pinned(), tuple(pair), p._fields, isinstance(p, tuple), tuple(rnn.PackedSequence(*p)),
        )  # fmt: skip

    same(each)


def test_pickle_and_deepcopy():
    p = jtorch.nn.utils.rnn.pack_sequence([jtorch.arange(2.0), jtorch.arange(3.0)], enforce_sorted=False)
    for other in (pickle.loads(pickle.dumps(p)), copy.deepcopy(p)):
        assert type(other) is type(p) and all(jtorch.equal(a, b) for a, b in zip(p, other, strict=True))


def test_refusals():
    x = BLOCK[:, :2]
    for lengths in ([2, 4], [4, 0], [4, 2, 1], [], [4, -1], [[4, 2]]):
        raises(lambda torch, n=lengths: torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(x), n))
    for call in (
        lambda rnn, torch: rnn.pack_padded_sequence(torch.zeros(0, 2, 3), [0, 0]),
        lambda rnn, torch: rnn.pack_padded_sequence(torch.zeros(4), [4]),
        lambda rnn, torch: rnn.pack_padded_sequence([[1.0]], [1]),
        lambda rnn, torch: rnn.pack_sequence([torch.zeros(2), torch.zeros(3)]),
        lambda rnn, torch: rnn.pad_packed_sequence(rnn.pack_padded_sequence(torch.tensor(x), [4, 2]), total_length=3),
        lambda rnn, torch: rnn.pad_packed_sequence(rnn.PackedSequence(torch.zeros(5, 3), torch.tensor([2, 2, 2]))),
        lambda rnn, torch: rnn.pad_sequence(3),
        lambda rnn, torch: rnn.pad_sequence([]),
        lambda rnn, torch: rnn.pad_sequence([torch.zeros(2, 3), torch.zeros(3, 4)]),
        lambda rnn, torch: rnn.pad_sequence([torch.zeros(2)], padding_side="up"),
        lambda rnn, torch: rnn.pad_sequence([torch.tensor(1.0)]),
        lambda rnn, torch: rnn.PackedSequence(torch.zeros(3)),
    ):
        raises(lambda torch, call=call: call(torch.nn.utils.rnn, torch))


def test_refused_packings():
    with pytest.raises(RuntimeError, match="must not increase"):
        rows = jtorch.nn.utils.rnn.PackedSequence(jtorch.zeros(6, 3), jtorch.tensor([2, 1, 3]))
        jtorch.nn.GRU(3, 4)(rows)
    raises(
        lambda torch: torch.nn.GRU(3, 4)(torch.nn.utils.rnn.PackedSequence(torch.zeros(5, 3), torch.tensor([2, 2, 2])))
    )
