"""Meshes of this process's devices: sharded training, plans, checkpoints. Run by test_meshes.py on four of them."""

import pytest

import jtorch as torch
import jtorch.distributed.checkpoint as dcp
from jtorch import nn
from jtorch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_state_dict,
)
from jtorch.distributed.device_mesh import init_device_mesh
from jtorch.distributed.fsdp import FullyShardedDataParallel, MixedPrecisionPolicy, StateDictType, fully_shard
from jtorch.distributed.fsdp.wrap import ModuleWrapPolicy
from jtorch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from jtorch.distributed.tensor.parallel import (
    ColwiseParallel,
    PrepareModuleInput,
    PrepareModuleInputOutput,
    PrepareModuleOutput,
    RowwiseParallel,
    SequenceParallel,
    loss_parallel,
    parallelize_module,
)
from tests.distributed.acceptance import train

WANTED = {
    "DP": {"all-reduce": 2}, "DDP": {"all-reduce": 1}, "FSDP": {"all-gather": 1, "reduce-scatter": 1},
    "TP": {"all-reduce": 1, "all-gather": 2},
}  # fmt: skip


def test_losses_are_those_of_one_device_by_the_collectives_that_it_takes():
    alone = train("mlp", "one device", 20)
    for way, wanted in WANTED.items():
        losses, programs, compiles, counts, held = train("mlp", way, 20)
        assert losses == pytest.approx(alone[0], abs=1e-6), way
        assert (programs, compiles) == (1, 0), way
        assert {kind: n for kind, n in counts.items() if n} == wanted, way
        if way == "FSDP":  # a quarter, and the padding of sizes that four does not divide
            assert alone[4] / 4 <= held <= alone[4] / 4 + 4 * 12 * 16


def test_the_gpts_blocks_are_gathered_one_by_one():
    alone = train("gpt1", "one device", 4)
    for way, wanted in (("FSDP", {"all-gather": 2, "reduce-scatter": 2}), ("TP", {"all-reduce": 4})):
        losses, programs, compiles, counts, _ = train("gpt1", way, 4)
        assert losses == pytest.approx(alone[0], abs=1e-6), way
        assert (programs, compiles) == (1, 0), way
        assert {kind: n for kind, n in counts.items() if n} == wanted, way


def _built(count, wrap=fully_shard):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 10)).to("cuda")
    mesh = init_device_mesh("cuda", (count,))
    if count > 1:
        wrap(model, mesh=mesh)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), mesh


def _trained(model, optimizer, mesh, steps):
    for step in steps:
        torch.manual_seed(step)
        x = torch.randn(8, 8).to("cuda")
        x = distribute_tensor(x, mesh, [Shard(0)]).to_local() if mesh.size() > 1 else x
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (DTensor.from_local(loss, mesh, [Partial("avg")]).full_tensor() if mesh.size() > 1 else loss).item()


def test_a_checkpoint_is_loaded_by_another_number_of_ranks(tmp_path):
    model, optimizer, mesh = _built(4)
    _trained(model, optimizer, mesh, range(2))
    states = dict(zip(("model", "optimizer"), get_state_dict(model, optimizer), strict=True))
    for _ in range(2):  # the second takes the place of the first
        dcp.save({**states, "step": 2}, checkpoint_id=tmp_path)
    assert len(list(tmp_path.glob("*.distcp"))) == 1
    wanted = _trained(model, optimizer, mesh, range(2, 4))
    for count in (1, 2, 4):
        model, optimizer, mesh = _built(count)
        states = dict(zip(("model", "optimizer"), get_state_dict(model, optimizer), strict=True)) | {"step": 0}
        dcp.load(states, checkpoint_id=tmp_path)
        set_state_dict(model, optimizer, model_state_dict=states["model"], optim_state_dict=states["optimizer"])
        assert states["step"] == 2
        assert _trained(model, optimizer, mesh, range(2, 4)) == pytest.approx(wanted, abs=1e-6)
    whole = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
    assert type(whole["0.weight"]) is torch.Tensor and whole["0.weight"].shape == (16, 8)
    with pytest.raises(dcp.CheckpointException, match="Missing key in checkpoint state_dict: other"):
        dcp.load({"other": torch.ones(2)}, checkpoint_id=tmp_path)
    dcp.save({"step": torch.ones(3)}, checkpoint_id=tmp_path / "b")
    with pytest.raises(dcp.CheckpointException, match=r"Size mismatch .* for step"):
        dcp.load({"step": torch.ones(2)}, checkpoint_id=tmp_path / "b")


