"""What the tests save: one object made in either library, and what counts as the same object in the other."""

from collections import OrderedDict

import numpy as np

BYTES_ONLY = ("uint16", "float8_e4m3fn", "float8_e5m2")  # dtypes without a typed storage
TYPED = (
    "float32 float64 float16 bfloat16 complex64 complex128 uint8 int8 int16 int32 int64 bool".split()
)  # fmt: skip


def everything(torch, legacy=False):
    """Tensors of all dtypes and forms, containers, a module's and an optimizer's state, torch's small values."""
    torch.manual_seed(0)
    a = torch.arange(12.0).reshape(3, 4)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2, bias=False), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    (model(torch.randn(5, 3)) * torch.randn(5, 2)).sum().backward()
    optimizer.step()
    schedule.step()
    marked = torch.ones(2)
    marked.note = "kept"
    kinds = TYPED if legacy else (*TYPED, *BYTES_ONLY)
    return {
        "dtypes": [torch.tensor([0.0, 1.0, 2.0]).to(getattr(torch, kind)) for kind in kinds],
        "shared": [a, a[1:, ::2], a.t(), a[0], a.view(12)],
        "forms": [torch.empty(0), torch.empty(2, 0), torch.tensor(3), torch.ones(2, 3).expand(4, 2, 3), a.clone().t()],
        "leaf": torch.ones(2, requires_grad=True),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False),
        "marked": marked,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "values": [a.shape, torch.float16, torch.device("cpu"), torch.device("cuda", 1), torch.strided],
        "plain": [1, -(2**40), 2.5, None, True, "text", (1,), {"k": [2]}, {3}, OrderedDict(z=1), 1 + 2j, b"bytes"],
        "random": torch.get_rng_state(),
    }


def assert_same(actual, wanted, at="it"):
    """Assert that an object, of either library, is the same as another of the other."""
    kind, known = type(actual).__name__, type(wanted).__name__
    assert kind == known, f"{at}: {kind} for {known}"
    if isinstance(actual, dict):
        assert list(actual) == list(wanted), at
        for key in actual:
            assert_same(actual[key], wanted[key], f"{at}[{key!r}]")
    elif hasattr(actual, "stride"):
        for fact in ("dtype", "device", "requires_grad"):
            assert str(getattr(actual, fact)) == str(getattr(wanted, fact)), f"{at}.{fact}"
        layout = [(tuple(t.shape), tuple(t.stride()), t.storage_offset()) for t in (actual, wanted)]
        assert layout[0] == layout[1], at
        np.testing.assert_allclose(numbers(actual), numbers(wanted), rtol=1e-6, atol=1e-7, err_msg=at)
        assert getattr(actual, "note", None) == getattr(wanted, "note", None), at
    elif isinstance(actual, (list, tuple)):
        assert len(actual) == len(wanted), at
        for i, (one, other) in enumerate(zip(actual, wanted, strict=True)):
            assert_same(one, other, f"{at}[{i}]")
    else:
        assert str(actual) == str(wanted), at


def numbers(tensor):
    """A tensor's values in NumPy, which has neither bfloat16 nor float8."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype.is_floating_point else tensor).numpy()
