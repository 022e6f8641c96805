"""Pipes of streams: samples, lengths and errors as torch's."""

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from tests.oracle import same, same_warnings
from tests.utils.data.datapipes.pipes import add, even, odd, outcome, plus, stem, streams

NAMES = ["a.png", "b.png", "a.json", "b.json", "a.jpg", "c.json"]

CASES = {
    "map": lambda W: list(W(range(3)).map(plus)),
    "map_len": lambda W: len(W(range(3)).map(plus)),
    "map_column": lambda W: list(W([(1, 2), [3, 4]]).map(plus, input_col=0)),
    "map_columns": lambda W: list(W([(1, 2, 3)]).map(add, input_col=(0, 1))),
    "map_append": lambda W: list(W([(1, 2)]).map(add, input_col=(0, 1), output_col=-1)),
    "map_key": lambda W: list(W([{"a": 1, "b": 2}]).map(add, input_col=["a", "b"], output_col=["c"])),
    "map_output_alone": lambda W: W([1]).map(plus, output_col=1),
    "map_outputs": lambda W: W([1]).map(plus, input_col=0, output_col=[1, 2]),
    "map_too_few": lambda W: W([1]).map(add),
    "map_too_many": lambda W: W([1]).map(plus, input_col=[0, 1]),
    "map_keyword": lambda W: W([1]).map(lambda x, *, k: x),
    "map_no_function": lambda W: W([1]).map(3),
    "filter": lambda W: list(W(range(6)).filter(even)),
    "filter_column": lambda W: list(W([(1, 2), (2, 3)]).filter(even, input_col=0)),
    "filter_int": lambda W: list(W(range(6)).filter(odd)),
    "filter_len": lambda W: len(W(range(6)).filter(odd)),
    "batch": lambda W: list(W(range(5)).batch(2)),
    "batch_drop": lambda W: (list(W(range(5)).batch(2, drop_last=True)), len(W(range(5)).batch(2, True))),
    "batch_chunk": lambda W: [(c.as_str("> "), c.items, list(c.raw_iterator())) for c in W(range(3)).batch(2)],
    "batch_none": lambda W: W(range(5)).batch(0),
    "unbatch": lambda W: list(W([[[0, 1], [2]], [[3]]]).unbatch()),
    "unbatch_all": lambda W: list(W([[[0, 1], [2]], 3]).unbatch(-1)),
    "unbatch_deep": lambda W: list(W([1]).unbatch(2)),
    "unbatch_level": lambda W: list(W([1]).unbatch(-2)),
    "group": lambda W: list(W(NAMES).groupby(stem)),
    "group_size": lambda W: list(W(NAMES).groupby(stem, group_size=2, keep_key=True)),
    "group_full": lambda W: list(W(NAMES).groupby(stem, buffer_size=3, group_size=3, guaranteed_group_size=2)),
    "group_key": lambda W: list(
        W(NAMES).groupby(stem, keep_key=True, buffer_size=3, group_size=3, drop_remaining=True)
    ),
    "group_fails": lambda W: list(W(NAMES).groupby(stem, buffer_size=2, group_size=2)),
    "group_sizes": lambda W: W(NAMES).groupby(stem, buffer_size=2, group_size=3),
    "group_guaranteed": lambda W: W(NAMES).groupby(stem, guaranteed_group_size=3),
    "concat": lambda W: (list(W(range(3)).concat(W("ab"))), len(W(range(3)).concat(W("ab")))),
    "concat_other": lambda W: W(range(3)).concat([1]),
    "mux": lambda W: (list(W(range(3)).mux(W("abcde"))), len(W(range(3)).mux(W("abcde")))),
    "zip": lambda W: (list(W(range(3)).zip(W("abcd"))), len(W(range(3)).zip(W("abcd")))),
    "zip_other": lambda W: W(range(3)).zip("abc"),
    "demux": lambda W: [list(branch) for branch in W(range(6)).demux(2, odd)],
    "demux_none": lambda W: [list(b) for b in W(range(6)).demux(2, lambda x: x % 3 % 2 or None, drop_none=True)],
    "demux_full": lambda W: list(W(range(6)).demux(2, odd, buffer_size=1)[1]),
    "demux_range": lambda W: list(W(range(6)).demux(2, plus)[0]),
    "demux_len": lambda W: len(W(range(6)).demux(2, odd)[0]),
    "demux_zero": lambda W: W(range(6)).demux(0, odd),
    "fork": lambda W: list(zip(*W(range(4)).fork(3), strict=True)),
    "fork_len": lambda W: len(W(range(4)).fork(2)[0]),
    "fork_deep": lambda W: [a[0] is b[0] for a, b in zip(*W([[[1]]]).fork(2, copy="deep"), strict=True)],
    "fork_same": lambda W: [a[0] is b[0] for a, b in zip(*W([[[1]]]).fork(2, copy="shallow"), strict=True)],
    "fork_copy": lambda W: W([1]).fork(2, copy="other"),
    "fork_full": lambda W: list(W(range(9)).fork(2, buffer_size=2)[0]),
    "fork_one": lambda W: list(W(range(3)).fork(1)),
    "fork_zero": lambda W: W(range(3)).fork(0),
    "shard": lambda W: (list(W(range(5)).sharding_filter()), len(W(range(5)).sharding_filter())),
    "collate": lambda W: [t.tolist() for t in W([[1, 2], [3, 4]]).collate()],
    "collate_own": lambda W: list(W([[1, 2], [3, 4]]).collate(sum)),
    "printed": lambda W: (repr(W([1]).map(plus)), str(W([1]).batch(2)), "map" in dir(W([1]))),
    "nothing": lambda W: W([1]).nothing,
    "pickled": lambda W: list(pickle.loads(pickle.dumps(W(range(5)).map(plus).batch(2)))),
    "pickled_fork": lambda W: list(pickle.loads(pickle.dumps(W(range(3)).fork(2)[1]))),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_pipe(case):
    same(lambda torch: outcome(lambda: case(streams(torch).IterableWrapper)))


def test_each_pass_is_over_a_copy():
    def run(torch):
        source = [[1], [2]]
        pipe = streams(torch).IterableWrapper(source)
        for sample in pipe:
            sample.append(0)
        return source, list(streams(torch).IterableWrapper(source, deepcopy=False)), list(pipe)

    same(run)


@pytest.mark.parametrize("size", [100, 3])
def test_shuffled(size):
    def run(torch):
        torch.manual_seed(3)
        pipe = streams(torch).IterableWrapper([[0, 1], [2, 3, 4], [5]]).shuffle(buffer_size=size, unbatch_level=1)
        return list(pipe), list(pipe), list(pipe.set_seed(1)), list(pipe.set_shuffle(False)), torch.rand(1)

    same(run)


def test_sampled():
    def run(torch):
        torch.manual_seed(3)
        pipe, sampler = streams(torch).IterableWrapper(range(5)), torch.utils.data.RandomSampler
        args = streams(torch).Sampler(pipe, sampler, sampler_kwargs={"num_samples": 3})
        unsized = outcome(lambda: streams(torch).Sampler(pipe.filter(even)))
        return list(streams(torch).Sampler(pipe)), list(args), len(args), unsized

    same(run)


def test_branches_are_reset_together():
    def run(torch):
        a, b = streams(torch).IterableWrapper(range(4)).fork(2)
        first = iter(a)
        taken = next(first), next(first)
        again = outcome(lambda: list(a))
        return taken, again, list(b), outcome(lambda: next(first)), list(b)

    same(run)


def test_files(tmp_path):
    for name, text in (("b.txt", "one"), ("a.txt", "two"), ("c.json", "[3]"), ("in/d.cls", "4"), ("in/e.txt", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def run(torch):
        found = streams(torch).FileLister([str(tmp_path)], recursive=True)
        some = streams(torch).FileLister(str(tmp_path), ["*.txt", "*.cls"], length=7)
        opened = streams(torch).FileOpener(found, mode="b")
        pieces = list(some.open_files().read_from_stream(2))
        decoded = outcome(lambda: list(opened.routed_decode()))
        bad = outcome(lambda: streams(torch).FileOpener(found, mode="w"))
        coded = outcome(lambda: streams(torch).FileOpener(found, mode="rb", encoding="utf8"))
        return list(found), list(some), len(some), outcome(lambda: len(found)), pieces, decoded, bad, coded

    same(run)


@pytest.mark.parametrize("spec", ["torch", "torchrgb8", "l8", "rgba", "pil"])
def test_images_are_decoded(spec):
    file = io.BytesIO()
    Image.fromarray(np.arange(24, dtype=np.uint8).reshape(2, 4, 3)).save(file, "png")

    def run(torch):
        decoder = torch.utils.data.datapipes.utils.decoder
        made = decoder.imagehandler(spec)("png", file.getvalue())
        return np.asarray(made) if spec == "pil" else made

    same(run)


def test_local_functions_warn():
    same_warnings(lambda torch: streams(torch).IterableWrapper([1]).map(lambda x: x))