def test_half_precision_and_copies_of_shards():
    plain = _built(1)
    wanted = _trained(*plain, range(3))
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    half = _built(4, lambda model, mesh: fully_shard(model, mesh=mesh, mp_policy=policy))
    assert _trained(*half, range(3)) == pytest.approx(wanted, rel=0.05)
    assert half[0][0].weight.dtype is half[0][0].weight.grad.dtype is torch.float32
    grid = init_device_mesh("cuda", (2, 2), mesh_dim_names=("replicate", "shard"))
    torch.manual_seed(0)
    model = fully_shard(nn.Linear(8, 6).to("cuda"), mesh=grid)
    assert model.weight.placements == (Replicate(), Shard(0)) and model.weight.to_local().shape == (3, 8)
    x = distribute_tensor(torch.arange(32.0).reshape(4, 8).to("cuda"), grid, [Shard(0), Shard(0)]).to_local()
    model(x).square().mean().backward()
    torch.manual_seed(0)
    other = nn.Linear(8, 6).to("cuda")
    other(torch.arange(32.0).reshape(4, 8).to("cuda")).square().mean().backward()
    torch.testing.assert_close(model.weight.grad.full_tensor(), other.weight.grad)


def test_layouts_on_a_grid_come_back_whole():
    grid = init_device_mesh("cuda", (2, 2), mesh_dim_names=("a", "b"))
    x = torch.arange(30.0).reshape(5, 6).to("cuda")
    found = []
    for placements in ([Shard(0), Shard(1)], [Shard(0), Shard(0)], [Replicate(), Shard(1)], [Shard(1), Replicate()]):
        one = distribute_tensor(x, grid, placements)
        found.append(one.full_tensor())
        for target in ([Shard(1), Shard(0)], [Shard(1), Shard(1)], [Replicate(), Replicate()], [Shard(0), Replicate()]):
            found.append(one.redistribute(grid, target).full_tensor())
            found.append((one * 2 - one.redistribute(grid, target).redistribute(grid, placements)).full_tensor())
    for value in found:
        torch.testing.assert_close(value, x)
    row = grid["b"]
    parts = distribute_tensor(torch.eye(4).to("cuda"), row, [Shard(0)])
    torch.testing.assert_close((parts @ parts.redistribute(row, [Shard(1)])).full_tensor(), torch.eye(4).to("cuda"))


