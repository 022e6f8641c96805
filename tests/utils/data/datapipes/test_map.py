"""Pipes of samples by their keys: samples, lengths and errors as torch's."""

import pytest

from tests.oracle import same
from tests.utils.data.datapipes.pipes import maps, outcome, plus

CASES = {
    "wrapped": lambda S: (list(S(range(3))), len(S(range(3))), S({"a": 1})["a"]),
    "map": lambda S: (list(S(range(3)).map(plus)), len(S(range(3)).map(plus)), list(S("ab").map())),
    "batch": lambda S: (list(S(range(5)).batch(2)), len(S(range(5)).batch(2))),
    "batch_drop": lambda S: (list(S(range(5)).batch(2, drop_last=True)), len(S(range(5)).batch(2, True))),
    "batch_index": lambda S: S(range(5)).batch(2)[3],
    "batch_none": lambda S: S(range(5)).batch(0),
    "concat": lambda S: (list(S(range(3)).concat(S("ab"))), len(S(range(3)).concat(S("ab")))),
    "concat_index": lambda S: S(range(3)).concat(S("ab"))[7],
    "zip": lambda S: (list(S(range(3)).zip(S("abcd"))), len(S(range(3)).zip(S("abcd")))),
    "zip_index": lambda S: S(range(3)).zip(S("abcd"))[3],
    "zip_other": lambda S: S(range(3)).zip([1]),
    "shuffle": lambda S: (list(S(range(7)).shuffle().set_seed(0)), len(S(range(7)).shuffle(indices=[1, 2]))),
    "shuffle_off": lambda S: list(S(range(7)).shuffle(indices=[4, 2]).set_shuffle(False)),
    "printed": lambda S: (repr(S([1])), str(S([1]).batch(2)), "map" in dir(S([1]))),
    "nothing": lambda S: S([1]).nothing,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_pipe(case):
    same(lambda torch: outcome(lambda: case(maps(torch).SequenceWrapper)))


def test_shuffled_from_the_default_generator():
    def run(torch):
        torch.manual_seed(1)
        pipe = maps(torch).SequenceWrapper(range(6)).shuffle()
        return list(pipe), list(pipe), torch.rand(1)

    same(run)
