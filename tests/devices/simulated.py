"""Device rules, copies and placement, on host devices presented as cuda:0 and cuda:1. Run by test_simulated.py."""

import pytest

import jtorch as torch
from jtorch import meshes
from jtorch.engine import kept, program, stats


def test_there_are_two():
    assert torch.cuda.is_available() and torch.accelerator.is_available()
    assert torch.cuda.device_count() == torch.accelerator.device_count() == 2
    assert torch.accelerator.current_accelerator().type == "cuda"
    assert torch.cuda.current_device() == 0


@pytest.mark.parametrize("spelling", ["cuda", "cuda:0", torch.device("cuda"), torch.device("cuda", 0), 0])
def test_spellings(spelling):
    x = torch.ones(2, device=spelling)
    assert x.device == torch.device("cuda:0")
    assert x.is_cuda and x.get_device() == 0
    assert str(x.device) == "cuda:0" and repr(x.device) == "device(type='cuda', index=0)"


def test_copies():
    x = torch.arange(3.0)
    y = x.to("cuda:1")
    assert y.device.index == 1 and y.cpu().tolist() == [0.0, 1.0, 2.0]
    assert x.to("cpu") is x and y.to("cuda:1") is y
    assert x.cuda().device.index == 0
    assert torch.ones(2).to(y).device.index == 1
    assert y.to("cuda:0").device.index == 0
    x.add_(1)
    assert y.tolist() == [0.0, 1.0, 2.0]


def test_results_stay_on_their_device():
    x = torch.ones(2, 2, device="cuda:1")
    for y in (x + 1, x @ x, x.sum(), x[0], x.t(), torch.zeros_like(x), x.new_ones(3), x > 0, x.double()):
        assert y.device.index == 1
    assert x.sum().item() == 4.0


def test_mixed_devices_raise_torchs_words():
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        torch.ones(2, device="cuda") + torch.ones(2)
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        torch.ones(2, device="cuda:0") * torch.ones(2, device="cuda:1")


def test_a_0d_cpu_tensor_goes_along():
    y = torch.ones(2, device="cuda") * torch.tensor(3.0)
    assert y.device.type == "cuda" and y.tolist() == [3.0, 3.0]
    assert (torch.tensor(3.0) * torch.ones(2, device="cuda")).device.type == "cuda"


def test_no_numpy_of_a_cuda_tensor():
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        torch.ones(2, device="cuda").numpy()


def test_a_missing_device():
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.ones(2, device="cuda:7")


def test_printing():
    assert str(torch.ones(2, device="cuda")) == "tensor([1., 1.], device='cuda:0')"


def test_default_device():
    with torch.device("cuda:1"):
        assert torch.ones(2).device.index == 1
    torch.set_default_device("cuda")
    try:
        assert torch.zeros(2).device.type == "cuda"
        assert torch.tensor([1.0]).device.type == "cuda"
    finally:
        torch.set_default_device(None)
    assert torch.zeros(2).device.type == "cpu"


def test_current_device():
    with torch.cuda.device(1):
        assert torch.ones(2, device="cuda").device.index == 1
    assert torch.ones(2, device="cuda").device.index == 0


def test_gradients_cross_devices():
    w = torch.ones(2, requires_grad=True)
    (w.to("cuda") * 3).sum().backward()
    assert w.grad.device.type == "cpu" and w.grad.tolist() == [3.0, 3.0]


def test_a_training_step_on_cuda_is_one_program():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)).to("cuda")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, y = torch.randn(5, 4).to("cuda"), torch.tensor([0, 1, 0, 1, 1]).to("cuda")
    seen = []
    for _ in range(6):
        before = stats.programs, stats.compiles
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        seen.append((stats.programs - before[0], stats.compiles - before[1]))
    assert seen[2:] == [(1, 0)] * 4
    assert all(p.device.type == "cuda" for p in model.parameters())
    assert loss.item() < 1


def test_random_numbers_repeat():
    torch.manual_seed(3)
    a = torch.rand(4, device="cuda"), torch.randn(4, device="cuda"), torch.randint(0, 9, (4,), device="cuda")
    torch.manual_seed(3)
    b = torch.rand(4, device="cuda"), torch.randn(4, device="cuda"), torch.randint(0, 9, (4,), device="cuda")
    assert [x.tolist() for x in a] == [x.tolist() for x in b]


def test_synchronize():
    x = torch.ones(3, device="cuda") + 1
    torch.cuda.synchronize()
    assert stats.flushes["sync"] == 1
    assert x.tolist() == [2.0] * 3


