"""PyTorchFileReader beside torch's own, on one file."""

import io

import numpy as np
import pytest
import torch

import jtorch


def test_the_records_of_a_file(tmp_path):
    path = str(tmp_path / "file.pt")
    torch.save({"w": torch.arange(6.0)}, path)
    have, want = jtorch.PyTorchFileReader(path), torch.PyTorchFileReader(path)
    assert have.get_all_records() == want.get_all_records()
    for name in want.get_all_records():
        assert have.get_record(name) == want.get_record(name) and have.has_record(name)
    loaded = have.get_storage_from_record("data/0", 6, jtorch.float32)
    assert np.array_equal(loaded.numpy(), np.arange(6, dtype=np.float32))
    assert not have.has_record("nothing") and not want.has_record("nothing")
    with open(path, "rb") as file:
        assert jtorch.PyTorchFileReader(io.BytesIO(file.read())).get_all_records() == have.get_all_records()
    for module in (torch, jtorch):
        with pytest.raises(RuntimeError, match="file not found"):
            module.PyTorchFileReader(path).get_record("nothing")
