"""DataParallel on cuda devices. Run by test_simulated.py."""

import pytest

import jtorch as torch


def test_inputs_are_brought_to_the_module_and_results_to_the_output_device():
    model = torch.nn.DataParallel(torch.nn.Linear(3, 2).to("cuda:0"), output_device=1)
    assert model.device_ids == [0, 1]
    out = model(torch.ones(4, 3))
    assert out.shape == (4, 2) and str(out.device) == "cuda:1"
    expected = model.module(torch.ones(4, 3, device="cuda:0"))
    assert out.tolist() == expected.tolist()


def test_one_device_takes_the_module():
    model = torch.nn.DataParallel(torch.nn.Linear(3, 2), device_ids=[1])
    assert str(model.module.weight.device) == "cuda:1" and str(model(torch.ones(1, 3)).device) == "cuda:1"


def test_a_module_elsewhere_is_refused():
    model = torch.nn.DataParallel(torch.nn.Linear(3, 2))
    with pytest.raises(RuntimeError, match="module must have its parameters and buffers on device cuda:0"):
        model(torch.ones(1, 3))
