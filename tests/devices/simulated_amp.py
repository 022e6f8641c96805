"""Autocast and GradScaler on cuda devices: the dtypes of the ops on torch's list. Run by test_simulated.py."""

import warnings

import jtorch
from tests.amp import listed


def test_dtypes_of_listed_ops():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dtype in ("float32", "float16"):
            count, wrong = listed.compared("AutocastCUDA", dtype, listed.on_cuda_of_torch, listed.on_simulated_cuda)
            assert count > 80 and wrong == {}


def test_a_banned_op():
    x = jtorch.rand(3, device="cuda")
    try:
        with jtorch.autocast("cuda"):
            jtorch.nn.functional.binary_cross_entropy(x, x)
    except RuntimeError as error:
        assert str(error).startswith("torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe")
    else:
        raise AssertionError("not refused")


def test_layers():
    x = jtorch.rand(2, 3, 4, device="cuda")
    with jtorch.autocast("cuda"):
        for layer in (jtorch.nn.LSTM, jtorch.nn.GRU, jtorch.nn.RNN):
            assert layer(4, 4).cuda()(x)[0].dtype is jtorch.float16
        for layer in (jtorch.nn.GRUCell, jtorch.nn.RNNCell):
            assert layer(4, 4).cuda()(x[0]).dtype is jtorch.float16
        with jtorch.autocast("cpu"):
            assert (x.cpu()[0] @ x.cpu()[0].T).dtype is jtorch.bfloat16
        assert (x.cpu()[0] @ x.cpu()[0].T).dtype is jtorch.float32


def test_skipping_with_parameters_on_two_devices():
    """Each device has its finding; the steps that Adam counts lie beside the parameters then."""
    params = [jtorch.nn.Parameter(jtorch.ones(2, device=f"cuda:{i}")) for i in (0, 1)]
    optimizer = jtorch.optim.Adam(params, lr=0.5)
    scaler = jtorch.amp.GradScaler()
    for grad in (1.0, float("inf"), 1.0):
        loss = scaler.scale((params[0] * 1.0).sum() + (params[1] * grad).sum().to("cuda:0"))
        optimizer.zero_grad()
        loss.backward()
        scaler.step(optimizer)
        scaler.update()
    assert scaler.is_enabled() and scaler.get_scale() == 2.0**15
    assert all(abs(v) < 1e-6 for p in params for v in p.tolist())
    assert [optimizer.state[p]["step"].item() for p in params] == [2.0, 2.0]
