"""Pickling for workers: jtorch's own names go by name, tensors as bytes, each part once."""

import os
import pickle
import sys
import types

import numpy as np
import pytest

import jtorch
from jtorch.utils.data._utils import pickling


def there_and_back(*parts):
    fd, length, _ = pickling.pack(*parts)
    return pickling.unpack(fd, length)


@pytest.mark.parametrize(
    "thing",
    [
        jtorch.Tensor, jtorch.Size, jtorch.device, jtorch.dtype, jtorch.float32, jtorch.add, jtorch.stack, jtorch.zeros,
        jtorch.nn.Parameter, jtorch.nn.functional.relu, jtorch.nn.functional.scaled_dot_product_attention,
        jtorch.linalg.norm, jtorch.utils.data.default_collate, jtorch.utils.data.TensorDataset, jtorch.nn.Linear,
    ],
)  # fmt: skip
def test_what_is_jtorchs_is_the_same_object(thing):
    assert there_and_back([thing])[0][0] is thing
    fd, length, _ = pickling.pack(thing)
    os.close(fd)
    assert length < 4096


def test_tensors_keep_values_layout_and_kind():
    base = jtorch.arange(24.0).reshape(4, 6)
    given = [
        base, base.t(), base[1:3, ::2], base.to(jtorch.bfloat16), jtorch.tensor(True), jtorch.zeros(0, 3),
        jtorch.nn.Parameter(jtorch.ones(2)), jtorch.rand(2, 3, 4, 5).contiguous(memory_format=jtorch.channels_last),
        jtorch.empty(3, device="meta"), (base.t() + 1),
    ]  # fmt: skip
    for before, after in zip(given, there_and_back(given)[0], strict=True):
        assert (type(after), after.dtype, after.stride()) == (type(before), before.dtype, before.stride())
        assert after.requires_grad == before.requires_grad
        assert after.device == before.device
        assert before.is_meta or jtorch.equal(after, before)


def test_writes_stay_with_the_one_who_writes():
    array = np.arange(20_000)
    fd, length, _ = pickling.pack(array, array)
    one, again = pickling.unpack(os.dup(fd), length)
    other, _ = pickling.unpack(fd, length)
    assert one is again
    one[0] = -1
    assert other[0] == array[0] == 0


def test_batches_find_what_main_defines(monkeypatch):
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    exec("class Batch:\n    pass\ndef work():\n    return Batch", vars(main))
    batch = main.Batch()
    batch.x = jtorch.arange(20.0).reshape(4, 5)[1]
    body, buffers = pickling.dump([batch, main.work])
    seen, work = pickle.loads(body, buffers=buffers)
    assert type(seen) is main.Batch
    assert work is main.work
    assert seen.x.tolist() == [5, 6, 7, 8, 9]
    assert len(body) < 1000


def test_tensors_on_an_accelerator_are_refused(tmp_path):
    cell = jtorch.ones(2)._storage
    cell.ref.aval = types.SimpleNamespace(device=types.SimpleNamespace(type="cuda"))
    with pytest.raises(pickle.PicklingError, match="stay in the process"):
        pickling.pack(cell)
