"""export: a module as a StableHLO program, saved and loaded: Tensors and arrays, symbolic sizes, state, gradients."""

import io

import numpy as np
import pytest

import jtorch as torch
from tests.oracle import same_error

pytest.importorskip("flatbuffers", reason="jax.export serializes with flatbuffers")


def network():
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 4), nn.Softmax(1)
    )


def saved(program, **extra):
    memory = io.BytesIO()
    torch.export.save(program, memory, **extra)
    memory.seek(0)
    return memory


def test_a_program_with_a_symbolic_batch():
    model = network().eval()
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(model, (torch.randn(5, 1, 8, 8),), dynamic_shapes=({0: batch},))
    assert "stablehlo" in program.exported.mlir_module()
    loaded = torch.export.load(saved(program))
    x = torch.randn(7, 1, 8, 8)
    torch.testing.assert_close(loaded.module()(x), model(x))
    torch.testing.assert_close(loaded(x.numpy()), model(x))
    module = loaded.module()
    (module(x) ** 2).sum().backward()
    (model(x) ** 2).sum().backward()
    for (name, mine), (own, theirs) in zip(module.named_parameters(), model.named_parameters(), strict=True):
        assert name == own
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-5)
    with pytest.raises(ValueError):
        loaded(torch.randn(7, 2, 8, 8))


class Words(torch.nn.Module):
    """Reads sizes as a language model does: for views, positions, masks and arithmetic."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.place = torch.nn.Embedding(9, 8), torch.nn.Embedding(64, 8)
        self.mix, self.layer = torch.nn.Linear(8, 24), torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, ids):
        b, t = ids.size()
        x = self.embed(ids) + self.place(torch.arange(t, device=ids.device))
        q, k, v = self.mix(x).view(b, t, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        mask = torch.tril(torch.ones(t, t)).view(1, 1, t, t).expand(b, 2, t, t)
        scores = (q @ k.transpose(-2, -1) / k.size(-1) ** 0.5).masked_fill(mask == 0, float("-inf"))
        x = x + (scores.softmax(-1) @ v).transpose(1, 2).contiguous().view(b, t, -1)
        x = self.layer(x, src_mask=torch.zeros(t, t))
        return (
            x[:, -1, :],
            x[:, : t - 1].sum() / (b * t),
            torch.nn.functional.cross_entropy(x.reshape(-1, 8), ids.view(-1) % 8),
        )


def test_sizes_that_a_model_computes_with():
    model = Words().eval()
    sizes = ({0: torch.export.Dim("b"), 1: torch.export.Dim("t", min=2, max=64)},)
    program = torch.export.export(model, (torch.zeros(2, 5, dtype=torch.int64),), dynamic_shapes=sizes)
    module = torch.export.load(saved(program)).module()
    ids = torch.arange(21).view(3, 7) % 9
    found, wanted = module(ids), model(ids)
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, theirs)
    found[2].backward()
    wanted[2].backward()
    grads = {name: p.grad for name, p in module.named_parameters()}
    for name, p in model.named_parameters():
        torch.testing.assert_close(grads[name], p.grad, rtol=1e-3, atol=1e-5)


def test_state_that_changes():
    model, twin = network().train(), network().train()
    x = torch.randn(5, 1, 8, 8)
    module = torch.export.load(saved(torch.export.export(model, (x,)))).module()
    assert not model[1].running_mean.any()
    for _ in range(2):
        torch.testing.assert_close(module(x), twin(x))
    state = dict(module.named_buffers())
    for name, buffer in twin.named_buffers():
        torch.testing.assert_close(state[name], buffer)


def test_names_structures_and_dtypes():
    class Mixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))

        def forward(self, x, *, more):
            return {"sum": x + more[0], "scaled": (x * self.scale, more[1] > 0)}

    a, b = torch.ones(2, 3), torch.arange(3)
    rows = torch.export.Dim("rows", min=1, max=9)
    sizes = {"x": {0: rows}, "more": ({0: rows}, {0: torch.export.Dim.STATIC})}
    program = torch.export.export(Mixed(), (a,), {"more": (a, b)}, dynamic_shapes=sizes)
    extra = {"note": ""}
    loaded = torch.export.load(saved(program, extra_files={"note": "hello"}), extra_files=extra)
    assert extra["note"] == b"hello".decode()
    a = torch.ones(4, 3)
    out = loaded.module()(a, more=(a, b))
    assert out["sum"].tolist() == [[2.0] * 3] * 4 and out["scaled"][1].tolist() == [False, True, True]
    assert dict(loaded.named_parameters())["scale"].dtype is torch.bfloat16 and list(loaded.named_buffers()) == []


def test_a_file(tmp_path):
    program = torch.export.export(torch.nn.Linear(2, 1), (torch.ones(1, 2),))
    torch.export.save(program, tmp_path / "linear.pt2")
    loaded = torch.export.load(tmp_path / "linear.pt2")
    np.testing.assert_allclose(loaded(np.ones((1, 2), np.float32)).detach(), program(torch.ones(1, 2)).detach())


def test_draws_are_refused():
    with pytest.raises(RuntimeError, match="a random number is drawn inside a JAX transform"):
        torch.export.export(torch.nn.Dropout(0.5), (torch.ones(3),))


def test_errors():
    same_error(lambda torch: torch.export.export(lambda x: x, (torch.ones(2),)))
    same_error(lambda torch: torch.export.save(3, io.BytesIO()))