class _Scores(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.norm, self.up = nn.Embedding(12, 8), nn.LayerNorm(8), nn.Linear(8, 16)
        self.down, self.out = nn.Linear(16, 8), nn.Linear(8, 12)

    def forward(self, x):
        x = self.table(x)
        return self.out(x + self.down(self.up(self.norm(x)).relu()))


def test_sequence_plans_and_a_shared_loss():
    mesh = init_device_mesh("cuda", (2,))
    x, y = (
        torch.tensor([[1, 5, 11, 0], [3, 3, 7, 2]]).to("cuda"),
        torch.tensor([[5, 11, 0, -100], [3, 7, 2, 9]]).to("cuda"),
    )

    def gradients(plan):
        torch.manual_seed(0)
        model = _Scores().to("cuda")
        if not plan:
            loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
            loss.backward()
            return [loss, *(p.grad for p in model.parameters())]
        parallelize_module(model, mesh, plan)
        with loss_parallel():
            scores = model(x)
            assert scores.placements == (Shard(2),)
            target = distribute_tensor(y.flatten(), mesh, [Replicate()])
            loss = nn.functional.cross_entropy(scores.flatten(0, 1), target)
            loss.backward()
        return [loss.full_tensor(), *(p.grad.full_tensor() for p in model.parameters())]

    wanted = gradients(None)
    sequence = {
        "table": RowwiseParallel(input_layouts=Replicate(), output_layouts=Shard(1), use_local_output=False),
        "norm": SequenceParallel(),
        "up": ColwiseParallel(input_layouts=Shard(1)),
        "down": RowwiseParallel(output_layouts=Shard(1), use_local_output=False),
        "out": ColwiseParallel(input_layouts=Shard(1), use_local_output=False),
    }
    for value, want in zip(gradients(sequence), wanted, strict=True):
        torch.testing.assert_close(value, want)
    layer = nn.Linear(4, 4).to("cuda")
    style = PrepareModuleInput(input_layouts=(Shard(0),), desired_input_layouts=(Replicate(),), use_local_output=True)
    parallelize_module(layer, mesh, style)
    assert layer(distribute_tensor(torch.ones(4, 4).to("cuda"), mesh, [Shard(0)]).to_local()).shape == (4, 4)


def test_what_goes_in_and_out_of_a_module_is_laid_out():
    mesh = init_device_mesh("cuda", (2,))
    x = torch.arange(16.0).reshape(4, 4).to("cuda")
    out = {"output_layouts": Replicate(), "desired_output_layouts": Shard(0)}
    ends = {"input_layouts": Replicate(), "desired_input_layouts": Shard(1)}
    local = parallelize_module(nn.Identity(), mesh, PrepareModuleOutput(**out))
    assert type(local(x)) is torch.Tensor and local(x).shape == (2, 4)
    for style in (
        PrepareModuleOutput(**out, use_local_output=False),
        PrepareModuleInputOutput(**ends, **out, use_local_output=False),
    ):
        found = parallelize_module(nn.Identity(), mesh, style)(x)
        assert found.placements == (Shard(0),), style
        torch.testing.assert_close(found.full_tensor(), x)
    pairs = PrepareModuleOutput(output_layouts=(Shard(0), None), desired_output_layouts=(Replicate(), None))
    two = parallelize_module(nn.Identity(), mesh, pairs)
    with pytest.raises(ValueError, match="module outputs and output_layouts should have same length!"):
        two(x)


def test_the_first_fsdp_is_a_module_around_another():
    wanted = _trained(*_built(1), range(2))
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 10)).to("cuda")
    model = FullyShardedDataParallel(inner, auto_wrap_policy=ModuleWrapPolicy({nn.Linear}))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    mesh = init_device_mesh("cuda", (4,))
    assert _trained(model, optimizer, mesh, range(2)) == pytest.approx(wanted, abs=1e-6)
    assert isinstance(model.module[0].weight, DTensor)
    whole = model.state_dict()
    assert list(whole) == ["0.weight", "0.bias", "2.weight", "2.bias"] and type(whole["0.weight"]) is torch.Tensor
    with FullyShardedDataParallel.state_dict_type(model, StateDictType.SHARDED_STATE_DICT):
        assert type(model.state_dict()["0.weight"]) is DTensor
    with FullyShardedDataParallel.summon_full_params(model):
        assert type(model.module[0].weight) is torch.Tensor
        model.module[0].weight.fill_(2.0)
    torch.testing.assert_close(model.module[0].weight.full_tensor(), torch.full((16, 8), 2.0).to("cuda"))
    model.load_state_dict(whole)
    torch.testing.assert_close(model.module[0].weight.full_tensor(), whole["0.weight"])
    assert model.clip_grad_norm_(1.0).shape == ()


def test_what_can_not_be_is_said():
    mesh = init_device_mesh("cuda", (4,))
    with pytest.raises(RuntimeError, match="Mesh should not be bigger than default world size 1, but found 8 ranks"):
        init_device_mesh("cuda", (8,))
    x = distribute_tensor(torch.ones(4, 4).to("cuda"), mesh, [Shard(0)])
    with pytest.raises(RuntimeError, match="aten.add.Tensor got mixed torch.Tensor and DTensor"):
        x.add(torch.ones(4, 4).to("cuda"))
    with pytest.raises(RuntimeError, match="is for internal use only"):
        x.redistribute(mesh, [Partial()])
    with pytest.raises(ValueError, match="already applied"):
        fully_shard(fully_shard(nn.Linear(2, 2).to("cuda"), mesh=mesh), mesh=mesh)
    with pytest.raises(ValueError, match="does not support containers that do not implement forward"):
        fully_shard(nn.ModuleList([nn.Linear(2, 2)]), mesh=mesh)
    cut = fully_shard(nn.Linear(4, 4).to("cuda"), mesh=mesh)
    for optimizer in (torch.optim.LBFGS, torch.optim.Muon, torch.optim.Adafactor):
        with pytest.raises(NotImplementedError, match=f"{optimizer.__name__} works on whole tensors"):
            optimizer([cut.weight])
    whole = nn.Parameter(distribute_tensor(torch.ones(4, 4).to("cuda"), mesh, [Replicate()]))
    torch.optim.Muon([whole])
