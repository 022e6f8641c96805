"""No op mixes dtypes by JAX's rules, and none becomes float64 or int64 where torch's does not."""

import itertools

import jax
import pytest
import torch

import jtorch
from jtorch.engine import trie
from tests.conformance.calls import Call, seed
from tests.conformance.counterpart import NoCounterpart
from tests.conformance.entries import chosen
from tests.conformance.given import Unfit, tensors


def first(entry, dtype):
    """torch's first sample of an op, made alone: most ops have hundreds."""
    seed()
    kind = getattr(torch, dtype)
    if kind not in (entry.info.dtypes or {torch.float32}):
        return []
    return list(itertools.islice(entry.info.sample_inputs("cpu", kind, requires_grad=False), 1))


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_every_op_under_strict_promotion(dtype, monkeypatch):
    monkeypatch.setattr(trie, "_signatures", {})  # so that each op is traced here, under strict promotion
    compared, wrong = set(), []
    for entry in chosen():
        for sample in first(entry, dtype):
            call = Call(entry, "forward", sample, dtype)
            theirs = call.run(torch)
            with jax.numpy_dtype_promotion("strict"):
                ours = call.run(jtorch)
            if theirs.error is not None or isinstance(ours.error, (NoCounterpart, Unfit)):
                continue
            if ours.error is not None:
                if "dtype promotion path" in str(ours.error):
                    wrong.append(f"{entry.name}: {ours.error}")
                continue  # other errors are the conformance run's business
            expected, actual = (
                [str(t.dtype) for t in tensors(module, o.value)] for module, o in ((torch, theirs), (jtorch, ours))
            )
            if expected != actual:
                wrong.append(f"{entry.name}: {expected} in torch, {actual} in jtorch")
            compared.add(entry.name)
    assert not wrong, "\n".join(wrong)
    assert len(compared) > (250 if dtype == "float32" else 150)
