"""safetensors files beside the package's own torch part: both ways, tied weights, refusals."""

import numpy as np
import pytest
import safetensors
import safetensors.torch as theirs
import torch

import jtorch
from jtorch.serialization import safetensors as ours
from tests.oracle import same, same_error
from tests.serialization.contents import BYTES_ONLY, TYPED, assert_same

KINDS = [kind for kind in (*TYPED, *BYTES_ONLY) if kind != "complex128"]

WAYS = {"to torch": (ours, theirs), "from torch": (theirs, ours), "to itself": (ours, ours)}


def tensors(module):
    """A tensor of each dtype that the format has, and some shapes."""
    made = {kind: module.tensor([0.0, 1.0, 2.0]).to(getattr(module, kind)) for kind in KINDS}
    return {**made, "0-d": module.tensor(3), "empty": module.empty(0, 2), "part": module.arange(6)[2:4].clone()}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_files(way, tmp_path):
    source, target = way
    module = {ours: jtorch, theirs: torch}
    path = tmp_path / "t.safetensors"
    source.save_file(tensors(module[source]), path, metadata={"k": "v"})
    loaded = dict(sorted(target.load_file(path).items()))
    assert_same(loaded, dict(sorted(tensors(module[target]).items())))
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"k": "v"}
    assert_same(dict(sorted(module[target].load(path).items())), loaded)


def tied(module):
    net = module.nn.Sequential(module.nn.Embedding(4, 3), module.nn.Linear(3, 4, bias=False))
    net[1].weight = net[0].weight
    return net


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_models_with_tied_weights(way, tmp_path):
    source, target = way
    module = {ours: jtorch, theirs: torch}
    net = tied(module[source])
    source.save_model(net, tmp_path / "m.safetensors")
    again = tied(module[target])
    assert [list(part) for part in target.load_model(again, tmp_path / "m.safetensors")] == [[], []]
    np.testing.assert_array_equal(again[0].weight.detach().numpy(), net[1].weight.detach().numpy())
    with safetensors.safe_open(tmp_path / "m.safetensors", "np") as file:
        assert len(file.keys()) == 1


def module_of(torch):
    return theirs if torch.__name__ == "torch" else ours


def shared(torch):
    a = torch.ones(4)
    module_of(torch).save({"a": a, "b": a[:2]})


@pytest.mark.parametrize(
    "call",
    [
        lambda torch: module_of(torch).save([1]),
        lambda torch: module_of(torch).save({"a": 3}),
        lambda torch: module_of(torch).save({"a": torch.ones(2, 3).t()}),
        lambda torch: module_of(torch).save({"a": torch.ones(2, 3).to_sparse()}),
        lambda torch: torch.load("x.safetensors", map_location={"cpu": "cpu"}),
    ],
)
def test_refusals(call):
    same_error(call)


def test_shared_memory_is_refused():
    said = []
    for module in (torch, jtorch):
        with pytest.raises(RuntimeError, match="Some tensors share memory") as refused:
            shared(module)
        said.append(str(refused.value).replace("{'b', 'a'}", "{'a', 'b'}"))
    assert said[0] == said[1]


def test_parts_of_one_memory_that_do_not_meet():
    same(lambda torch: sorted(module_of(torch).load(module_of(torch).save(parts(torch.arange(6.0)))).items()))


def parts(x):
    return {"a": x[:2], "b": x[2:5]}


def test_damaged_files(tmp_path):
    data = ours.save({"a": jtorch.ones(4)})
    for part in (data[:7], data[:20], data[:-3], b"\xff" * 40):
        with pytest.raises(safetensors.SafetensorError):
            ours.load(part)


def test_a_model_that_does_not_fit(tmp_path):
    ours.save_model(jtorch.nn.Linear(2, 2), tmp_path / "m.safetensors")
    net = jtorch.nn.Linear(2, 2, bias=False)
    with pytest.raises(RuntimeError, match='Unexpected key\\(s\\) in state_dict: "bias"'):
        ours.load_model(net, tmp_path / "m.safetensors")
    assert ours.load_model(net, tmp_path / "m.safetensors", strict=False) == ([], ["bias"])