def test_streams_are_the_one_queue_of_a_device():
    stream = torch.cuda.Stream()
    assert stream == torch.cuda.current_stream() == torch.cuda.default_stream(0) != torch.cuda.Stream("cuda:1")
    assert repr(stream) == "<torch.cuda.Stream device=cuda:0 cuda_stream=0x0>"
    with torch.cuda.stream(torch.cuda.Stream(1)):
        assert torch.cuda.current_device() == 1
        x = torch.ones(2, device="cuda")
    assert torch.cuda.current_device() == 0 and x.device.index == 1
    with torch.cuda.device_of(x):
        assert torch.cuda.current_device() == 1
    with torch.cuda.device_of(torch.ones(2)):
        assert torch.cuda.current_device() == 0
    stream.wait_stream(torch.cuda.Stream(1))
    stream.synchronize()
    assert stream.query()


def test_events_tell_how_long_the_device_worked():
    x = torch.rand(600, 600, device="cuda")
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    with pytest.raises(ValueError, match="must be recorded"):
        first.elapsed_time(last)
    assert first.query()
    first.record()
    for _ in range(8):
        x = torch.cos(x @ x)
    programs = stats.programs
    last.record()
    assert stats.programs == programs + 1
    last.synchronize()
    short = torch.cuda.Event(enable_timing=True)
    short.record()
    short.synchronize()
    assert first.elapsed_time(last) > last.elapsed_time(short) >= 0
    assert -last.elapsed_time(first) == first.elapsed_time(last)
    with pytest.raises(ValueError, match="enable_timing=True"):
        first.elapsed_time(torch.cuda.Event())


def test_events_outlive_the_arrays_that_they_were_recorded_after():
    x, turn, events = torch.ones(400, 400, device="cuda"), torch.eye(400, device="cuda"), []
    for _ in range(12):
        x.copy_(x @ turn)
        events.append(torch.cuda.Event(enable_timing=True))
        events[-1].record()
    for event in events:
        event.synchronize()
        assert event.query()
    assert events[0].elapsed_time(events[-1]) > 0


def test_all_has_come_after_synchronize():
    stream, event = torch.cuda.current_stream(), torch.cuda.Event()
    for _ in range(50):
        x = torch.ones(300, 300, device="cuda") + 1
        event.record()
        torch.cuda.synchronize()
        assert event.query() and stream.query()
        del x
        assert stream.query()


def test_what_is_known_of_a_device():
    known = torch.cuda.get_device_properties(1)
    assert (known.name, known.major, known.minor) == ("cpu", 0, 0)
    free, total = torch.cuda.mem_get_info()
    assert 0 < free < total == known.total_memory == torch.accelerator.get_memory_info()[1]
    assert repr(known).startswith("_CudaDeviceProperties(name='cpu', major=0, minor=0, total_memory=")
    assert torch.cuda.can_device_access_peer(0, 1) and not torch.cuda.can_device_access_peer(0, 0)
    assert torch.cuda.memory_stats() == {} and torch.cuda.memory_allocated() == torch.cuda.max_memory_reserved() == 0
    assert "memory of" in torch.cuda.memory_summary()
    assert torch.accelerator.current_stream() == torch.cuda.current_stream()
    with torch.cuda.nvtx.range("step {}", 1):
        assert torch.cuda.nvtx.range_push("inner") == 1
        assert torch.cuda.nvtx.range_pop() == 1


def test_a_profile_has_the_devices_times():
    x = torch.rand(300, 300, device="cuda:1")
    with torch.profiler.profile(profile_memory=True) as prof:
        (x @ x).relu()
    shown = {total.key: total for total in prof.key_averages()}
    matmul = shown["aten::matmul"]
    assert matmul.device_time_total == shown["matmul"].self_device_time_total > 0
    assert matmul.device_memory_usage == 300 * 300 * 4 and matmul.cpu_memory_usage == 0
    assert torch.profiler.ProfilerActivity.CUDA in torch.profiler.supported_activities()
    assert "Self CUDA time total" in prof.key_averages().table(sort_by="cuda_time_total")


def test_a_program_of_the_cpu_is_found_again_beside_other_devices(monkeypatch, tmp_path):
    monkeypatch.setattr(kept.Folder, "path", str(tmp_path))
    monkeypatch.setattr(meshes.Used, "several", False)
    results, found = [], []
    for _ in range(2):
        program.clear()
        results.append((torch.arange(5.0) * 2).sin().tolist())
        found.append(program.most_recent().found)
    assert found == [False, True]
    assert results[0] == results[1]
