"""Fuzzers and counts of instructions beside torch's: the same draws, tensors, sums and texts."""

import re

import numpy as np
import pytest
import torch
import torch.utils.benchmark as theirs
import torch.utils.benchmark.op_fuzzers.binary
import torch.utils.benchmark.op_fuzzers.unary

import jtorch
import jtorch.utils.benchmark as ours
from tests.oracle import same_error


@pytest.fixture(autouse=True)
def distributions_that_sum_to_one(monkeypatch):
    """torch 2.13 refuses distributions that sum to 1 and takes all others, so that its own fuzzers cannot be made."""
    monkeypatch.setattr(theirs.FuzzedParameter, "_check_distribution", lambda self, distribution: distribution)


def drawn(module, benchmark, fuzzer, count):
    return [
        ({n: (t.numpy(), t.stride()) for n, t in tensors.items()}, properties, params)
        for tensors, properties, params in fuzzer.take(count)
    ]


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[k], other[k]) for k in one)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(equal, one, other))
    return (np.asarray(one) == np.asarray(other)).all() and type(one) is type(other)


def mixed(torch, benchmark):
    P, T, Alias = benchmark.FuzzedParameter, benchmark.FuzzedTensor, benchmark.ParameterAlias
    parameters = [
        P("dim", distribution={1: 0.3, 2: 0.4, 3: 0.3}, strict=True),
        [P(f"k{i}", 2, 9, "loguniform") for i in range(2)],
        P("k2", 1, 3, "uniform"),
        P("y", distribution={Alias("z"): 0.5, 1: 0.5}),
        P("z", distribution={Alias("k0"): 1.0}),
        P("share", 0.5, 1.5, "uniform"),
    ]
    tensors = [
        T("a", ("k0", "k1", "k2"), ("k2", 2), 0.3, min_elements=4, max_elements=60, dim_parameter="dim"),
        [T("b", ("y", 3), dtype=torch.int64, max_allocation_bytes=400)],
        T("c", ("k0",), tensor_constructor=lambda size, dtype, k1, **_: torch.full(size, k1, dtype=dtype)),
    ]
    return benchmark.Fuzzer(parameters, tensors, [lambda p: p["k0"] > 2], seed=11)


def test_draws():
    fuzzers = mixed(torch, theirs), mixed(jtorch, ours)
    assert equal(drawn(torch, theirs, fuzzers[0], 12), drawn(jtorch, ours, fuzzers[1], 12))
    assert fuzzers[0].rejection_rate == fuzzers[1].rejection_rate > 0


@pytest.mark.parametrize("kind", ["binary.BinaryOpFuzzer", "unary.UnaryOpFuzzer"])
def test_operators_fuzzers(kind):
    place, name = kind.split(".")
    makers = [getattr(getattr(m.op_fuzzers, place), name) for m in (theirs, ours)]
    params = []
    for make in makers:
        fuzzer = make(seed=4)
        state = np.random.RandomState(4)
        params.append([(fuzzer._generate(state), fuzzer.rejection_rate) for _ in range(5)])
        params[-1].append([(t.name, t._get_size_and_steps(params[-1][0][0])) for t in fuzzer._tensors])
    assert params[0] == params[1]


def test_errors(monkeypatch):
    def cyclic(torch):
        benchmark = torch.utils.benchmark
        alias = [benchmark.FuzzedParameter(a, distribution={benchmark.ParameterAlias(b): 1.0}) for a, b in ("xy", "yx")]
        list(benchmark.Fuzzer(alias, [], seed=1).take(1))

    same_error(cyclic)
    same_error(lambda t: t.utils.benchmark.Fuzzer([t.utils.benchmark.FuzzedParameter("x", 1, 2, "uniform")],
                                                  [t.utils.benchmark.FuzzedTensor("x", (1,))]))  # fmt: skip
    same_error(lambda t: list(t.utils.benchmark.Fuzzer([], [], [lambda p: False]).take(1)))
    monkeypatch.undo()
    for given in ({"distribution": "normal"}, {"distribution": {1: -1.0, 2: 2.0}}, {"minval": 1}, {}):
        same_error(lambda t, given=given: t.utils.benchmark.FuzzedParameter("x", **given))
    with pytest.raises(AssertionError, match="Distribution is not normalized"):
        ours.FuzzedParameter("x", distribution={1: 0.5})
    assert repr(theirs.ParameterAlias("k")) == repr(ours.ParameterAlias("k"))


def counts(module, pairs, inclusive=False, **options):
    valgrind = module.FunctionCount if hasattr(module, "FunctionCount") else _theirs_count()
    return module.FunctionCounts(tuple(valgrind(*pair) for pair in pairs), inclusive, **options)


def _theirs_count():
    return torch.utils.benchmark.utils.valgrind_wrapper.timer_interface.FunctionCount


def text(value):
    return re.sub(r"<[\w.]+\.(\w+) object at 0x\w+>", r"<\1>", str(value))


ROWS = [(900 - 40 * i, f"/opt/x/Objects/f{i}.c:{'g' * (i * 9)} [/lib/y.so]") for i in range(25)]
ROWS += [(7, "Objects/dictobject.c:lookdict_unicode"), (3, "/a/build/../b.h:c"), (2, "/q/build/aten/z.cpp:r")]


def test_counts():
    seen = []
    for module in (theirs, ours):
        one, other = counts(module, ROWS), counts(module, ROWS[3:9] + [(5, "new")])
        sums = [one + other, one - other, one * 2, one.filter(lambda n: "f1" in n), one.denoise(), one[2:5]]
        sums.append(one.transform(lambda n: n.split(":")[0]))
        spec = module.TaskSpec("f(x)", "pass")
        stats = module.CallgrindStats(spec, 10, False, other, other, one, one, "out")
        debug = module.CallgrindStats(spec, 10, True, other, other, one, one, None)
        texts = [text(part) for part in (*sums, stats, debug, stats.delta(stats), stats.as_standardized().stats())]
        seen.append((texts, one.sum(), len(one), stats.counts(), stats.counts(denoise=True), list(one)[-1]))
    assert seen[0] == seen[1]
    for module in (theirs, ours):
        with pytest.raises(AssertionError, match="Cannot merge inclusive and exclusive counts"):
            counts(module, ROWS) + counts(module, ROWS, True)
